# SPDX-License-Identifier: AGPL-3.0-or-later
"""The recipient type ``mlkem768x25519`` (``age1pq1…``): c2sp.org/age, "The MLKEM768-X25519 (i.e. X-Wing) … type".

The file key is sealed by HPKE (RFC 9180) in base mode with KEM 0x647a, which is secure as long as either ML-KEM-768 or
X25519 is. An identity is a seed of 32 bytes; SHAKE256 stretches it to the seed of ML-KEM (64 bytes, d ‖ z) and the
scalar of X25519 (32 bytes). A recipient is the public key of ML-KEM (1184 bytes) ‖ that of X25519 (32 bytes).
"""

import functools
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from crypto import bech32
from crypto.age_header import Stanza, decode_base64, encode_base64
from crypto.age_x25519 import x25519_public_key
from crypto.errors import MalformedError, NotARecipientError

STANZA_TYPE = "mlkem768x25519"
LABEL = b"age-encryption.org/mlkem768x25519"
RECIPIENT_PREFIX = "age1pq"
IDENTITY_PREFIX = "age-secret-key-pq-"
SEED_SIZE = 32
MLKEM_SEED_SIZE = 64
MLKEM_KEY_SIZE = 1184
MLKEM_CIPHERTEXT_SIZE = 1088
X25519_SIZE = 32
KEY_SIZE = MLKEM_KEY_SIZE + X25519_SIZE
ENCAPSULATION_SIZE = MLKEM_CIPHERTEXT_SIZE + X25519_SIZE
WRAPPED_SIZE = 32


@dataclass(frozen=True)
class PqRecipient:
    """A public key of 1216 bytes. MalformedError if it is not a pair of valid ML-KEM-768 and X25519 keys."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _ = self._public_key

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Parse ``age1pq1…`` (1959 characters, lower case only); MalformedError or LimitError as ``bech32.decode``."""
        return cls(bech32.decode(RECIPIENT_PREFIX, text))

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_PREFIX, self.key)

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza that carries the file key (16 bytes), under a fresh encapsulation."""
        sealed = _suite().encrypt(file_key, self._public_key, LABEL)
        encapsulation, body = sealed[:ENCAPSULATION_SIZE], sealed[ENCAPSULATION_SIZE:]
        return Stanza(STANZA_TYPE, (encode_base64(encapsulation),), body)

    @functools.cached_property
    def _public_key(self) -> hpke.MLKEM768X25519PublicKey:
        if len(self.key) != KEY_SIZE:
            raise MalformedError(f"age recipient: not {KEY_SIZE} bytes")
        try:
            mlkem_key = MLKEM768PublicKey.from_public_bytes(self.key[:MLKEM_KEY_SIZE])
        except ValueError as error:
            raise MalformedError("age recipient: not a valid ML-KEM-768 key") from error
        return hpke.MLKEM768X25519PublicKey(mlkem_key, x25519_public_key(self.key[MLKEM_KEY_SIZE:]))


@dataclass(frozen=True)
class PqIdentity:
    """A secret seed of 32 bytes, not shown by ``repr``."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise MalformedError(f"age identity: not {SEED_SIZE} bytes")

    @classmethod
    def generate(cls) -> Self:
        return cls(secrets.token_bytes(SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Make an identity of a secret, uniformly random seed of 32 bytes; MalformedError for another size."""
        return cls(seed)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Parse ``AGE-SECRET-KEY-PQ-1…``, upper case only; MalformedError or LimitError as ``bech32.decode``."""
        return cls(bech32.decode_upper(IDENTITY_PREFIX, text))

    def __str__(self) -> str:
        return bech32.encode(IDENTITY_PREFIX, self.seed).upper()

    def recipient(self) -> PqRecipient:
        mlkem_key, x25519_key = self._private_keys
        return PqRecipient(mlkem_key.public_key().public_bytes_raw() + x25519_key.public_key().public_bytes_raw())

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes:
        """Return the file key from the first stanza that this identity opens.

        Raises NotARecipientError if there is none, MalformedError if any ``mlkem768x25519`` stanza is not well formed.
        """
        private_key = hpke.MLKEM768X25519PrivateKey(*self._private_keys)
        for sealed in [check_stanza(stanza) for stanza in stanzas if stanza.type == STANZA_TYPE]:
            try:
                return _suite().decrypt(sealed, private_key, LABEL)
            except InvalidTag:
                continue
        raise NotARecipientError("age: the file is not sealed to this identity")

    @functools.cached_property
    def _private_keys(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        stretched = hashlib.shake_256(self.seed).digest(MLKEM_SEED_SIZE + X25519_SIZE)
        return (
            MLKEM768PrivateKey.from_seed_bytes(stretched[:MLKEM_SEED_SIZE]),
            X25519PrivateKey.from_private_bytes(stretched[MLKEM_SEED_SIZE:]),
        )


def check_stanza(stanza: Stanza) -> bytes:
    """Return the HPKE ciphertext (encapsulation ‖ wrapped file key, 1152 bytes) of an ``mlkem768x25519`` stanza.

    Raises MalformedError for another type, another number of arguments, a value of another size or base64 that is not
    canonical, and for an X25519 share of low order (HPKE would call that a wrong key). Needs no key.
    """
    # The size of the body is checked before it is opened, against partitioning oracles.
    if stanza.type != STANZA_TYPE or len(stanza.arguments) != 1 or len(stanza.body) != WRAPPED_SIZE:
        raise MalformedError("age header: an mlkem768x25519 stanza must have one argument and a body of 32 bytes")
    encapsulation = decode_base64(stanza.arguments[0], ENCAPSULATION_SIZE)
    x25519_public_key(encapsulation[MLKEM_CIPHERTEXT_SIZE:])
    return encapsulation + stanza.body


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
