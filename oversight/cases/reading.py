# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading cases: lists of them by key, and the timeline of one with the sealed parts that a member's keys open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tortoise.expressions import Q, Subquery

from crypto.event import SignedEvent, read_event
from crypto.event_parts import Part
from oversight.cases.grants import CaseKeys
from oversight.cases.keeping import read_state
from oversight.cases.records import CaseHolder, CaseRecord, CaseReport
from oversight.cases.state import CaseState
from oversight.ledger.records import EventRecord
from oversight.members.office import charters_by_hash

PAGE_CASES = 50
PAGE_EVENTS = 200


@dataclass(frozen=True)
class CaseFilters:
    """What a list of cases is narrowed to; what is empty filters nothing. ``overdue_on`` is the day of today."""

    holder: str = ""
    state: str = ""
    waiting: bool = False
    overdue_on: date | None = None


@dataclass(frozen=True)
class CasePage:
    """Cases of one page, newest first; ``following`` is the key to go on after."""

    cases: tuple[CaseState, ...]
    following: tuple[date, int] | None


@dataclass(frozen=True)
class Entry:
    """An event of a timeline. ``part`` is what was sealed, None if nothing was or if no keys were given."""

    event: SignedEvent
    part: Part | None


async def list_cases(filters: CaseFilters, after: tuple[date, int] | None = None) -> CasePage:
    """One page of the cases. Public parts alone: whom a case may be shown to is for the caller."""
    query = CaseRecord.all()
    if filters.holder:
        query = query.filter(id__in=Subquery(CaseHolder.filter(member=filters.holder).values("case")))
    if filters.state:
        query = query.filter(state=filters.state)
    if filters.waiting:
        query = query.filter(waiting=True)
    if filters.overdue_on is not None:
        query = query.filter(next_due__lt=filters.overdue_on)
    if after is not None:
        opened, serial = after
        query = query.filter(Q(opened__lt=opened) | Q(opened=opened, serial__lt=serial), opened__lte=opened)
    rows = await query.order_by("-opened", "-serial").limit(PAGE_CASES + 1)
    page = rows[:PAGE_CASES]
    following = (page[-1].opened, page[-1].serial) if len(rows) > PAGE_CASES else None
    return CasePage(tuple(read_state(row) for row in page), following)


async def case_of_report(submission: str) -> str | None:
    """The id of the case that a report belongs to, if it belongs to one."""
    record = await CaseReport.get_or_none(submission=submission)
    return None if record is None else record.case


async def read_timeline(
    case: str,
    keys: CaseKeys | None = None,
    *,
    types: Sequence[str] = (),
    after: int = -1,
    limit: int = PAGE_EVENTS,
) -> list[Entry]:
    """The events after sequence ``after``, oldest first, of these ``types`` if any are given, each one verified.

    Raises CryptoError when an event is not genuine or its sealed part is not what it should be.
    """
    charters = await charters_by_hash()
    chosen: dict[str, Any] = {"type__in": list(types)} if types else {}
    rows = EventRecord.filter(case=case, sequence__gt=after, **chosen).order_by("sequence").limit(limit)
    entries = []
    for data, generation in await rows.values_list("note", "generation"):
        event = read_event(bytes(data), charters)
        entries.append(Entry(event, None if keys is None else keys.open(event, generation)))
    return entries
