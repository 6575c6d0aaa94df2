# SPDX-License-Identifier: AGPL-3.0-or-later
"""The publication receipt: the portal's signed statement that it took a finding into its register.

docs/protocol.md §14.4. By it a portal that was restored from a backup takes the same text once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto import note
from crypto.encoding import HASH_BYTES, decode_hex
from crypto.finding import parse_finding_id
from crypto.ids import FindingId, TextHash
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import number, read_lines, split, write_lines

NAME = "publication"
LINES = 3


@dataclass(frozen=True)
class Publication:
    """Which revision of which finding was taken; realm and the hash of its text in hex."""

    realm: str
    finding: FindingId
    revision: int
    hash: TextHash

    def text(self) -> str:
        """The text of the note: four lines."""
        return write_lines(NAME, (self.realm, self.finding, f"{self.revision} {self.hash}"))

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by the portal's key."""
        read_text(self.text())
        return note.sign(self.text(), [key])


def read_publication(data: bytes, portal: Sequence[VerifierKey]) -> Publication:
    """Read a note that the portal signed, by one of its keys. Raises as ``crypto.collection.read_collection``."""
    parsed = Note.parse(data)
    note.verify(parsed, portal)
    return read_text(parsed.text)


def read_text(text: str) -> Publication:
    """Read the text of a receipt whose signature was verified. Raises as ``read_publication``."""
    realm, finding, taken = read_lines(text, NAME, LINES)
    parse_finding_id(finding)
    revision, text_hash = split(taken, 2)
    decode_hex(text_hash, HASH_BYTES)
    return Publication(realm, FindingId(finding), number(revision), TextHash(text_hash))
