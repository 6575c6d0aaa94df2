# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading cases: lists of them by key, and the timeline of one with the sealed parts that a member's keys open."""

from dataclasses import dataclass
from datetime import date

from tortoise.expressions import Q, Subquery

from crypto.ids import CaseId, MemberLabel, SubmissionId
from oversight.cases.case_store import BrokenCaseError, read_state
from oversight.cases.records import CaseHolderRecord, CaseRecord, CaseReportRecord
from oversight.workflow.state import CaseState

PAGE_CASES = 50
PAGE_EVENTS = 200


@dataclass(frozen=True)
class CaseFilters:
    """The filters of a list of cases; an empty one filters nothing. ``overdue_on`` is today."""

    holder: MemberLabel | None = None
    state: str = ""
    waiting: bool = False
    overdue_on: date | None = None


@dataclass(frozen=True)
class CasePage:
    """Cases of one page, newest first; ``following`` is the key to go on after.

    ``broken`` are the numbers of those whose row can't be read.
    """

    cases: tuple[CaseState, ...]
    broken: tuple[str, ...]
    following: tuple[date, int] | None


async def list_cases(filters: CaseFilters, after: tuple[date, int] | None = None) -> CasePage:
    """One page of the cases. Public parts alone: whom a case may be shown to is for the caller."""
    query = CaseRecord.all()
    if filters.holder:
        query = query.filter(id__in=Subquery(CaseHolderRecord.filter(member=filters.holder).values("case")))
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
    states: list[CaseState] = []
    broken: list[str] = []
    for row in page:
        try:
            states.append(read_state(row))
        except BrokenCaseError as error:
            broken.append(error.number)
    return CasePage(tuple(states), tuple(broken), following)


async def case_of_report(submission: SubmissionId) -> CaseId | None:
    """The id of the case that a report belongs to, if it belongs to one."""
    record = await CaseReportRecord.get_or_none(submission=submission)
    return None if record is None else record.case
