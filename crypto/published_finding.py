# SPDX-License-Identifier: AGPL-3.0-or-later
"""The file of a finding in a register, which can be verified without a network. docs/protocol.md §14.3."""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.charter import Charter, check_chain, read_charter
from crypto.document import read_document
from crypto.encoding import encode_json
from crypto.errors import AuthenticationError, MalformedError
from crypto.finding import Finding, read_finding
from crypto.ids import CharterHash
from crypto.note import NOTE_BYTES_MAX

FILE_BYTES_MAX = 32 * 1024 * 1024
CHARTERS_MAX = 1000


class OtherCommissionError(AuthenticationError):
    """The first charter is not the one expected by the reader."""


@dataclass(frozen=True)
class PublishedFinding:
    """A finding whose signatures were checked, and the commission's charters from the first to the finding's own."""

    finding: Finding
    charters: tuple[Charter, ...]

    @property
    def first_charter(self) -> Charter:
        return self.charters[0]

    @property
    def charter(self) -> Charter:
        """The charter of the finding."""
        return self.charters[-1]


def write_published_finding(note: bytes, charters: Sequence[bytes]) -> bytes:
    """Return the file of a finding's note and the notes of its commission's charters, oldest first."""
    value = {
        "version": "amparo/v1/published-finding",
        "finding": note.decode("utf-8"),
        "charters": [charter.decode("utf-8") for charter in charters],
    }
    return encode_json(value)


def read_published_finding(data: bytes, first_charter: CharterHash | None = None) -> PublishedFinding:
    """Read a file and check everything in it; ``first_charter`` is the hash of the charter 1 that the reader knows.

    Raises OtherCommissionError when charter 1 is another one, FindingSignersError when the wrong people signed the
    finding, AuthenticationError and ProofError for charters that are not signed or do not continue one another,
    MalformedError, LimitError or UnsupportedVersionError for another form. *Not* checked without ``first_charter``:
    which commission it is. Never checked: that no later revision exists.
    """
    fields = read_document(data, "published-finding", FILE_BYTES_MAX)
    note = fields.text("finding", NOTE_BYTES_MAX).encode("utf-8")
    notes = fields.texts("charters", CHARTERS_MAX, NOTE_BYTES_MAX)
    fields.end()
    charters = tuple(read_charter(text.encode("utf-8")) for text in notes)
    if not charters or charters[0].number != 1:
        raise MalformedError("the file must hold the commission's charters from the first to the finding's")
    check_chain(charters)
    if first_charter is not None and charters[0].hash != first_charter:
        raise OtherCommissionError("the commission's first charter is not the expected one")
    return PublishedFinding(read_finding(note, charters[-1]), charters)
