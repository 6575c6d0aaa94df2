# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of cases: those that a member holds, or, for auditors, all of them by their public parts."""

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from crypto.ids import MemberLabel
from oversight.cases import labels
from oversight.cases.actor import actor_of
from oversight.cases.case_queries import CaseFilters, list_cases
from oversight.cases.open_case import AUDITOR, MemberNames
from oversight.commission.charters import charters_by_hash
from oversight.members.sessions import current_session
from oversight.web.addresses import Route
from oversight.web.rendering import render, translation_of
from oversight.workflow.deadlines import Deadline, next_deadline
from oversight.workflow.permissions import waits_for
from oversight.workflow.rules import HANDLERS, STATES
from oversight.workflow.state import CaseState

WAITING_SHOWN_MAX = 50


@dataclass(frozen=True)
class CaseRow:
    """One case in the list. ``waits`` is for this member; ``waiting`` for somebody."""

    state: CaseState
    deadline: Deadline | None
    waits: bool
    waiting: bool


async def show_cases(request: Request) -> Response:
    session = await current_session(request)
    who = await actor_of(session, request.app.state.clock())
    today, roles = who.now.date(), frozenset(session.member.roles)
    audits = AUDITOR in roles
    query, translation = request.query_params, translation_of(request)
    chosen = {
        "state": query.get("state", "") if query.get("state", "") in STATES else "",
        "mine": "yes" if query.get("mine") == "yes" or not audits else "",
        "overdue": "yes" if query.get("overdue") == "yes" else "",
    }
    filters = CaseFilters(
        holder=who.label if chosen["mine"] else None,
        state=chosen["state"],
        overdue_on=today if chosen["overdue"] else None,
    )

    def row(state: CaseState) -> CaseRow:
        waits = waits_for(state, who.label, roles)
        return CaseRow(state, next_deadline(state.clocks, today), waits, bool(state.proposals))

    after = _read_key(query.get("after", ""))
    page = await list_cases(filters, after)
    waiting = [] if after else await _waiting_for(who.label, roles)
    kept = {name: value for name, value in chosen.items() if value and (name != "mine" or audits)}
    return render(
        request,
        "cases.html",
        waiting=[row(state) for state in waiting],
        rows=[row(state) for state in page.cases if audits or not state.in_conflict(who.label)],
        broken=page.broken,
        following=_link(kept, page.following),
        filters=chosen,
        filtered=bool(kept),
        audits=audits,
        handles=not HANDLERS.isdisjoint(roles),
        states=labels.state_labels(translation),
        shape=labels.shape,
        called=MemberNames(await charters_by_hash(), translation.locale),
        clock_name=lambda code: labels.clock_label(code, translation),
    )


async def _waiting_for(label: MemberLabel, roles: frozenset[str]) -> list[CaseState]:
    """The newest of the cases in which something waits for this very member."""
    page = await list_cases(CaseFilters(holder=label, waiting=True))
    return [state for state in page.cases if waits_for(state, label, roles)][:WAITING_SHOWN_MAX]


def _link(kept: dict[str, str], following: tuple[date, int] | None) -> str:
    """The way to the next page, if there is one."""
    if following is None:
        return ""
    return "/cases?" + urlencode({**kept, "after": f"{following[0].isoformat()}.{following[1]}"})


def _read_key(text: str) -> tuple[date, int] | None:
    """The key of a link, or nothing for a text that is none: then the list begins at its top."""
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,9})", text, re.ASCII)
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1]), int(found[2])
    except ValueError:
        return None


routes = [Route("/cases", show_cases)]
