# SPDX-License-Identifier: AGPL-3.0-or-later
"""ASCII armor of age files, for reading only: c2sp.org/age, "ASCII armor".

Strict PEM (RFC 7468, Figure 3): lines of exactly 64 characters, a last one of 1 to 64, canonical
base64 with padding, lines ended by LF or CRLF. Only white space is allowed before and after.
"""

import io
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from crypto.encoding import decode_base64
from crypto.errors import MalformedError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FIRST_LINE = b"-----BEGIN AGE ENCRYPTED FILE-----"
LAST_LINE = b"-----END AGE ENCRYPTED FILE-----"
WHITE_SPACE = b" \t\r\n"
COLUMNS = 64
BYTES_PER_LINE = 48
LINES_PER_READ = 1024
MAX_WHITE_SPACE = 1024
# Room for a line and the white space around it: a file without line ends must not be read as one line.
MAX_LINE = MAX_WHITE_SPACE + COLUMNS


def read_armor(source: BinaryIO) -> BinaryIO:
    """Return a file with the bytes inside the armor, decoded in constant memory.

    Its reads raise MalformedError where the armor is broken, and at the end if anything follows the armor.
    """
    return io.BufferedReader(_ArmorReader(source))


class _ArmorReader(io.RawIOBase):
    def __init__(self, source: BinaryIO) -> None:
        self._lines = _decode_lines(source)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = b"".join(islice(self._lines, LINES_PER_READ))
        data, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(data)] = data
        return len(data)


def _decode_lines(source: BinaryIO) -> Iterator[bytes]:
    _skip_to_first_line(source)
    full = True
    while (line := source.readline(MAX_LINE)).rstrip(WHITE_SPACE) != LAST_LINE:
        if not full:
            raise MalformedError("age armor: the end line was expected after a short line")
        data = _decode_line(line)
        full = len(data) == BYTES_PER_LINE
        yield data
    rest = source.read(MAX_WHITE_SPACE + 1)
    if len(rest) > MAX_WHITE_SPACE or rest.strip(WHITE_SPACE):
        raise MalformedError("age armor: there are bytes after the end line")


def _skip_to_first_line(source: BinaryIO) -> None:
    skipped = 0
    while not (line := source.readline(MAX_LINE)).strip(WHITE_SPACE):
        skipped += len(line)
        if not line or skipped > MAX_WHITE_SPACE:
            raise MalformedError("age armor: no first line was found")
    if _without_line_end(line).lstrip(WHITE_SPACE) != FIRST_LINE:
        raise MalformedError("age armor: the first line is not BEGIN AGE ENCRYPTED FILE")


def _decode_line(line: bytes) -> bytes:
    text = _without_line_end(line)
    # At the end of the source the line is empty, which catches armor without an end line.
    if not 0 < len(text) <= COLUMNS:
        raise MalformedError(f"age armor: the end line is missing, or a line is empty or over {COLUMNS} characters")
    return decode_base64(text.decode("latin-1"))


def _without_line_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")
