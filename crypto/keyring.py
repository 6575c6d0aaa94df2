# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member's secrets at rest, under a passphrase (docs/protocol.md §11).

    0                  18       22      26      30        46        70            182
    ┌──────────────────┬────────┬───────┬───────┬─────────┬─────────┬─────────────┐
    │amparo/v1/keyring⏎│ m (u32)│t (u32)│p (u32)│salt (16)│nonce(24)│ct (96 + 16) │
    └──────────────────┴────────┴───────┴───────┴─────────┴─────────┴─────────────┘

Argon2id (RFC 9106) makes the key; XChaCha20-Poly1305 seals age seed ‖ Ed25519 seed ‖ index key, with everything before
the nonce and the member's label as associated data.
"""

import secrets
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import nacl.bindings
import nacl.exceptions
from argon2.low_level import Type, hash_secret_raw
from shamir_mnemonic.wordlist import WORDLIST

from crypto.age import PqIdentity
from crypto.encoding import label
from crypto.errors import AuthenticationError, LimitError, MalformedError, UnsupportedVersionError
from crypto.folding import is_stream_safe, normalize

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16
SALT_BYTES = 16
PASSPHRASE_WORDS = 6
PASSPHRASE_BYTES_MAX = 4096
_HEADER = struct.Struct(">18sIII16s")
_KEYRING_BYTES = 3 * KEY_BYTES
_SEALED_BYTES = _HEADER.size + NONCE_BYTES + _KEYRING_BYTES + TAG_BYTES


@dataclass(frozen=True)
class Parameters:
    """Costs of Argon2id: memory in KiB, passes, lanes. LimitError outside the bounds of docs/protocol.md §11."""

    memory_kib: int
    passes: int
    lanes: int

    def __post_init__(self) -> None:
        # The upper bounds keep a forged keyring from exhausting the machine, the lower ones make guessing expensive.
        if not (19_456 <= self.memory_kib <= 1_048_576 and 2 <= self.passes <= 16 and 1 <= self.lanes <= 16):
            raise LimitError("keyring: parameters of Argon2id are out of bounds")


# RFC 9106 §4, second recommended option.
DEFAULT = Parameters(memory_kib=65_536, passes=3, lanes=4)
MINIMUM = Parameters(memory_kib=19_456, passes=2, lanes=1)


@dataclass(frozen=True)
class Keyring:
    """Three secrets of 32 bytes: the seed of the age identity, the seed of the signing key, the index key."""

    identity_seed: bytes = field(repr=False)
    signing_seed: bytes = field(repr=False)
    index_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if any(len(secret) != KEY_BYTES for secret in (self.identity_seed, self.signing_seed, self.index_key)):
            raise MalformedError(f"keyring: a secret does not have {KEY_BYTES} bytes")

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        return cls(random(KEY_BYTES), random(KEY_BYTES), random(KEY_BYTES))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a keyring of 96 bytes; MalformedError for another size."""
        if len(data) != _KEYRING_BYTES:
            raise MalformedError(f"keyring: not {_KEYRING_BYTES} bytes")
        return cls(data[:KEY_BYTES], data[KEY_BYTES : 2 * KEY_BYTES], data[2 * KEY_BYTES :])

    def to_bytes(self) -> bytes:
        return self.identity_seed + self.signing_seed + self.index_key

    @property
    def identity(self) -> PqIdentity:
        return PqIdentity.from_seed(self.identity_seed)


def seal_keyring(
    keyring: Keyring,
    passphrase: str,
    member_label: str,
    parameters: Parameters = DEFAULT,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Seal to 182 bytes, for this member only. MalformedError on an empty passphrase, LimitError on a long one."""
    header = _HEADER.pack(
        label("keyring"), parameters.memory_kib, parameters.passes, parameters.lanes, random(SALT_BYTES)
    )
    key = _derive(header, passphrase)
    return header + seal_bytes(key, keyring.to_bytes(), header + member_label.encode(), random)


def open_keyring(sealed: bytes, passphrase: str, member_label: str) -> Keyring:
    """Open what ``seal_keyring`` made.

    Raises AuthenticationError on a wrong passphrase, another member's keyring or an altered one (these can't be told
    apart); MalformedError, UnsupportedVersionError or LimitError on its form, before the key is derived.
    """
    _read_parameters(sealed)
    header, rest = sealed[: _HEADER.size], sealed[_HEADER.size :]
    key = _derive(header, passphrase)
    return Keyring.from_bytes(open_bytes(key, rest, header + member_label.encode()))


def needs_upgrade(sealed: bytes) -> bool:
    """Whether a keyring was sealed with any cost below today's, and should be sealed again while it is unlocked."""
    found = _read_parameters(sealed)
    return found.memory_kib < DEFAULT.memory_kib or found.passes < DEFAULT.passes


def new_passphrase(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return six words of the SLIP-39 word list, 60 bits; ``random(n)`` gives n random bytes."""
    # The list has 1024 words: ten bits choose one without bias.
    indices = (int.from_bytes(random(2)) % len(WORDLIST) for _ in range(PASSPHRASE_WORDS))
    return " ".join(WORDLIST[index] for index in indices)


def seal_bytes(
    key: bytes, plaintext: bytes, associated: bytes, random: Callable[[int], bytes] = secrets.token_bytes
) -> bytes:
    """Return nonce (24) ‖ XChaCha20-Poly1305 ciphertext, for sealed columns and sessions. ``key`` is 32 bytes."""
    nonce = random(NONCE_BYTES)
    return nonce + nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, nonce, key)


def open_bytes(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Open what ``seal_bytes`` made. MalformedError if truncated, AuthenticationError if altered or of another key."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise MalformedError("sealed bytes are truncated")
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, key)
    except nacl.exceptions.CryptoError:
        raise AuthenticationError("sealed bytes: another key, or altered") from None


def _read_parameters(sealed: bytes) -> Parameters:
    version, newline, _ = sealed.partition(b"\n")
    if newline and version.startswith(b"amparo/") and version + newline != label("keyring"):
        raise UnsupportedVersionError("keyring: has a version that this program does not read")
    if not sealed.startswith(label("keyring")) or len(sealed) != _SEALED_BYTES:
        raise MalformedError(f"keyring: not {_SEALED_BYTES} bytes that begin with the label of a keyring")
    _, memory_kib, passes, lanes, _ = _HEADER.unpack_from(sealed)
    return Parameters(memory_kib, passes, lanes)


def _derive(header: bytes, passphrase: str) -> bytes:
    _, memory_kib, passes, lanes, salt = _HEADER.unpack(header)
    return hash_secret_raw(prepare_passphrase(passphrase), salt, passes, memory_kib, lanes, KEY_BYTES, Type.ID)


def prepare_passphrase(passphrase: str) -> bytes:
    """Return the passphrase in UTF-8, prepared as an OpaqueString (RFC 8265 §4.2): the same from every keyboard.

    MalformedError for an empty one, what is not Unicode or has more than 30 marks on a letter; LimitError above
    PASSPHRASE_BYTES_MAX.
    """
    # Four characters at most become one when they are composed.
    if len(passphrase) > 4 * PASSPHRASE_BYTES_MAX:
        raise LimitError(f"passphrase: longer than {PASSPHRASE_BYTES_MAX} bytes")
    if not is_stream_safe(passphrase):
        raise MalformedError("passphrase: too many marks on a letter")
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in passphrase)
    try:
        data = normalize("NFC", spaced).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError("passphrase: not Unicode") from None
    if not data:
        raise MalformedError("passphrase: empty")
    if len(data) > PASSPHRASE_BYTES_MAX:
        raise LimitError(f"passphrase: longer than {PASSPHRASE_BYTES_MAX} bytes")
    return data
