# SPDX-License-Identifier: AGPL-3.0-or-later
"""The types of events, each with its public part and the kind of its sealed part. docs/protocol.md §13.2."""

# The defaults of the fields are calls that make `dataclasses.field`, which the linter can't see.
# ruff: noqa: RUF009

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from crypto import event_fields as read
from crypto.charter import LABEL
from crypto.errors import UnsupportedVersionError
from crypto.event_fields import CODE, Part
from crypto.grant import GENERATION_MAX
from crypto.ids import EventHash, FindingId, MemberLabel, MessageId, SubmissionId, TextHash
from crypto.sealed_parts import Keys, Party, Renewal, Text
from crypto.taxonomy import CASE_PREFIX, OUTCOMES, PURPOSES

REVISION_MAX = 100_000
NUMBER = CASE_PREFIX + r"[0-9]{4}-[0-9]{4,7}"
PUBLIC_ID = r"[A-Za-z0-9][A-Za-z0-9:._-]{0,79}"


class Public(Part):
    """The public part of an event. ``sealed`` is the kind of its sealed part, None where it can't have one."""

    kind: ClassVar[str]
    sealed: ClassVar[type[Part] | None] = None
    must_seal: ClassVar[bool] = False


@dataclass(frozen=True)
class Opened(Public):
    """A case begins with these reports; the member who opens it is its first holder and declares no conflict."""

    kind = "opened"
    sealed: ClassVar[type[Part] | None] = Keys
    must_seal = True
    number: str = read.text(NUMBER)
    policy: str = read.text(CODE)
    received: date = read.day()
    reports: tuple[SubmissionId, ...] = read.identifiers(1)
    generation: int = read.integer(1, 1)
    recipient: str = read.recipient()
    grant_sha256: str = read.digest()
    holders: tuple[MemberLabel, ...] = read.labels()


@dataclass(frozen=True)
class ReportAdded(Public):
    """A further report belongs to the case."""

    kind = "report-added"
    sealed: ClassVar[type[Part] | None] = Keys
    must_seal = True
    report: SubmissionId = read.identifier()
    received: date = read.day()


@dataclass(frozen=True)
class Declared(Public):
    """A member says whether they have a conflict, and which reports the reporters let them read (``granted``)."""

    kind = "declared"
    sealed: ClassVar[type[Part] | None] = Text
    conflict: bool = read.boolean()
    granted: tuple[SubmissionId, ...] = read.identifiers(0)


@dataclass(frozen=True)
class Assigned(Public):
    """A member gets the case's current identity, by a new grant to all ``holders``."""

    kind = "assigned"
    member: MemberLabel = read.text(LABEL)
    grant_sha256: str = read.digest()
    holders: tuple[MemberLabel, ...] = read.labels()


@dataclass(frozen=True)
class Renewed(Public):
    """A holder has left: the case has a new identity, granted to the remaining holders."""

    sealed: ClassVar[type[Part] | None] = Renewal
    must_seal = True
    member: MemberLabel = read.text(LABEL)
    generation: int = read.integer(2, GENERATION_MAX)
    recipient: str = read.recipient()
    grant_sha256: str = read.digest()
    holders: tuple[MemberLabel, ...] = read.labels()


@dataclass(frozen=True)
class Recused(Renewed):
    """A member may never act in this case again."""

    kind = "recused"


@dataclass(frozen=True)
class Left(Renewed):
    """A member leaves the case without a conflict."""

    kind = "left"


@dataclass(frozen=True)
class StateChange(Public):
    """From one state to another, on a ground where the table requires one."""

    sealed: ClassVar[type[Part] | None] = Text
    from_state: str = read.state("from")
    to_state: str = read.state("to")
    ground: str | None = read.ground()


@dataclass(frozen=True)
class Moved(StateChange):
    """A move that takes effect at once."""

    kind = "moved"


@dataclass(frozen=True)
class Proposed(StateChange):
    """A move that takes effect when another member approves it."""

    kind = "proposed"
    must_seal = True


@dataclass(frozen=True)
class Subject(Public):
    """About another event, named by its hash."""

    sealed: ClassVar[type[Part] | None] = Text
    subject: EventHash = read.digest()


@dataclass(frozen=True)
class Approved(Subject):
    """The second member's approval: a signature over the hash of the event that the first one signed."""

    kind = "approved"


@dataclass(frozen=True)
class Returned(Subject):
    """A proposal is refused."""

    kind = "returned"
    must_seal = True


@dataclass(frozen=True)
class Waived(Subject):
    """An obstacle is to be set aside, with reasons; takes effect when another member approves it."""

    kind = "waived"
    must_seal = True


@dataclass(frozen=True)
class Noted(Public):
    """A note for those who work on the case."""

    kind = "noted"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True


@dataclass(frozen=True)
class PartyAdded(Public):
    """A person or body that the case is about."""

    kind = "party-added"
    sealed: ClassVar[type[Part] | None] = Party
    must_seal = True


@dataclass(frozen=True)
class ClockExtended(Public):
    """A clock gets a later end, with reasons."""

    kind = "clock-extended"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True
    clock: str = read.text(CODE)
    due: date = read.day()


@dataclass(frozen=True)
class Replied(Public):
    """A message went to the reporter of one of the reports."""

    kind = "replied"
    report: SubmissionId = read.identifier()
    message: MessageId = read.identifier()
    purpose: str = read.choice(PURPOSES)


@dataclass(frozen=True)
class Drafted(Public):
    """A revision of the finding; the text is sealed."""

    kind = "drafted"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True
    revision: int = read.integer(1, REVISION_MAX)
    text_sha256: TextHash = read.digest()


@dataclass(frozen=True)
class Signed(Public):
    """A member's signature (64 bytes, base64) of the finding's note with this text."""

    kind = "signed"
    text_sha256: TextHash = read.digest()
    signature: str = read.signature()


@dataclass(frozen=True)
class Checked(Public):
    """The outgoing check of a text, with the SHA-256 of its report."""

    kind = "checked"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True
    text_sha256: TextHash = read.digest()
    outcome: str = read.choice(OUTCOMES)
    report_sha256: str = read.digest()


@dataclass(frozen=True)
class Publication(Public):
    """The portal accepted a finding: its public id, the hash of its note, its revision."""

    finding: FindingId = read.text(PUBLIC_ID)
    note_sha256: TextHash = read.digest()
    revision: int = read.integer(1, REVISION_MAX)


@dataclass(frozen=True)
class Published(Publication):
    """The first publication."""

    kind = "published"


@dataclass(frozen=True)
class Corrected(Publication):
    """A later revision is published beside the one before."""

    kind = "corrected"


@dataclass(frozen=True)
class Withdrawn(Public):
    """A tombstone replaces the finding."""

    kind = "withdrawn"
    finding: FindingId = read.text(PUBLIC_ID)
    note_sha256: TextHash = read.digest()


@dataclass(frozen=True)
class RecommendationStatus(Public):
    """What became of a recommendation."""

    kind = "recommendation-status"
    sealed: ClassVar[type[Part] | None] = Text
    recommendation: str = read.text(PUBLIC_ID)
    status: str = read.text(CODE)


_PUBLIC: tuple[type[Public], ...] = (
    Opened,
    ReportAdded,
    Declared,
    Assigned,
    Recused,
    Left,
    Moved,
    Proposed,
    Approved,
    Returned,
    Waived,
    Noted,
    PartyAdded,
    ClockExtended,
    Replied,
    Drafted,
    Signed,
    Checked,
    Published,
    Corrected,
    Withdrawn,
    RecommendationStatus,
)
TYPES: Mapping[str, type[Public]] = {kind.kind: kind for kind in _PUBLIC}


def public_kind(type_code: str) -> type[Public]:
    """Return the kind of public part of this event type; UnsupportedVersionError for an unknown type."""
    kind = TYPES.get(type_code)
    if kind is None:
        raise UnsupportedVersionError("the event has a type that this program does not read")
    return kind
