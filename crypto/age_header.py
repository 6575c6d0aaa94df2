# SPDX-License-Identifier: AGPL-3.0-or-later
"""The textual header of an age v1 file: c2sp.org/age, "Header".

    age-encryption.org/v1
    -> type argument argument…
    body in base64, wrapped at 64 columns, its last line always shorter
    --- MAC in base64

Stanzas wrap the same file key for one recipient each. Base64 has no padding and is canonical, so that a header has
one encoding and the MAC can be computed over the bytes that were read.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import encoding
from crypto.errors import AuthenticationError, LimitError, MalformedError, UnsupportedVersionError

VERSION_LINE = b"age-encryption.org/v1\n"
ANY_VERSION_LINE = re.compile(rb"age-encryption\.org/[!-~]+\n")
MAX_VERSION_LINE = 64
ARGUMENTS = re.compile(rb"-> [!-~]+(?: [!-~]+)*")
STANZA_MARK = b"-> "
MAC_MARK = b"---"
MAC_LABEL = b"header"
MAC_SIZE = 32
COLUMNS = 64

# Our grants have at most 64 stanzas of 1.6 KB. The limits leave room for the headers of other programs, and bound the
# memory that a stranger can make us use.
MAX_STANZAS = 256
MAX_HEADER_SIZE = 1 << 20


@dataclass(frozen=True)
class Stanza:
    """The file key wrapped for one recipient; ``type`` and ``arguments`` are printable ASCII without spaces."""

    type: str
    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Header:
    """A parsed header: not authenticated until ``check_mac`` has passed.

    ``covered`` holds the bytes under the MAC, as read: all up to and including the three hyphens. ``size`` is the
    length of the whole header in bytes; the payload begins there.
    """

    stanzas: tuple[Stanza, ...]
    covered: bytes
    mac: bytes
    size: int

    def check_mac(self, file_key: bytes) -> None:
        """Raise AuthenticationError unless the MAC was made with this file key over this header."""
        if not hmac.compare_digest(_compute_mac(file_key, self.covered), self.mac):
            raise AuthenticationError("age header: the MAC does not match: the header was altered")


def read_header(source: BinaryIO) -> Header:
    """Read one header from ``source`` and leave it at the first byte of the payload. No key is needed.

    Raises UnsupportedVersionError for an age file of another version, MalformedError for anything that the grammar
    does not allow, LimitError above MAX_STANZAS stanzas or MAX_HEADER_SIZE bytes. What the stanzas hold is *not*
    checked, except that a ``scrypt`` stanza is the only one.
    """
    text = bytearray(_read_version_line(source))
    stanzas: list[Stanza] = []
    while (line := _read_line(source, text)).startswith(STANZA_MARK):
        if len(stanzas) == MAX_STANZAS:
            raise LimitError(f"age header: more than {MAX_STANZAS} stanzas")
        if not ARGUMENTS.fullmatch(line):
            raise MalformedError("age header: the arguments of a stanza are not separated by single spaces")
        kind, *arguments = line.decode("ascii").split(" ")[1:]
        stanzas.append(Stanza(kind, tuple(arguments), _read_body(source, text)))
    if not line.startswith(MAC_MARK + b" ") or not stanzas:
        raise MalformedError("age header: a stanza or the MAC line was expected")
    # With a second stanza the file would open without the passphrase, which is not what its reader expects.
    if len(stanzas) > 1 and any(stanza.type == "scrypt" for stanza in stanzas):
        raise MalformedError("age header: a scrypt stanza must be the only one")
    covered_size = len(text) - len(line) - 1 + len(MAC_MARK)
    mac = decode_base64(line[len(MAC_MARK) + 1 :].decode("latin-1"), MAC_SIZE)
    return Header(tuple(stanzas), bytes(text[:covered_size]), mac, len(text))


def encode_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Return the header with these stanzas in this order, closed by the MAC under the file key (16 bytes).

    *Not* checked: that the number of stanzas is between 1 and MAX_STANZAS.
    """
    covered = VERSION_LINE + b"".join(map(_encode_stanza, stanzas)) + MAC_MARK
    return covered + b" " + encode_base64(_compute_mac(file_key, covered)).encode() + b"\n"


def encode_base64(data: bytes) -> str:
    """Return standard base64 without padding."""
    return encoding.encode_base64(data).rstrip("=")


def decode_base64(text: str, size: int | None = None) -> bytes:
    """Return the bytes of canonical base64 without padding; MalformedError if it is not, or not of ``size`` bytes."""
    if "=" in text:
        raise MalformedError("age header: base64 has padding")
    return encoding.decode_base64(text + "=" * (-len(text) % 4), size)


def _read_version_line(source: BinaryIO) -> bytes:
    line = source.readline(MAX_VERSION_LINE)
    if line == VERSION_LINE:
        return line
    if ANY_VERSION_LINE.fullmatch(line):
        raise UnsupportedVersionError("age header: this age file is not of version 1")
    raise MalformedError("age header: not an age file")


def _read_line(source: BinaryIO, text: bytearray) -> bytes:
    """Return the next line without its line feed, and add it to ``text`` with it."""
    room = MAX_HEADER_SIZE - len(text)
    line = source.readline(room + 1)
    if len(line) > room:
        raise LimitError(f"age header: longer than {MAX_HEADER_SIZE} bytes")
    if not line.endswith(b"\n"):
        raise MalformedError("age header: truncated")
    text += line
    return line[:-1]


def _read_body(source: BinaryIO, text: bytearray) -> bytes:
    """Return the body of a stanza. Every line but the last is full; the last is shorter, perhaps empty."""
    body = bytearray()
    while True:
        line = _read_line(source, text)
        if len(line) > COLUMNS:
            raise MalformedError(f"age header: a line is longer than {COLUMNS} characters")
        body += decode_base64(line.decode("latin-1"))
        if len(line) < COLUMNS:
            return bytes(body)


def _encode_stanza(stanza: Stanza) -> bytes:
    body = encode_base64(stanza.body)
    lines = [body[start : start + COLUMNS] for start in range(0, len(body) + 1, COLUMNS)]
    return "\n".join([" ".join(["->", stanza.type, *stanza.arguments]), *lines, ""]).encode()


def _compute_mac(file_key: bytes, covered: bytes) -> bytes:
    key = HKDF(SHA256(), MAC_SIZE, salt=None, info=MAC_LABEL).derive(file_key)
    return hmac.digest(key, covered, "sha256")
