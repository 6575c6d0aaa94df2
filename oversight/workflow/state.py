# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a case's ledger amounts to after some event: plain values, all of them from public parts."""

from dataclasses import dataclass, replace
from datetime import date

from crypto.charter import Member
from crypto.event import Head
from crypto.ids import EventHash, FindingId, MemberLabel, SubmissionId, TextHash
from crypto.person_name import same_person
from oversight.workflow.clocks import Clock


@dataclass(frozen=True)
class Declaration:
    """A member's last word on conflicts. ``granted`` are the reports that the reporters let the member read."""

    member: MemberLabel
    hash: EventHash
    conflict: bool
    granted: tuple[SubmissionId, ...]


@dataclass(frozen=True)
class Proposal:
    """Something that takes effect with a second signature over ``hash``. A waiver has no states but a ``subject``."""

    hash: EventHash
    type: str
    author: MemberLabel
    from_state: str | None = None
    to_state: str | None = None
    ground: str | None = None
    subject: EventHash | None = None
    approver: MemberLabel | None = None


@dataclass(frozen=True)
class Check:
    """The last outgoing check of the finding's present text; ``hash`` is its event's."""

    hash: EventHash
    outcome: str


@dataclass(frozen=True)
class FindingState:
    """The present revision of the finding. A new revision has no signatures and no check."""

    revision: int
    text_sha256: TextHash
    author: MemberLabel
    signers: tuple[MemberLabel, ...] = ()
    chairs: tuple[MemberLabel, ...] = ()
    """Those of the signers who signed as a chair."""
    check: Check | None = None


@dataclass(frozen=True)
class PublishedState:
    """The finding in the register."""

    finding: FindingId
    note_sha256: TextHash
    revision: int
    corrections: int = 0
    withdrawn: bool = False


@dataclass(frozen=True)
class CaseState:
    """A case as its ledger says it is, after the event at ``head``."""

    head: Head
    number: str
    policy: str
    opened: date
    received: date
    reports: tuple[SubmissionId, ...]
    state: str
    since: date
    generation: int
    recipient: str
    grant_sha256: str
    holders: tuple[MemberLabel, ...]
    declarations: tuple[Declaration, ...]
    recused: tuple[MemberLabel, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    decided: Proposal | None = None
    waived: tuple[EventHash, ...] = ()
    clocks: tuple[Clock, ...] = ()
    notes: int = 0
    parties: int = 0
    replies: int = 0
    finding: FindingState | None = None
    published: PublishedState | None = None
    recommendations: tuple[tuple[str, str], ...] = ()
    people: tuple[tuple[MemberLabel, str], ...] = ()
    """Whoever has acted: the label, and the name in the charter of that moment."""

    def with_actor(self, member: Member) -> "CaseState":
        """The state when this member acts."""
        entry = (member.label, member.name)
        return self if entry in self.people else replace(self, people=(*self.people, entry))

    def is_one_person(self, one: MemberLabel, other: MemberLabel) -> bool:
        """Whether two labels are one person's: by the names of those who have acted here, now or before."""
        if one == other:
            return True
        names, others = ([name for label, name in self.people if label == each] for each in (one, other))
        return any(same_person(name, another) for name in names for another in others)

    def is_recused(self, member: MemberLabel) -> bool:
        """Whether the member was recused, by this label or by another one."""
        return any(self.is_one_person(label, member) for label in self.recused)

    def declaration(self, member: MemberLabel) -> Declaration | None:
        return next((entry for entry in self.declarations if entry.member == member), None)

    def lacks_grant(self, entry: Declaration) -> bool:
        """Whether a reporter kept a report of this case from the member, or sealed it before the member joined."""
        return not set(self.reports) <= set(entry.granted)

    def in_conflict(self, member: MemberLabel) -> bool:
        """Whether the member has declared a conflict, by this label or by another one."""
        return any(entry.conflict and self.is_one_person(entry.member, member) for entry in self.declarations)

    @property
    def proposed_transition(self) -> Proposal | None:
        """The transition that waits for a second signature; there is one at most."""
        return next((proposal for proposal in self.proposals if proposal.to_state is not None), None)

    def proposal(self, event_hash: EventHash) -> Proposal | None:
        return next((proposal for proposal in self.proposals if proposal.hash == event_hash), None)
