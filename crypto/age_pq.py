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
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto import bech32
from crypto.age_header import Stanza, decode_base64, encode_base64
from crypto.age_x25519 import check_x25519_key
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
# An ML-KEM-768 key is 768 coefficients of 12 bits, each below the modulus, and a seed.
_MODULUS = 3329
_COEFFICIENT_BITS = 12
_COEFFICIENTS_SIZE = 1152
# Every second coefficient, so that each has room for a carry.
_LANES = int.from_bytes(b"\xff\x0f\x00" * (_COEFFICIENTS_SIZE // 3), "little")
_ONES = int.from_bytes(b"\x01\x00\x00" * (_COEFFICIENTS_SIZE // 3), "little")
_CARRIES = _ONES << _COEFFICIENT_BITS


@dataclass(frozen=True)
class PqRecipient:
    """A public key of 1216 bytes. MalformedError if it is not a pair of valid ML-KEM-768 and X25519 keys."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_SIZE:
            raise MalformedError(f"age recipient: not {KEY_SIZE} bytes")
        _check_mlkem_key(self.key[:MLKEM_KEY_SIZE])
        check_x25519_key(self.key[MLKEM_KEY_SIZE:])

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

    @property
    def _public_key(self) -> hpke.MLKEM768X25519PublicKey:
        mlkem_key = MLKEM768PublicKey.from_public_bytes(self.key[:MLKEM_KEY_SIZE])
        return hpke.MLKEM768X25519PublicKey(mlkem_key, X25519PublicKey.from_public_bytes(self.key[MLKEM_KEY_SIZE:]))


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
    check_x25519_key(encapsulation[MLKEM_CIPHERTEXT_SIZE:])
    return encapsulation + stanza.body


def _check_mlkem_key(key: bytes) -> None:
    """Raise MalformedError unless ``key`` (1184 bytes) passes the check of FIPS 203 §7.2: no coefficient is too large.

    The library checks it too, but only while it makes a key ready for use, which costs ten times as much: the portal
    reads a recipient in every manifest, and seals nothing to it.
    """
    coefficients = int.from_bytes(key[:_COEFFICIENTS_SIZE], "little")
    # What is added carries into the next bit exactly when a coefficient reaches the modulus.
    added = _ONES * (2**_COEFFICIENT_BITS - _MODULUS)
    for lanes in (coefficients & _LANES, coefficients >> _COEFFICIENT_BITS & _LANES):
        if (lanes + added) & _CARRIES:
            raise MalformedError("age recipient: not a valid ML-KEM-768 key")


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
