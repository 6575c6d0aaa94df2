# SPDX-License-Identifier: AGPL-3.0-or-later
"""The recipient type ``X25519`` (``age1…``): c2sp.org/age, "The X25519 recipient type".

Supported to open files made by other programs and to pass the format's own test vectors. A quantum computer would break
it: Amparo itself seals only to ``mlkem768x25519`` (``crypto/age_pq.py``).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import bech32
from crypto.age_header import Stanza, decode_base64, encode_base64
from crypto.errors import MalformedError, NotARecipientError

STANZA_TYPE = "X25519"
LABEL = b"age-encryption.org/v1/X25519"
RECIPIENT_PREFIX = "age"
IDENTITY_PREFIX = "age-secret-key-"
KEY_SIZE = 32
WRAPPED_SIZE = 32
# Every wrap key is used once, so that its nonce may be fixed.
WRAP_NONCE = bytes(12)
# The points whose order divides the cofactor 8, on the curve and on its twist, and the two of them that have a second
# name below 2^255: cr.yp.to/ecdh.html, "How do I validate Curve25519 public keys?"
_PRIME = 2**255 - 19
_ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
LOW_ORDER = frozenset({0, 1, *_ORDER_8, _PRIME - 1, _PRIME, _PRIME + 1})


@dataclass(frozen=True)
class X25519Recipient:
    """A public key of 32 bytes. MalformedError for another size or a point of low order."""

    key: bytes

    def __post_init__(self) -> None:
        check_x25519_key(self.key)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Parse ``age1…``, lower case only; MalformedError or LimitError as ``bech32.decode``."""
        return cls(bech32.decode(RECIPIENT_PREFIX, text))

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_PREFIX, self.key)

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza that carries the file key (16 bytes), under a fresh ephemeral key."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.key))
        body = _wrap_aead(secret, share, self.key).encrypt(WRAP_NONCE, file_key, None)
        return Stanza(STANZA_TYPE, (encode_base64(share),), body)


@dataclass(frozen=True)
class X25519Identity:
    """A secret key of 32 bytes, not shown by ``repr``."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_SIZE:
            raise MalformedError(f"age identity: not {KEY_SIZE} bytes")

    @classmethod
    def generate(cls) -> Self:
        return cls(secrets.token_bytes(KEY_SIZE))

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Parse ``AGE-SECRET-KEY-1…``, upper case only; MalformedError or LimitError as ``bech32.decode``."""
        return cls(bech32.decode_upper(IDENTITY_PREFIX, text))

    def __str__(self) -> str:
        return bech32.encode(IDENTITY_PREFIX, self.secret).upper()

    def recipient(self) -> X25519Recipient:
        return X25519Recipient(X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes:
        """Return the file key from the first stanza that this identity opens.

        Raises NotARecipientError if there is none, MalformedError if any ``X25519`` stanza is not well formed.
        """
        private_key = X25519PrivateKey.from_private_bytes(self.secret)
        own_key = self.recipient().key
        for share, body in [_parse(stanza) for stanza in stanzas if stanza.type == STANZA_TYPE]:
            check_x25519_key(share)
            secret = private_key.exchange(X25519PublicKey.from_public_bytes(share))
            try:
                return _wrap_aead(secret, share, own_key).decrypt(WRAP_NONCE, body, None)
            except InvalidTag:
                continue
        raise NotARecipientError("age: the file is not sealed to this X25519 identity")


def check_x25519_key(key: bytes) -> None:
    """Raise MalformedError unless ``key`` is a public key that is safe to use: of 32 bytes, and not of low order.

    With a point of low order every exchange gives zeros, a secret that everyone knows; c2sp.org/age requires an abort.
    They are known by their names: to try an exchange costs much more, and the portal reads a key with every submission.
    """
    # The highest bit does not count (RFC 7748 §5).
    if len(key) != KEY_SIZE or int.from_bytes(key, "little") % 2**255 in LOW_ORDER:
        raise MalformedError("age: an X25519 public key is of the wrong size or of low order")


def _parse(stanza: Stanza) -> tuple[bytes, bytes]:
    # The size of the body is checked before it is opened, against partitioning oracles.
    if len(stanza.arguments) != 1 or len(stanza.body) != WRAPPED_SIZE:
        raise MalformedError("age header: an X25519 stanza must have one argument and a body of 32 bytes")
    return decode_base64(stanza.arguments[0], KEY_SIZE), stanza.body


def _wrap_aead(secret: bytes, share: bytes, recipient: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=share + recipient, info=LABEL).derive(secret))
