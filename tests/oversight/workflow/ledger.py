# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case in memory: signed events and the state they amount to, without a database.

Events are signed and read back as the office does it; their sealed parts are all the same, for the rules open none.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from crypto.age import PqIdentity
from crypto.charter import Charter, Member, make_charter, read_charter
from crypto.event import Event, SignedEvent, read_event, seal_part, sign_event
from crypto.event_types import (
    Approved,
    Assigned,
    Checked,
    Declared,
    Drafted,
    Left,
    Moved,
    Opened,
    Proposed,
    Public,
    Published,
    Recused,
    Returned,
    Signed,
    Waived,
)
from crypto.note import sign
from crypto.sealed_parts import Text
from oversight.workflow.projection import apply_event
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState
from tests.people import NOW, World, found_test_commission

CASE = "ca" * 16
EU = "eu-2019-1937"
SIGNATURE = "A" * 86 + "=="


@cache
def founded() -> World:
    return found_test_commission()


def digest(name: str) -> str:
    """A SHA-256 as hexadecimal digits, another one for each name."""
    return hashlib.sha256(name.encode()).hexdigest()


def report_id(number: int) -> str:
    return f"{number:032x}"


@cache
def recipient(generation: int) -> str:
    """The recipient of a case's identity of this generation."""
    return str(PqIdentity.from_seed(hashlib.sha256(f"generation {generation}".encode()).digest()).recipient())


@cache
def _sealed() -> bytes:
    return seal_part(Text("A part."), CASE, 0, founded().reserve_identity.recipient())


def charter_after(previous: Charter, roles: Mapping[str, tuple[str, ...]]) -> Charter:
    """The next charter: these members with other roles, and without those who get none."""
    members = tuple(
        replace(member, roles=roles.get(member.label, member.roles))
        for member in previous.members
        if roles.get(member.label, member.roles)
    )
    draft = replace(previous, number=previous.number + 1, previous=previous.hash, members=members)
    return read_charter(sign(make_charter(draft), [person.signing_key for person in founded().governors]).encode())


@dataclass
class Ledger:
    """A case and its end. Each event comes a second after the one before; ``forward`` lets days pass."""

    charter: Charter = field(default_factory=lambda: founded().charter)
    now: datetime = NOW
    events: list[SignedEvent] = field(default_factory=list)
    _state: CaseState | None = None

    @property
    def state(self) -> CaseState:
        assert self._state is not None
        return self._state

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def last(self) -> str:
        """The hash of the last event."""
        return self.events[-1].hash

    @property
    def members(self) -> Mapping[str, Member]:
        return {member.label: member for member in self.charter.members_on(self.today)}

    def forward(self, days: int) -> None:
        self.now += timedelta(days=days)

    def change_roles(self, **roles: tuple[str, ...]) -> None:
        """A new charter: other roles for these members; who gets none is a member no more."""
        self.charter = charter_after(self.charter, roles)

    def sign(self, actor: str, public: Public, *, sealed: bool | None = None) -> SignedEvent:
        """The next event, signed and read back; with a sealed part where its type must have one, unless told."""
        head = None if self._state is None else self._state.head
        self.now += timedelta(seconds=1)
        event = Event(
            case=CASE,
            sequence=0 if head is None else head.sequence + 1,
            previous=None if head is None else head.hash,
            actor=actor,
            charter=self.charter.hash,
            time=self.now.astimezone(UTC),
            public=public,
            sealed=_sealed() if (public.must_seal if sealed is None else sealed) else None,
        )
        note = sign_event(event, founded()[actor].signing_key)
        return read_event(note.encode(), {self.charter.hash: self.charter})

    def append(self, actor: str, public: Public, *, sealed: bool | None = None) -> CaseState:
        """The state after an event by ``actor``. RuleError when it may not be; nothing has changed then."""
        event = self.sign(actor, public, sealed=sealed)
        self._state = apply_event(self._state, event, self.charter)
        self.events.append(event)
        return self._state

    def refusal(self, actor: str, public: Public, *, sealed: bool | None = None) -> str:
        """The code with which the rules refuse this event."""
        with pytest.raises(RuleError) as refused:
            self.append(actor, public, sealed=sealed)
        return refused.value.code

    # --- who holds it ------------------------------------------------------------------------------------------------

    def open(self, actor: str = "amina", policy: str = EU, received: date | None = None) -> CaseState:
        """A case of one report, which ``actor`` holds."""
        return self.append(actor, opened(actor, received or self.today, policy=policy))

    def declare(self, actor: str, *, conflict: bool = False, granted: tuple[str, ...] | None = None) -> CaseState:
        return self.append(actor, Declared(conflict, self.state.reports if granted is None else granted))

    def assigned(self, member: str) -> Assigned:
        """The event that brings this member in."""
        return Assigned(member, digest(f"grant to {member}"), (*self.state.holders, member))

    def bring_in(self, *members: str, by: str = "amina") -> CaseState:
        for member in members:
            self.declare(member)
            self.append(by, self.assigned(member))
        return self.state

    def renewed(self, kind: type[Recused | Left], member: str) -> Recused | Left:
        """The event that shuts this member out."""
        generation = self.state.generation + 1
        staying = tuple(label for label in self.state.holders if label != member and label in self.members)
        return kind(member, generation, recipient(generation), digest(f"grant without {member}"), staying)

    # --- from state to state -----------------------------------------------------------------------------------------

    def moved(self, to_state: str, ground: str | None = None) -> Moved:
        return Moved(self.state.state, to_state, ground)

    def move(self, actor: str, to_state: str, ground: str | None = None) -> CaseState:
        return self.append(actor, self.moved(to_state, ground))

    def proposed(self, to_state: str, ground: str | None = None) -> Proposed:
        return Proposed(self.state.state, to_state, ground)

    def propose(self, actor: str, to_state: str, ground: str | None = None) -> str:
        """The hash of the proposal."""
        self.append(actor, self.proposed(to_state, ground))
        return self.last

    def decide(self, by: str, to_state: str, ground: str | None = None, approver: str = "chiara") -> CaseState:
        return self.append(approver, Approved(self.propose(by, to_state, ground)))

    def waive(self, by: str, subject: str, approver: str = "chiara") -> CaseState:
        self.append(by, Waived(subject))
        return self.append(approver, Approved(self.last))

    def send_back(self, actor: str, subject: str) -> CaseState:
        return self.append(actor, Returned(subject))

    # --- the finding -------------------------------------------------------------------------------------------------

    def draft(self, actor: str = "bruno") -> CaseState:
        """The next revision, whose text is another one each time."""
        revision = 1 if self.state.finding is None else self.state.finding.revision + 1
        return self.append(actor, Drafted(revision, text_of(revision)))

    def put_names(self, *actors: str) -> CaseState:
        """These members sign the present text."""
        for actor in actors:
            self.append(actor, Signed(self.text, SIGNATURE))
        return self.state

    def checked(self, outcome: str) -> Checked:
        return Checked(self.text, outcome, digest("report of the check"))

    def publish(self, finding: str = "F-1") -> CaseState:
        """Checked, decided and taken in by the portal."""
        self.append("elif", self.checked("pass"))
        self.decide("elif", "PUBLISHED")
        assert self.state.finding is not None
        return self.append("elif", Published(finding, self.text, self.state.finding.revision))

    @property
    def text(self) -> str:
        """The SHA-256 of the present text."""
        assert self.state.finding is not None
        return self.state.finding.text_sha256


def text_of(revision: int) -> str:
    return digest(f"text {revision}")


def opened(actor: str, received: date, *, policy: str = EU, holders: tuple[str, ...] = ()) -> Opened:
    return Opened(
        number="C-2026-0001",
        policy=policy,
        received=received,
        reports=(report_id(1),),
        generation=1,
        recipient=recipient(1),
        grant_sha256=digest("first grant"),
        holders=holders or (actor,),
    )


# The main line, from one stop to the next; each takes a case at the stop before.
_LINE: Mapping[str, Callable[[Ledger], object]] = {
    "RECEIVED": lambda _ledger: None,
    "ACKNOWLEDGED": lambda ledger: ledger.move("amina", "ACKNOWLEDGED", "sent"),
    "TRIAGE": lambda ledger: ledger.move("amina", "TRIAGE"),
    "CONFLICT_CHECK": lambda ledger: ledger.move("amina", "CONFLICT_CHECK"),
    "ASSIGNED": lambda ledger: ledger.decide("amina", "ASSIGNED"),
    "ADMITTED": lambda ledger: ledger.decide("bruno", "ADMITTED"),
    "INVESTIGATING": lambda ledger: ledger.move("bruno", "INVESTIGATING"),
    "FINDING_DRAFT": lambda ledger: (ledger.move("bruno", "FINDING_DRAFT"), ledger.draft()),
    "ADOPTED": lambda ledger: (ledger.put_names("elif", "chiara"), ledger.decide("bruno", "ADOPTED")),
    "PUBLISHED": lambda ledger: ledger.publish(),
    "FOLLOW_UP": lambda ledger: ledger.move("bruno", "FOLLOW_UP"),
    "CLOSED": lambda ledger: ledger.decide("bruno", "CLOSED"),
}
MAIN_LINE = tuple(_LINE)


def case_in(state: str, policy: str = EU, charter: Charter | None = None) -> Ledger:
    """A case that has come to this state of the main line, held by all five; ``charter`` is another than theirs."""
    ledger = Ledger(charter or founded().charter)
    ledger.open(policy=policy)
    ledger.bring_in("bruno", "chiara", "daud", "elif")
    for stop in MAIN_LINE[: MAIN_LINE.index(state) + 1]:
        _LINE[stop](ledger)
    assert ledger.state.state == state
    return ledger
