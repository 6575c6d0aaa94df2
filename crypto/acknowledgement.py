# SPDX-License-Identifier: AGPL-3.0-or-later
"""The acknowledgement: the portal's signed statement that it received a submission. docs/protocol.md §7.2, §12."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from crypto import note
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_hex, parse_day
from crypto.errors import MalformedError, ProofError
from crypto.ids import SubmissionId
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import after, read_lines, write_lines

NAME = "acknowledgement"
NOT_LOGGED = "not-logged"
LOGGED_BEFORE = "logged-before "
LINES = 6
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Acknowledgement:
    """Realm, ids and hashes in hex. ``logged_before`` is ``None`` on a portal that keeps no transparency log."""

    realm: str
    submission: SubmissionId
    manifest_hash: str
    commitment: str
    received: date
    logged_before: datetime | None = None

    def text(self) -> str:
        """The text of the note: seven lines."""
        logged = NOT_LOGGED if self.logged_before is None else self.logged_before.strftime(LOGGED_BEFORE + _TIME)
        received = f"received {self.received.isoformat()}"
        lines = (self.realm, self.submission, self.manifest_hash, self.commitment, received, logged)
        return write_lines(NAME, lines)

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by the portal's key."""
        text = self.text()
        read_text(text)
        return note.sign(text, [key])

    def check(self, *, realm: str, submission: SubmissionId, manifest_hash: str, commitment: str | None = None) -> None:
        """Raise ProofError unless it acknowledges this submission at this portal; any commitment will do for None."""
        if (self.realm, self.submission) != (realm, submission):
            raise ProofError("the acknowledgement is for another submission")
        if self.manifest_hash != manifest_hash or commitment not in (None, self.commitment):
            raise ProofError("an acknowledgement is for other bytes than were sent")


def read_acknowledgement(data: bytes, portal: Sequence[VerifierKey]) -> Acknowledgement:
    """Read a note that the portal signed, by one of its keys.

    Raises AuthenticationError unless the portal signed it, MalformedError or LimitError for another form,
    UnsupportedVersionError for another version. *Not* checked: what it acknowledges (``Acknowledgement.check``).
    """
    parsed = Note.parse(data)
    note.verify(parsed, portal)
    return read_text(parsed.text)


def read_text(text: str) -> Acknowledgement:
    """Read the text of an acknowledgement whose signature was verified. Raises as ``read_acknowledgement``."""
    realm, submission, manifest_hash, commitment, received, logged = read_lines(text, NAME, LINES)
    decode_hex(submission, ID_BYTES)
    decode_hex(manifest_hash, HASH_BYTES)
    decode_hex(commitment, HASH_BYTES)
    day = parse_day(after(received, "received"))
    acknowledgement = Acknowledgement(
        realm, SubmissionId(submission), manifest_hash, commitment, day, _read_logged(logged)
    )
    if acknowledgement.text() != text:
        raise MalformedError("the acknowledgement is not in its only allowed form")
    return acknowledgement


def _read_logged(line: str) -> datetime | None:
    if line == NOT_LOGGED:
        return None
    try:
        return datetime.strptime(line, LOGGED_BEFORE + _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise MalformedError("the acknowledgement does not say whether it was logged") from None
