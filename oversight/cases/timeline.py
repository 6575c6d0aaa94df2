# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case's ledger told day by day, in sentences. A decision stands as one thing, with both its signatures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from crypto.event import SignedEvent
from crypto.event_fields import Part
from crypto.event_types import (
    Approved,
    Assigned,
    Checked,
    ClockExtended,
    Corrected,
    Declared,
    Drafted,
    Left,
    Moved,
    Noted,
    Opened,
    PartyAdded,
    Proposed,
    Published,
    RecommendationStatus,
    Recused,
    Replied,
    ReportAdded,
    Returned,
    Signed,
    StateChange,
    Waived,
    Withdrawn,
)
from crypto.sealed_parts import Party, Renewal, Text
from oversight.cases import labels
from oversight.cases.entries import Entry
from oversight.cases.open_case import MemberNames
from oversight.workflow.rules import find_transition
from portal.kit.i18n import Translation, format_day


@dataclass(frozen=True)
class Item:
    """One thing that happened. ``answers`` are items that answer it; ``seen`` marks what the reporter sees."""

    sequence: int
    hash: str
    day: date
    sentence: str
    words: str = ""
    state: str = ""
    kind: str = "work"
    sealed: bool = False
    seen: bool = False
    answer: "Item | None" = None


@dataclass(frozen=True)
class Day:
    """A day on which something happened."""

    day: date
    items: tuple[Item, ...]


def tell(
    entries: Sequence[Entry], names: MemberNames, references: Mapping[str, str], translation: Translation
) -> list[Day]:
    """The events as days. ``references`` are what reports are called, by submission id.

    A proposal that was answered stands at the day of its answer, and holds it.
    """
    teller = _Teller(names, references, translation)
    items: dict[str, Item] = {}
    for entry in entries:
        item = teller.tell(entry)
        public = entry.event.public
        if isinstance(public, Approved | Returned) and public.subject in items:
            subject = items.pop(public.subject)
            item = replace(subject, answer=teller.with_effect(item, public, subject.hash))
        items[item.hash] = item
    ordered = sorted(items.values(), key=_moment)
    return [Day(day, tuple(found)) for day, found in groupby(ordered, key=lambda item: _last(item).day)]


def _last(item: Item) -> Item:
    return item.answer or item


def _moment(item: Item) -> int:
    return _last(item).sequence


class _Teller:
    """Turns events into items, one sentence for each type."""

    def __init__(self, names: MemberNames, references: Mapping[str, str], translation: Translation) -> None:
        self.names = names
        self.references = references
        self.translation = translation
        self.states = labels.state_words(translation)
        self.proposed: dict[str, Proposed] = {}
        # What members get to see of an event depends on its type alone.
        self.sentences: Mapping[type[Any], Callable[[SignedEvent, Any], str]] = {
            Opened: self._opened,
            ReportAdded: self._report_added,
            Declared: self._declared,
            Assigned: self._assigned,
            Recused: self._recused,
            Left: self._left,
            Moved: self._moved,
            Proposed: self._proposed,
            Approved: self._approved,
            Returned: self._returned,
            Waived: self._waived,
            Noted: self._noted,
            PartyAdded: self._party_added,
            ClockExtended: self._clock_extended,
            Replied: self._replied,
            Drafted: self._drafted,
            Signed: self._signed,
            Checked: self._checked,
            Published: self._published,
            Corrected: self._corrected,
            Withdrawn: self._withdrawn,
            RecommendationStatus: self._recommendation,
        }

    def tell(self, entry: Entry) -> Item:
        event, public = entry.event, entry.event.public
        if isinstance(public, Proposed):
            self.proposed[event.hash] = public
        return Item(
            sequence=event.sequence,
            hash=event.hash,
            day=event.time.date(),
            sentence=self.sentences[type(public)](event, public),
            words=_own_words(public, entry.part, self.translation),
            state=public.to_state if isinstance(public, Moved) else "RECEIVED" if isinstance(public, Opened) else "",
            kind=_kind(public),
            sealed=_is_closed(public, event, entry.part),
            seen=isinstance(public, Replied | Published | Corrected | Withdrawn),
        )

    def with_effect(self, answer: Item, public: Approved | Returned, subject: str) -> Item:
        """The answer, with the state that the case is in by it."""
        move = self.proposed.get(subject)
        if move is None or isinstance(public, Returned):
            return answer
        transition = find_transition(move.from_state, move.to_state, move.ground)
        changes = transition.completed_by is None and move.from_state != move.to_state
        return replace(answer, state=move.to_state if changes else "")

    def _say(self, sentence: str, event: SignedEvent, **values: object) -> str:
        return sentence % {"name": self.names(event.actor), **values}

    def _move(self, public: StateChange) -> str:
        action = labels.move_words(public.from_state, public.to_state, public.ground, self.translation)
        if public.ground is None or public.from_state == public.to_state:
            return action
        ground = labels.ground_words(public.ground, self.translation)
        return self.translation.gettext("%(action)s: %(ground)s") % {"action": action, "ground": ground}

    def _reference(self, report: str) -> str:
        return self.references.get(report, report[:8])

    def _opened(self, event: SignedEvent, public: Opened) -> str:
        reports = ", ".join(self._reference(report) for report in public.reports)
        _ = self.translation.gettext
        return self._say(_("%(name)s opened the case with %(reports)s and holds it"), event, reports=reports)

    def _report_added(self, event: SignedEvent, public: ReportAdded) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s added report %(report)s"), event, report=self._reference(public.report))

    def _declared(self, event: SignedEvent, public: Declared) -> str:
        _ = self.translation.gettext
        if public.conflict:
            return self._say(_("%(name)s declared a conflict"), event)
        return self._say(_("%(name)s declared to have no conflict"), event)

    def _assigned(self, event: SignedEvent, public: Assigned) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s gave the case to %(member)s"), event, member=self.names(public.member))

    def _recused(self, event: SignedEvent, public: Recused) -> str:
        _ = self.translation.gettext
        return self._say(
            _("%(member)s was recused by %(name)s; the case’s keys are renewed"),
            event,
            member=self.names(public.member),
        )

    def _left(self, event: SignedEvent, public: Left) -> str:
        _ = self.translation.gettext
        return self._say(
            _("%(member)s left the case, by %(name)s; the case’s keys are renewed"),
            event,
            member=self.names(public.member),
        )

    def _moved(self, event: SignedEvent, public: Moved) -> str:
        _ = self.translation.gettext
        if public.ground is None:
            return self._say(_("%(name)s moved the case on"), event)
        ground = labels.ground_words(public.ground, self.translation)
        return self._say(_("%(name)s moved the case on: %(ground)s"), event, ground=ground)

    def _proposed(self, event: SignedEvent, public: Proposed) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s proposed: %(action)s"), event, action=self._move(public))

    def _approved(self, event: SignedEvent, public: Approved) -> str:
        return self._say(self.translation.gettext("%(name)s approved it"), event)

    def _returned(self, event: SignedEvent, public: Returned) -> str:
        return self._say(self.translation.gettext("%(name)s sent it back"), event)

    def _waived(self, event: SignedEvent, public: Waived) -> str:
        return self._say(self.translation.gettext("%(name)s proposed to set an obstacle aside"), event)

    def _noted(self, event: SignedEvent, public: Noted) -> str:
        return self._say(self.translation.gettext("%(name)s wrote a note"), event)

    def _party_added(self, event: SignedEvent, public: PartyAdded) -> str:
        return self._say(self.translation.gettext("%(name)s named a person or body"), event)

    def _clock_extended(self, event: SignedEvent, public: ClockExtended) -> str:
        _ = self.translation.gettext
        due = format_day(public.due, self.translation.locale)
        clock = labels.clock_words(public.clock, self.translation)
        return self._say(_("%(name)s extended a time limit. %(clock)s: by %(day)s"), event, clock=clock, day=due)

    def _replied(self, event: SignedEvent, public: Replied) -> str:
        _ = self.translation.gettext
        report = self._reference(public.report)
        if public.purpose == "acknowledgement":
            return self._say(_("%(name)s sent the reporter of %(report)s the acknowledgement"), event, report=report)
        if public.purpose == "feedback":
            return self._say(_("%(name)s told the reporter of %(report)s how it stands"), event, report=report)
        return self._say(_("%(name)s wrote to the reporter of %(report)s"), event, report=report)

    def _drafted(self, event: SignedEvent, public: Drafted) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s wrote version %(number)s of the finding"), event, number=public.revision)

    def _signed(self, event: SignedEvent, public: Signed) -> str:
        return self._say(self.translation.gettext("%(name)s signed the finding"), event)

    def _checked(self, event: SignedEvent, public: Checked) -> str:
        _ = self.translation.gettext
        outcome = labels.outcome_words(public.outcome, self.translation)
        return self._say(_("%(name)s had the finding checked: %(outcome)s"), event, outcome=outcome)

    def _published(self, event: SignedEvent, public: Published) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s published the finding as %(finding)s"), event, finding=public.finding)

    def _corrected(self, event: SignedEvent, public: Corrected) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s published a correction of %(finding)s"), event, finding=public.finding)

    def _withdrawn(self, event: SignedEvent, public: Withdrawn) -> str:
        _ = self.translation.gettext
        return self._say(_("%(name)s withdrew the finding %(finding)s"), event, finding=public.finding)

    def _recommendation(self, event: SignedEvent, public: RecommendationStatus) -> str:
        _ = self.translation.gettext
        status = labels.recommendation_words(public.status, self.translation)
        return self._say(
            _("%(name)s recorded what became of recommendation %(number)s: %(status)s"),
            event,
            number=public.recommendation,
            status=status,
        )


def _own_words(public: object, part: Part | None, translation: Translation) -> str:
    """What the member wrote. Texts of findings and reports of checks have pages of their own."""
    if isinstance(public, Drafted | Checked):
        return ""
    match part:
        case Text() | Renewal():
            return part.text
        case Party():
            role = labels.party_words(translation).get(part.role, part.role)
            return translation.gettext("%(party)s, %(role)s") % {"party": part.name, "role": role}
        case _:
            return ""


def _is_closed(public: object, event: SignedEvent, part: Part | None) -> bool:
    return event.sealed is not None and part is None and not isinstance(public, Opened | ReportAdded)


def _kind(public: object) -> str:
    match public:
        case Opened() | Moved() | Proposed() | Approved() | Returned() | Waived():
            return "decision"
        case Declared() | Assigned() | Recused() | Left():
            return "people"
        case Replied() | Published() | Corrected() | Withdrawn():
            return "out"
        case _:
            return "work"
