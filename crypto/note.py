# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed notes: text, an empty line, Ed25519 signature lines (c2sp.org/signed-note, docs/protocol.md §4.1).

    amparo collection v1
    …
                                                   <- empty line
    — <key name> base64(key id (4) ‖ signature (64))

The signature covers the text with its last newline. A key id is the first 4 bytes of SHA-256(key name ‖ 0x0A ‖ 0x01 ‖
public key); it only helps to find the line, and proves nothing.
"""

import functools
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import nacl.signing

from crypto.ed25519 import KEY_BYTES, check_public_key, check_signature
from crypto.encoding import decode_base64, decode_hex, encode_base64
from crypto.errors import AuthenticationError, LimitError, MalformedError

NOTE_BYTES_MAX = 1 << 20
SIGNATURES_MAX = 64
NAME_CHARS_MAX = 255
KEY_ID_BYTES = 4
_ED25519 = b"\x01"
_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f+\s\ud800-\udfff]")


@dataclass(frozen=True)
class VerifierKey:
    """A name and an Ed25519 public key of 32 bytes, written ``<name>+<hex key id>+base64(0x01 ‖ public key)``.

    LimitError on a name of more than 255 characters, MalformedError on one that cannot stand in a note, or on bytes
    that are no public key (``crypto.ed25519``).
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        check_public_key(self.public)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the written form; MalformedError on any other spelling, type of key or key id."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise MalformedError("verifier key: not <name>+<key id>+<key>")
        name, key_id, encoded = parts
        _check_name(name)
        decode_hex(key_id, KEY_ID_BYTES)
        data = decode_base64(encoded, len(_ED25519) + KEY_BYTES)
        if not data.startswith(_ED25519):
            raise MalformedError("verifier key: not of type Ed25519")
        key = cls(name, data[len(_ED25519) :])
        if key.key_id != key_id:
            raise MalformedError("verifier key: the key id does not belong to the key")
        return key

    def __str__(self) -> str:
        return f"{self.short_id}+{encode_base64(_ED25519 + self.public)}"

    @functools.cached_property
    def key_id(self) -> str:
        """The first 4 bytes of the key's hash, as 8 hexadecimal digits."""
        material = self.name.encode("utf-8") + b"\n" + _ED25519 + self.public
        return hashlib.sha256(material).digest()[:KEY_ID_BYTES].hex()

    @property
    def short_id(self) -> str:
        """``<name>+<hex key id>``, which names the key in requests of the office."""
        return f"{self.name}+{self.key_id}"

    def check(self, message: bytes, signature: bytes) -> None:
        """Raise AuthenticationError unless ``signature`` (64 bytes) is this key's signature of ``message``."""
        check_signature(self.public, message, signature)


@dataclass(frozen=True)
class SigningKey:
    """A name and an Ed25519 seed of 32 bytes, not shown by ``repr``."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != KEY_BYTES:
            raise MalformedError(f"signing key: not {KEY_BYTES} bytes")

    @classmethod
    def generate(cls, name: str, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        return cls(name, random(KEY_BYTES))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        return cls(name, seed)

    @functools.cached_property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, bytes(self._key.verify_key))

    def sign(self, message: bytes) -> bytes:
        """Return the bare signature (64 bytes) of ``message``."""
        return self._key.sign(message).signature

    @functools.cached_property
    def _key(self) -> nacl.signing.SigningKey:
        return nacl.signing.SigningKey(self.seed)


@dataclass(frozen=True)
class Signature:
    """One signature line, not verified: the signer that it claims (``key_id`` hexadecimal), and its bytes."""

    name: str
    key_id: str
    data: bytes

    def line(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(bytes.fromhex(self.key_id) + self.data)}\n"


@dataclass(frozen=True)
class Note:
    """A text that ends in a newline, and its signatures. A parsed note is well-formed but not yet verified."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        _check_text(self.text)
        if len(self.signatures) > SIGNATURES_MAX:
            raise LimitError(f"note: more than {SIGNATURES_MAX} signatures")
        if len({(signature.name, signature.key_id) for signature in self.signatures}) != len(self.signatures):
            raise MalformedError("note: two signatures by one key")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a note. Raises LimitError over 1 MiB or 64 signatures, MalformedError on any other form.

        The text ends at the last empty line, so that a text may hold empty lines and even lines that look like
        signatures.
        """
        if len(data) > NOTE_BYTES_MAX:
            raise LimitError(f"note: more than {NOTE_BYTES_MAX} bytes")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError("note: not UTF-8") from None
        if _CONTROL.search(whole):
            raise MalformedError("note: holds a control character")
        text, divider, block = whole.rpartition("\n\n")
        if not divider or not block.endswith("\n"):
            raise MalformedError("note: no signatures after an empty line")
        if block.count("\n") > SIGNATURES_MAX:
            raise LimitError(f"note: more than {SIGNATURES_MAX} signatures")
        return cls(text + "\n", tuple(_read_line(line) for line in block[:-1].split("\n")))

    def encode(self) -> bytes:
        """Return the note in its only encoding. LimitError over 1 MiB, MalformedError without a signature."""
        if not self.signatures:
            raise MalformedError("note: no signatures")
        data = (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode("utf-8")
        if len(data) > NOTE_BYTES_MAX:
            raise LimitError(f"note: more than {NOTE_BYTES_MAX} bytes")
        return data

    @property
    def hash(self) -> str:
        """Return the hexadecimal SHA-256 of the text, which does not depend on the signatures."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def sign(text: str, keys: Sequence[SigningKey]) -> Note:
    """Return a note of ``text``, which must end in a newline, signed by each of ``keys`` in this order."""
    note = Note(text, ())
    for key in keys:
        note = add_signature(note, key)
    return note


def add_signature(note: Note, key: SigningKey) -> Note:
    """Return the note with one more signature. MalformedError if this key has signed it before."""
    signature = Signature(key.name, key.verifier.key_id, key.sign(note.text.encode("utf-8")))
    return Note(note.text, (*note.signatures, signature))


def verify(note: Note, known: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return those of the ``known`` keys that signed, at least one, in the order of their lines.

    Lines by other keys are ignored, whatever name they claim. Raises AuthenticationError when no known key signed, or
    when a line by a known key does not verify. *Not* checked: that the right keys signed, or enough of them.
    """
    keys = {(key.name, key.key_id): key for key in known}
    message = note.text.encode("utf-8")
    verified = []
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is not None:
            key.check(message, signature.data)
            verified.append(key)
    if not verified:
        raise AuthenticationError("note: not signed by a known key")
    return tuple(verified)


def _read_line(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise MalformedError("note: a signature line does not begin with a dash and a space")
    name, space, encoded = line[len(_DASH) :].partition(" ")
    if not space:
        raise MalformedError("note: a signature line has no key name")
    _check_name(name)
    data = decode_base64(encoded)
    # Signatures of other types have other lengths: those lines are by unknown keys, to be ignored.
    if len(data) <= KEY_ID_BYTES:
        raise MalformedError("note: a signature line is too short for a signature")
    return Signature(name, data[:KEY_ID_BYTES].hex(), data[KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    if len(name) > NAME_CHARS_MAX:
        raise LimitError(f"key name: longer than {NAME_CHARS_MAX} characters")
    if not name or _NOT_IN_NAMES.search(name):
        raise MalformedError("key name: empty, or holds a space, a plus sign, a control character or a lone surrogate")


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise MalformedError("note: the text does not end in a newline")
    if _CONTROL.search(text):
        raise MalformedError("note: holds a control character")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise MalformedError("note: the text is not Unicode") from None
    if size > NOTE_BYTES_MAX:
        raise LimitError(f"note: more than {NOTE_BYTES_MAX} bytes")
