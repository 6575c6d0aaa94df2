# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who holds a case: declaring, giving it to somebody, letting somebody go or shutting them out."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import Member
from crypto.ids import MemberLabel
from oversight.cases import commands
from oversight.cases.case_pages import head_context
from oversight.cases.open_case import OpenCase, find_requested_case, open_requested_case
from oversight.cases.transition_pages import NO_REASONS, TEXT_CHARS_MAX, TOO_LONG
from oversight.marking import N_
from oversight.reports.records import SubmissionRecord
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render
from oversight.workflow.access import renewal_due
from oversight.workflow.permissions import may_act
from oversight.workflow.rules import HANDLERS, WAIVER_APPROVERS

NO_ANSWER = N_("Say whether you have a conflict")
NO_KIND = N_("Choose whether there is a conflict")


@dataclass(frozen=True)
class Standing:
    """A member beside a case. ``standing``: holds, conflict, recused, ready, kept-from, silent."""

    member: Member
    standing: str
    mine: bool


async def show_people(request: Request) -> Response:
    case = await open_requested_case(request, hold=False)
    holds, state, members = case.keys is not None, case.state, case.members
    chair = "chair" in case.roles
    return render(
        request,
        "case_people.html",
        **head_context(request, case),
        people=_standings(case),
        former=[label for label in (*state.holders, *state.recused) if label not in members],
        may_assign=holds and may_act("assigned", state, members, case.roles),
        may_renew=holds and chair,
        must_renew=renewal_due(state, members),
        address=f"{request.app.state.settings.own_origin}{case.path}/declare",
        done=request.query_params.get("done", ""),
    )


async def show_declaration(request: Request) -> Response:
    return await _render_declaration(request, await find_requested_case(request), Form({}))


async def take_declaration(request: Request) -> Response:
    case = await find_requested_case(request)
    form = await read_form(request)
    answer = form.text("conflict")
    errors = []
    if answer not in {"yes", "no"}:
        errors.append(FieldError("conflict", NO_ANSWER))
    if len(form.text("reason")) > TEXT_CHARS_MAX:
        errors.append(FieldError("reason", TOO_LONG))
    if errors:
        return await _render_declaration(request, case, form, errors)
    # Whoever declares may not have seen the case: it may change meanwhile, and the rules judge it as it is.
    await commands.declare(case.actor, case.id, conflict=answer == "yes", reason=form.text("reason"))
    return redirect(f"{case.path}/declared")


async def show_declared(request: Request) -> Response:
    """Show the member's declaration and the next step."""
    case = await find_requested_case(request)
    declaration = case.state.declaration(case.actor.label)
    if declaration is None:
        return redirect(f"{case.path}/declare")
    return render(request, "case_declared.html", **head_context(request, case), conflict=declaration.conflict)


async def assign(request: Request) -> Response:
    case = await open_requested_case(request)
    form = await read_form(request)
    await commands.assign(case.seen(form), case.id, _label(request))
    return redirect(f"{case.path}/people?done=assigned")


async def show_renewal(request: Request) -> Response:
    case = await open_requested_case(request)
    return _render_renewal(request, case, Form({}))


async def take_renewal(request: Request) -> Response:
    """Exclude a member, permanently or not; the keys of the case are renewed for later events."""
    case = await open_requested_case(request)
    form = await read_form(request)
    reason, kind = form.text("reason"), form.text("kind")
    errors = []
    if kind not in {"recused", "left"}:
        errors.append(FieldError("kind", NO_KIND))
    if not reason or len(reason) > TEXT_CHARS_MAX:
        errors.append(FieldError("reason", TOO_LONG if reason else NO_REASONS))
    if errors:
        return _render_renewal(request, case, form, errors)
    command = commands.recuse if kind == "recused" else commands.leave
    await command(case.seen(form), case.id, _label(request), reason)
    return redirect(f"{case.path}/people?done={kind}")


async def take_waiver(request: Request) -> Response:
    """Propose to let somebody hold the case although a reporter did not let them read a report."""
    case = await open_requested_case(request)
    form = await read_form(request)
    declaration = case.state.declaration(_label(request))
    if declaration is None:
        raise HTTPException(404)
    reason = form.text("reason")
    if not reason or len(reason) > TEXT_CHARS_MAX:
        return _render_waiver(request, case, [FieldError("reason", TOO_LONG if reason else NO_REASONS)], reason)
    await commands.waive(case.seen(form), case.id, declaration.hash, reason)
    return redirect(f"{case.path}?done=proposed")


async def show_waiver(request: Request) -> Response:
    return _render_waiver(request, await open_requested_case(request))


def _label(request: Request) -> MemberLabel:
    return MemberLabel(request.path_params["member"])


def _standings(case: OpenCase) -> list[Standing]:
    """Every member of today who could hold the case, those who do first."""
    found = [
        Standing(member, _standing(case, member), member.label == case.actor.label)
        for member in case.members.values()
        if not HANDLERS.isdisjoint(member.roles)
    ]
    return sorted(found, key=lambda entry: entry.standing != "holds")


def _standing(case: OpenCase, member: Member) -> str:
    state, label = case.state, member.label
    declaration = state.declaration(label)
    if state.is_recused(label):
        return "recused"
    if declaration is None:
        return "silent"
    if state.in_conflict(label):
        return "conflict"
    if label in state.holders:
        return "holds"
    kept = state.lacks_grant(declaration) and declaration.hash not in state.waived
    return "kept-from" if kept else "ready"


async def _render_declaration(
    request: Request, case: OpenCase, form: Form, errors: list[FieldError] | None = None
) -> Response:
    state = case.state
    reports = await SubmissionRecord.filter(id__in=list(state.reports)).order_by("number")
    return render(
        request,
        "case_declare.html",
        422 if errors else 200,
        **head_context(request, case),
        reports=reports,
        holder=case.actor.label in state.holders,
        declared=state.declaration(case.actor.label),
        values={name: form.text(name) for name in ("conflict", "reason")},
        errors=errors or [],
    )


def _render_renewal(request: Request, case: OpenCase, form: Form, errors: list[FieldError] | None = None) -> Response:
    label = _label(request)
    if label not in case.state.holders:
        raise HTTPException(404)
    due = label in renewal_due(case.state, case.members)
    return render(
        request,
        "case_renew.html",
        422 if errors else 200,
        **head_context(request, case),
        label=label,
        conflict=case.state.in_conflict(label),
        may=label != case.actor.label and (due or "chair" in case.roles),
        own=label == case.actor.label,
        values={name: form.text(name) for name in ("kind", "reason")},
        errors=errors or [],
    )


def _render_waiver(
    request: Request, case: OpenCase, errors: list[FieldError] | None = None, reason: str = ""
) -> Response:
    label = _label(request)
    approving = sorted(WAIVER_APPROVERS)
    context = head_context(request, case)
    status = 422 if errors else 200
    shown = {"label": label, "approving": approving, "values": {"reason": reason}, "errors": errors or []}
    return render(request, "case_waive.html", status, **context, **shown)


routes = [
    Route("/cases/{case:id}/people", show_people),
    Route("/cases/{case:id}/declare", show_declaration),
    Route("/cases/{case:id}/declare", take_declaration, methods=["POST"]),
    Route("/cases/{case:id}/declared", show_declared),
    Route("/cases/{case:id}/people/{member:label}/assign", assign, methods=["POST"]),
    Route("/cases/{case:id}/people/{member:label}/renew", show_renewal),
    Route("/cases/{case:id}/people/{member:label}/renew", take_renewal, methods=["POST"]),
    Route("/cases/{case:id}/people/{member:label}/waive", show_waiver),
    Route("/cases/{case:id}/people/{member:label}/waive", take_waiver, methods=["POST"]),
]
