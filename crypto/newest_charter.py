# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newest-charter note: the office's signed statement which charter is the newest on a day. docs/protocol.md §4.2.

Without it, a portal could give a reporter an old charter within its dates, and nobody would know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto import note
from crypto.encoding import HASH_BYTES, decode_hex, parse_day
from crypto.errors import MalformedError
from crypto.ids import CharterHash
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import after, number, read_lines, split, write_lines

NAME = "newest charter"
LINES = 4


@dataclass(frozen=True)
class NewestCharter:
    """``number`` and ``charter`` (hash) of the newest charter of the commission ``slug`` on ``day``."""

    realm: str
    slug: str
    number: int
    charter: CharterHash
    day: date

    def text(self) -> str:
        """The text of the note: five lines."""
        return write_lines(NAME, (self.realm, self.slug, f"{self.number} {self.charter}", f"on {self.day.isoformat()}"))

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by an office key of that charter."""
        read_text(self.text())
        return note.sign(self.text(), [key])


def read_newest_charter(data: bytes, office: Sequence[VerifierKey]) -> NewestCharter:
    """Read a note that one of the office keys signed. Raises as ``crypto.collection.read_collection``.

    *Not* checked: that the keys are of the charter that it names, and that it is this commission's.
    """
    parsed = Note.parse(data)
    note.verify(parsed, office)
    return read_text(parsed.text)


def read_text(text: str) -> NewestCharter:
    """Read the text of a note, whose signature is not looked at. Raises as ``read_newest_charter``."""
    realm, slug, charter, day = read_lines(text, NAME, LINES)
    digits, charter_hash = split(charter, 2)
    decode_hex(charter_hash, HASH_BYTES)
    newest = NewestCharter(realm, slug, number(digits), CharterHash(charter_hash), parse_day(after(day, "on")))
    if not slug or newest.text() != text:
        raise MalformedError("the newest-charter note is not in its only allowed form")
    return newest
