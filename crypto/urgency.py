# SPDX-License-Identifier: AGPL-3.0-or-later
"""How urgent a report is, sealed to the office's own key: the one thing that is read before a member opens anything.

Every submission has this file, urgent or not, and all under one charter have one size: the portal learns nothing. It
holds the level and nothing else, for an office's disk with its start identity could be stolen. docs/protocol.md §5.5.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from crypto.age import PqIdentity, seal
from crypto.charter import Charter
from crypto.document import read_document
from crypto.encoding import ID_BYTES, encode_json
from crypto.errors import AuthenticationError, MalformedError
from crypto.ids import SubmissionId
from crypto.manifest import URGENCY_SEALED_MAX
from crypto.padding import URGENCY_SIZE, fixed_content_max, pad_document, unpad_document
from crypto.sealed_document import open_strictly
from crypto.taxonomy import URGENCY_NOW, URGENCY_SOON

UrgencyLevel = Literal["now", "soon", "none"]
LEVELS: tuple[UrgencyLevel, ...] = get_args(UrgencyLevel)
URGENCY_MAX = fixed_content_max(URGENCY_SIZE)


def level_of(codes: Iterable[object]) -> UrgencyLevel:
    """The level of what a reporter ticked: that of the most urgent code. Other answers among them count for nothing."""
    ticked = {code for code in codes if isinstance(code, str)}
    if not ticked.isdisjoint(URGENCY_NOW):
        return "now"
    return "none" if ticked.isdisjoint(URGENCY_SOON) else "soon"


def encode_urgency(level: UrgencyLevel, submission: SubmissionId) -> bytes:
    """Return canonical JSON. The submission stands in it, so that it serves for no other one."""
    return encode_json({"version": "amparo/v1/urgency", "submission": submission, "level": level})


def read_urgency(data: bytes, submission: SubmissionId) -> UrgencyLevel:
    """Read the JSON inside the padding.

    Raises LimitError, MalformedError, UnsupportedVersionError, and AuthenticationError for that of another submission.
    """
    fields = read_document(data, "urgency", URGENCY_MAX)
    found, level = fields.hex("submission", ID_BYTES), fields.text("level", 16)
    fields.end()
    for known in LEVELS:
        if level == known:
            if found != submission:
                raise AuthenticationError("the urgency is that of another submission")
            return known
    raise MalformedError("the urgency has a level that does not exist")


def seal_urgency(level: UrgencyLevel, submission: SubmissionId, charter: Charter) -> bytes:
    """Seal ``urgency.age`` to the charter's offices alone, in the charter's order; 256 bytes before it is sealed."""
    return seal(pad_document(encode_urgency(level, submission), URGENCY_SIZE), charter.urgency)


def open_urgency(sealed: bytes, identity: PqIdentity, submission: SubmissionId) -> UrgencyLevel:
    """Open and read ``urgency.age``.

    Raises NotARecipientError when it is sealed to others, and the errors of ``read_urgency`` and
    ``crypto.sealed_document.open_strictly``.
    """
    padded = open_strictly(sealed, [identity], URGENCY_SEALED_MAX)
    return read_urgency(unpad_document(padded, URGENCY_SIZE, URGENCY_MAX), submission)
