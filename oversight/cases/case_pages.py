# SPDX-License-Identifier: AGPL-3.0-or-later
"""One case as a page: its state, the possible actions, its history."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from crypto.event_types import Replied
from crypto.sealed_parts import Text
from crypto.taxonomy import PURPOSE_MESSAGE
from oversight.cases import labels
from oversight.cases.decisions import last_decision
from oversight.cases.entries import Entry, read_entries, read_shown
from oversight.cases.open_case import MemberNames, OpenCase, open_requested_case
from oversight.cases.timeline import tell
from oversight.reports.records import SubmissionRecord
from oversight.web.addresses import Route
from oversight.web.forms import FieldError
from oversight.web.rendering import render, translation_of
from oversight.workflow.access import approving_roles, renewal_due
from oversight.workflow.deadlines import deadlines
from oversight.workflow.permissions import may_act, may_answer, possible_transitions
from oversight.workflow.state import Proposal

TIMELINE_EVENTS = 300
ACTS_SHOWN = ("noted", "party-added", "replied", "clock-extended")


async def show_case(request: Request) -> Response:
    return await render_case(request, await open_requested_case(request, hold=False))


async def render_case(
    request: Request,
    case: OpenCase,
    errors: list[FieldError] | None = None,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of a case, with the errors of a form posted on it and what was ``typed`` there."""
    entries, unread = await read_shown(case.id, case.keys, limit=TIMELINE_EVENTS)
    references = await references_of(case)
    names, translation = MemberNames(case.charters, translation_of(request).locale), translation_of(request)
    state, members, label = case.state, case.members, case.actor.label
    holds = case.keys is not None
    return render(
        request,
        "case.html",
        status,
        **head_context(request, case),
        days=tell(entries, names, references, translation, unread),
        unread=unread,
        earlier=max(0, state.head.sequence + 1 - len(entries) - len(unread)),
        reports=references,
        proposals=[_show_proposal(case, proposal, entries) for proposal in state.proposals] if holds else [],
        waiting=bool(state.proposals),
        transitions=possible_transitions(state, members, label, case.roles),
        # What the reporter was told can't be known as long as an event can't be read.
        untold=_untold(case, entries) if holds and not unread else [],
        may={code: holds and may_act(code, state, members, case.roles) for code in ACTS_SHOWN},
        must_renew=renewal_due(state, members),
        done=request.query_params.get("done", ""),
        values=typed or {},
        errors=errors or [],
    )


def head_context(request: Request, case: OpenCase) -> dict[str, Any]:
    """What the head of every page of a case is made with."""
    translation = translation_of(request)
    states = labels.state_labels(translation)
    return {
        "case": case,
        "state": case.state,
        "holds": case.keys is not None,
        "states": states,
        "shape": labels.shape,
        "called": MemberNames(case.charters, translation.locale),
        "deadlines": deadlines(case.state.clocks, case.today),
        "clock_name": lambda code: labels.clock_label(code, translation),
        "transition_name": lambda row: labels.transition_label(case.state.state, row.to_state, row.ground, translation),
        "ground_name": lambda code: labels.ground_label(code, translation),
        "condition": lambda code: labels.condition_label(code, translation),
        "policy": labels.policy_label(case.state.policy, translation),
    }


async def read_latest(case: OpenCase) -> list[Entry]:
    """The latest events, oldest first: as many as a page tells. Raises CryptoError as ``read_entries``."""
    after = max(-1, case.state.head.sequence - TIMELINE_EVENTS)
    return await read_entries(case.id, case.keys, after=after, limit=TIMELINE_EVENTS)


async def references_of(case: OpenCase) -> Mapping[str, str]:
    """What the reports of the case are called, by id, in the order in which they joined it."""
    rows = {row.id: row.reference for row in await SubmissionRecord.filter(id__in=list(case.state.reports))}
    return {report: rows.get(report, report[:8]) for report in case.state.reports}


def _show_proposal(case: OpenCase, proposal: Proposal, entries: list[Entry]) -> dict[str, Any]:
    entry = next((entry for entry in entries if entry.event.hash == proposal.hash), None)
    part = None if entry is None else entry.part
    return {
        "proposal": proposal,
        "reasons": part.text if isinstance(part, Text) else "",
        "day": None if entry is None else entry.event.time.date(),
        "mine": proposal.author == case.actor.label,
        "may": may_answer(case.state, proposal, case.actor.label, case.roles),
        "by": sorted(approving_roles(proposal)),
    }


def _untold(case: OpenCase, entries: list[Entry]) -> list[str]:
    """The reports whose reporters have not been told yet what the last transition made of the case."""
    last = last_decision(entries)
    if last is None or not last.is_told:
        return []
    told = {
        entry.event.public.report
        for entry in entries
        if isinstance(entry.event.public, Replied)
        and entry.event.public.purpose != PURPOSE_MESSAGE
        and entry.event.sequence > last.sequence
    }
    return [report for report in case.state.reports if report not in told]


routes = [Route("/cases/{case:id}", show_case)]
