# SPDX-License-Identifier: AGPL-3.0-or-later
"""Statements: signed notes of a few lines that programs sign and read. docs/protocol.md §4.1.

Each begins with ``amparo <name> v1`` and the portal's realm. There is one spelling of a given content: whoever reads
one writes it again and compares.
"""

from collections.abc import Sequence

from crypto.encoding import ID_BYTES, decode_hex
from crypto.errors import MalformedError, UnsupportedVersionError

NUMBER_MAX = 1_000_000
NUMBER_DIGITS = 7


def heading(name: str) -> str:
    """The first line of a statement of this name."""
    return f"amparo {name} v1"


def write_lines(name: str, lines: Sequence[str]) -> str:
    """The text of a statement: its heading and these lines."""
    return "".join(f"{line}\n" for line in (heading(name), *lines))


def read_lines(text: str, name: str, count: int | None = None) -> list[str]:
    """The lines after the heading, ``count`` of them; the first is the realm, 16 bytes in hex.

    Raises UnsupportedVersionError for another version of this statement, MalformedError for anything else.
    """
    first, *lines = text.split("\n")
    if first != heading(name) and first.startswith(heading(name)[:-1]):
        raise UnsupportedVersionError(f"{name}: a version that this program does not read")
    if first != heading(name) or not lines or lines.pop() != "":
        raise MalformedError(f"not a statement of the kind {name!r}")
    if not lines or (count is not None and len(lines) != count):
        raise MalformedError(f"{name}: the wrong number of lines")
    decode_hex(lines[0], ID_BYTES)
    return lines


def after(line: str, word: str) -> str:
    """What follows ``word`` and a space. Raises MalformedError for a line that begins otherwise."""
    if not line.startswith(f"{word} "):
        raise MalformedError(f"a statement lacks its line {word!r}")
    return line.removeprefix(f"{word} ")


def split(line: str, count: int) -> list[str]:
    """The words of a line. Raises MalformedError unless there are ``count``, divided by single spaces."""
    words = line.split(" ")
    if len(words) != count or not all(words):
        raise MalformedError("a line of a statement has the wrong number of words")
    return words


def number(text: str, low: int = 1) -> int:
    """A decimal number without leading zeros, from ``low`` to 1,000,000. Raises MalformedError."""
    if not text.isascii() or not text.isdecimal() or len(text) > NUMBER_DIGITS or text != str(int(text)):
        raise MalformedError("a number in a statement is not in its only allowed form")
    if not low <= int(text) <= NUMBER_MAX:
        raise MalformedError(f"a number in a statement is not between {low} and {NUMBER_MAX}")
    return int(text)
