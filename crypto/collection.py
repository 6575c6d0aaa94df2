# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collection note: the office's signed statement that it holds a submission. docs/protocol.md §8."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto import note
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_hex, parse_day
from crypto.errors import MalformedError, ProofError, UnsupportedVersionError
from crypto.ids import SubmissionId
from crypto.note import Note, SigningKey, VerifierKey

HEADING = "amparo collection v1"
ANY_HEADING = "amparo collection v"
LINES = 5


@dataclass(frozen=True)
class Collection:
    """Which submission at which portal was collected on which day; id and hash in hex."""

    origin: str
    submission: SubmissionId
    manifest_hash: str
    collected: date

    def text(self) -> str:
        """The text of the note: five lines."""
        collected = f"collected {self.collected.isoformat()}"
        lines = (HEADING, self.origin, self.submission, self.manifest_hash, collected)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by an office key."""
        read_text(self.text())
        return note.sign(self.text(), [key])

    def check(self, *, origin: str, submission: SubmissionId, manifest_hash: str) -> None:
        """Raise ProofError unless it is about this submission at this portal."""
        if (self.origin, self.submission, self.manifest_hash) != (origin, submission, manifest_hash):
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
    lines = text.split("\n")
    if lines[0] != HEADING and lines[0].startswith(ANY_HEADING):
        raise UnsupportedVersionError("the collection note has a version that this program does not read")
    if lines[0] != HEADING or len(lines) != LINES + 1:
        raise MalformedError("not a collection note")
    _, origin, submission, manifest_hash, collected, _ = lines
    decode_hex(submission, ID_BYTES)
    decode_hex(manifest_hash, HASH_BYTES)
    if not origin or not collected.startswith("collected "):
        raise MalformedError("a collection note lacks the origin or the day")
    day = parse_day(collected.removeprefix("collected "))
    return Collection(origin, SubmissionId(submission), manifest_hash, day)
