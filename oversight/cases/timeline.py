# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case's ledger told day by day, in sentences. A decision is one item, with both its signatures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

from crypto.event import SignedEvent
from crypto.event_fields import Part
from crypto.event_types import Approved, Moved, Opened, Proposed, Returned
from crypto.ids import EventHash, SubmissionId
from crypto.sealed_parts import Keys, Party, Renewal, Text
from oversight.cases import labels
from oversight.cases.entries import BrokenEntry, Entry
from oversight.cases.open_case import MemberNames
from oversight.web.rows import attempt
from oversight.workflow.event_types import EVENT_TYPES, EventType
from oversight.workflow.rules import RECEIVED, find_transition
from portal.kit.i18n import Translation, format_day

UNREAD = EventHash("")
"""Of an event that can't be read the hash is not known."""


@dataclass(frozen=True)
class Item:
    """One item of the timeline. ``answers`` are items that answer it; ``seen`` marks what the reporter sees."""

    sequence: int
    hash: EventHash
    day: date
    sentence: str
    words: str = ""
    state: str = ""
    group: str = "work"
    sealed: bool = False
    seen: bool = False
    answer: "Item | None" = None


@dataclass(frozen=True)
class Day:
    """A day on which something happened."""

    day: date
    items: tuple[Item, ...]


def tell(
    entries: Sequence[Entry],
    names: MemberNames,
    references: Mapping[str, str],
    translation: Translation,
    unread: Sequence[BrokenEntry] = (),
) -> list[Day]:
    """The events as days. ``references`` are what reports are called, by submission id.

    An answered proposal is listed on the day of its answer, and holds the answer. An event that is ``unread``, or has
    no words here, has an item that says so.
    """
    teller = _Teller(names, references, translation)
    items: dict[str, Item] = {str(entry.sequence): teller.tell_unread(entry) for entry in unread}
    for entry in entries:
        event, public = entry.event, entry.event.public
        item = attempt(partial(teller.tell, entry)) or teller.tell_unread(
            BrokenEntry(event.sequence, event.time.date()), event.hash
        )
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
    """Turns events into items, each with the sentence of its type."""

    def __init__(self, names: MemberNames, references: Mapping[str, str], translation: Translation) -> None:
        self.names = names
        self.references = references
        self.translation = translation
        self.proposed: dict[str, Proposed] = {}
        statuses = labels.recommendation_status_labels(translation)
        # How the fields of public parts are put into words; any other is shown as it is.
        self.in_words: Mapping[str, Callable[[Any], str]] = {
            "member": names,
            "report": self._reference,
            "reports": lambda reports: ", ".join(map(self._reference, reports)),
            "due": lambda day: format_day(day, translation.locale),
            "clock": lambda code: labels.clock_label(code, translation),
            "ground": lambda code: "" if code is None else labels.ground_label(code, translation),
            "outcome": lambda code: labels.outcome_label(code, translation),
            "status": lambda code: statuses.get(code, code),
        }

    def tell(self, entry: Entry) -> Item:
        event, public = entry.event, entry.event.public
        row = EVENT_TYPES[event.type]
        if isinstance(public, Proposed):
            self.proposed[event.hash] = public
        return Item(
            sequence=event.sequence,
            hash=event.hash,
            day=event.time.date(),
            sentence=self._sentence(event, row),
            words="" if row.has_page else _own_words(entry.part, self.translation),
            state=public.to_state if isinstance(public, Moved) else RECEIVED if isinstance(public, Opened) else "",
            group=row.group,
            sealed=event.sealed is not None and entry.part is None and public.sealed is not Keys,
            seen=row.group == "out",
        )

    def tell_unread(self, entry: BrokenEntry, event: EventHash = UNREAD) -> Item:
        """An item for what can't be told."""
        said = self.translation.gettext("This event can’t be read.")
        return Item(entry.sequence, event, entry.day, said)

    def with_effect(self, answer: Item, public: Approved | Returned, subject: EventHash) -> Item:
        """The answer, with the state that the case is in by it."""
        proposal = self.proposed.get(subject)
        if proposal is None or isinstance(public, Returned):
            return answer
        transition = find_transition(proposal.from_state, proposal.to_state, proposal.ground)
        changes = transition.completed_by is None and proposal.from_state != proposal.to_state
        return replace(answer, state=proposal.to_state if changes else "")

    def _sentence(self, event: SignedEvent, row: EventType) -> str:
        public = event.public
        values = {item.name: getattr(public, item.name) for item in fields(public)}  # type: ignore[arg-type]
        spoken = {name: self.in_words.get(name, str)(value) for name, value in values.items()}
        if isinstance(public, Proposed):
            spoken["action"] = self._action(public)
        return self.translation.gettext(row.tell(public)) % {"name": self.names(event.actor), **spoken}

    def _action(self, public: Proposed) -> str:
        action = labels.transition_label(public.from_state, public.to_state, public.ground, self.translation)
        if public.ground is None or public.from_state == public.to_state:
            return action
        ground = labels.ground_label(public.ground, self.translation)
        return self.translation.gettext("%(action)s: %(ground)s") % {"action": action, "ground": ground}

    def _reference(self, report: SubmissionId) -> str:
        return self.references.get(report, report[:8])


def _own_words(part: Part | None, translation: Translation) -> str:
    """What the member wrote."""
    match part:
        case Text() | Renewal():
            return part.text
        case Party():
            role = labels.party_role_labels(translation).get(part.role, part.role)
            return translation.gettext("%(party)s, %(role)s") % {"party": part.name, "role": role}
        case _:
            return ""
