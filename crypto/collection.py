# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collection note: the office's signed statement that it holds a submission. docs/protocol.md §8."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto import note
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_hex, parse_day
from crypto.errors import ProofError
from crypto.ids import SubmissionId
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import after, read_lines, write_lines

NAME = "collection"
LINES = 4


@dataclass(frozen=True)
class Collection:
    """Which submission at which portal was collected on which day; realm, id and hash in hex."""

    realm: str
    submission: SubmissionId
    manifest_hash: str
    collected: date

    def text(self) -> str:
        """The text of the note: five lines."""
        return write_lines(
            NAME, (self.realm, self.submission, self.manifest_hash, f"collected {self.collected.isoformat()}")
        )

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by an office key."""
        read_text(self.text())
        return note.sign(self.text(), [key])

    def check(self, *, realm: str, submission: SubmissionId, manifest_hash: str) -> None:
        """Raise ProofError unless it is about this submission at this portal."""
        if (self.realm, self.submission, self.manifest_hash) != (realm, submission, manifest_hash):
            raise ProofError("the collection note is for another submission")


def read_collection(data: bytes, office: Sequence[VerifierKey]) -> Collection:
    """Read a note that one of the office keys signed.

    Raises AuthenticationError unless one did, MalformedError or LimitError for another form, UnsupportedVersionError
    for another version. *Not* checked: which submission it names (``Collection.check``).
    """
    parsed = Note.parse(data)
    note.verify(parsed, office)
    return read_text(parsed.text)


def read_text(text: str) -> Collection:
    """Read the text of a collection note whose signature was verified. Raises as ``read_collection``."""
    realm, submission, manifest_hash, collected = read_lines(text, NAME, LINES)
    decode_hex(submission, ID_BYTES)
    decode_hex(manifest_hash, HASH_BYTES)
    return Collection(realm, SubmissionId(submission), manifest_hash, parse_day(after(collected, "collected")))
