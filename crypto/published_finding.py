# SPDX-License-Identifier: AGPL-3.0-or-later
"""The file in which a register offers a finding: with it, whoever knows a commission can check it without any network.
docs/protocol.md §14.3."""

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
    """The first charter is not the one that the reader knows."""


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
        """The charter that the finding was made under."""
        return self.charters[-1]


def write_published_finding(note: bytes, charters: Sequence[bytes]) -> bytes:
    """The file for a finding's note and the notes of its commission's charters, the first one first."""
    value = {
        "version": "amparo/v1/published-finding",
        "finding": note.decode("utf-8"),
        "charters": [charter.decode("utf-8") for charter in charters],
    }
    return encode_json(value)


def read_published_finding(data: bytes, first_charter: CharterHash | None = None) -> PublishedFinding:
    """Read a file and check everything in it; ``first_charter`` is the hash of the charter 1 that the reader knows.

    Raises OtherCommissionError when that is another one, FindingSignersError when the wrong people signed the finding,
    AuthenticationError and ProofError for charters that are not signed or do not follow one another, MalformedError,
    LimitError or UnsupportedVersionError for another form. *Not* checked without ``first_charter``: that the commission
    is the one which it says it is. Never checked: that no later revision exists.
    """
    fields = read_document(data, "published-finding", FILE_BYTES_MAX)
    note = fields.text("finding", NOTE_BYTES_MAX).encode("utf-8")
    notes = fields.texts("charters", CHARTERS_MAX, NOTE_BYTES_MAX)
    fields.end()
    charters = tuple(read_charter(text.encode("utf-8")) for text in notes)
    if not charters or charters[0].number != 1:
        raise MalformedError("the file does not hold the commission's charters from the first one on")
    check_chain(charters)
    if first_charter is not None and charters[0].hash != first_charter:
        raise OtherCommissionError("the commission's first charter is not the one that was asked for")
    return PublishedFinding(read_finding(note, charters[-1]), charters)
