# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening a case with a report, and adding a report to a case."""

from starlette.requests import Request
from starlette.responses import Response

from crypto.ids import CaseId
from oversight.cases import commands, labels
from oversight.cases.actor import actor_of
from oversight.cases.case_queries import CaseFilters, case_of_report, list_cases
from oversight.cases.report_access import OpenReport, open_requested_report
from oversight.marking import N_
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render, translation_of
from oversight.workflow.clocks import PACKS
from oversight.workflow.event_types import EVENT_TYPES
from oversight.workflow.rules import RuleError

NO_POLICY = N_("Choose the time limits")
NOT_DECLARED = N_("Say that you have no conflict: whoever opens a case holds it")


async def show_form(request: Request) -> Response:
    return await _render_form(request, await open_requested_report(request), Form({}))


async def take_form(request: Request) -> Response:
    report = await open_requested_report(request)
    form = await read_form(request)
    who = await actor_of(report.session, request.app.state.clock())
    if form.text("add_to"):
        state = await commands.add_report(who, CaseId(form.text("add_to")), report.submission.id)
        return redirect(f"/cases/{state.head.case}?done=added")
    errors = _check(form)
    if errors:
        return await _render_form(request, report, form, errors)
    state = await commands.open_case(who, [report.submission.id], form.text("policy"))
    return redirect(f"/cases/{state.head.case}?done=opened")


async def _render_form(
    request: Request, report: OpenReport, form: Form, errors: list[FieldError] | None = None
) -> Response:
    """The form; for a report that has a case already, the case."""
    existing = await case_of_report(report.submission.id)
    if existing is not None:
        return redirect(f"/cases/{existing}")
    roles = frozenset(report.session.member.roles)
    may_open = not EVENT_TYPES["opened"].act.roles.isdisjoint(roles)
    if not may_open and EVENT_TYPES["report-added"].act.roles.isdisjoint(roles):
        raise RuleError("role")
    translation = translation_of(request)
    held = await list_cases(CaseFilters(holder=report.session.member.label))
    return render(
        request,
        "case_open.html",
        422 if errors else 200,
        report=report,
        may_open=may_open,
        policies={code: (labels.policy_label(code, translation), pack.source) for code, pack in PACKS.items()},
        cases=[state for state in held.cases if state.state in EVENT_TYPES["report-added"].act.states],
        values={"policy": form.text("policy"), "no_conflict": form.text("no_conflict")},
        errors=errors or [],
    )


def _check(form: Form) -> list[FieldError]:
    errors = []
    if form.text("policy") not in PACKS:
        errors.append(FieldError("policy", NO_POLICY))
    if form.text("no_conflict") != "yes":
        errors.append(FieldError("no_conflict", NOT_DECLARED))
    return errors


routes = [
    Route("/reports/{id:id}/case", show_form),
    Route("/reports/{id:id}/case", take_form, methods=["POST"]),
]
