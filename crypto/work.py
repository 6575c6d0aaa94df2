# SPDX-License-Identifier: AGPL-3.0-or-later
"""The work that a portal under pressure asks of strangers (docs/protocol.md §7.4).

Sixteen searches for a hash that begins with zero bits, over what is sent and where. Nothing in it names a person, and
no two works have anything in common but the challenge, which everyone gets.
"""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass

from crypto.document import Fields
from crypto.encoding import decode_base64, encode_base64, label
from crypto.errors import AuthenticationError, MalformedError

CHALLENGE_BYTES = 16
SALT_BYTES = 16
SEARCHES = 16
BITS_MAX = 17
HEADER = "Amparo-Work"
_FORM = struct.Struct(f">{CHALLENGE_BYTES}s{SALT_BYTES}s{SEARCHES}I")
_TRY = struct.Struct(">II")


@dataclass(frozen=True)
class AskedWork:
    """What the portal asks: its challenge (16 bytes), and how many bits must be zero, 1 to 17."""

    challenge: bytes
    bits: int


@dataclass(frozen=True)
class Work:
    """A challenge, a salt (16 bytes each) and the sixteen numbers that were found, below 2³²."""

    challenge: bytes
    salt: bytes
    nonces: tuple[int, ...]

    def encode(self) -> str:
        """The value of the header, 128 characters."""
        return encode_base64(_FORM.pack(self.challenge, self.salt, *self.nonces))

    def seed(self, path: str, digest: bytes) -> bytes:
        """The hash that the searches begin with: one for each work, path and SHA-256 of a body (32 bytes)."""
        return _seed(self.challenge, self.salt, path, digest)

    def check(self, path: str, digest: bytes, bits: int) -> None:
        """Raise AuthenticationError unless each search found ``bits`` zero bits for this path and body's SHA-256.

        Whether the challenge is one that counts, and whether the work was used before, is not checked.
        """
        search = hashlib.sha256(self.seed(path, digest))
        if not all(_counts(search, index, nonce, bits) for index, nonce in enumerate(self.nonces)):
            raise AuthenticationError("the work is too little, or for something else")


def parse_work(text: str) -> Work:
    """Read the value of the header. Raises MalformedError."""
    data = decode_base64(text)
    if len(data) != _FORM.size:
        raise MalformedError("work of another length")
    challenge, salt, *nonces = _FORM.unpack(data)
    return Work(challenge, salt, tuple(nonces))


def read_asked_work(answer: bytes) -> AskedWork | None:
    """Read the answer to ``GET work``; ``None`` when nothing is asked. Raises MalformedError or LimitError."""
    try:
        fields = Fields(json.loads(answer), "answer")
    except (ValueError, RecursionError):
        raise MalformedError("the portal's answer can't be read") from None
    value = fields.take("work")
    if value is None:
        return None
    asked = Fields(value, "work")
    return AskedWork(bytes.fromhex(asked.hex("challenge", CHALLENGE_BYTES)), asked.integer("bits", 1, BITS_MAX))


def do_work(asked: AskedWork, path: str, digest: bytes, random_bytes: Callable[[int], bytes]) -> Work:
    """Find the work for a path and the SHA-256 of a body; takes 16 · 2^bits hashes on average."""
    salt = random_bytes(SALT_BYTES)
    search = hashlib.sha256(_seed(asked.challenge, salt, path, digest))
    return Work(asked.challenge, salt, tuple(_find(search, index, asked.bits) for index in range(SEARCHES)))


def _seed(challenge: bytes, salt: bytes, path: str, digest: bytes) -> bytes:
    # A path that is not ASCII is none of ours; whoever asks for it is answered so.
    return hashlib.sha256(label("work") + challenge + salt + digest + path.encode("utf-8", "replace")).digest()


def _find(search: "hashlib._Hash", index: int, bits: int) -> int:
    nonce = 0
    while not _counts(search, index, nonce, bits):
        nonce += 1
    return nonce


def _counts(search: "hashlib._Hash", index: int, nonce: int, bits: int) -> bool:
    attempt = search.copy()
    attempt.update(_TRY.pack(index, nonce))
    return int.from_bytes(attempt.digest()[:4], "big") >> (32 - bits) == 0
