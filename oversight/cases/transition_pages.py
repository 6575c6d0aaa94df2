# SPDX-License-Identifier: AGPL-3.0-or-later
"""Moving a case on: one member moves it, or proposes to and another one approves or sends it back."""

from starlette.requests import Request
from starlette.responses import Response

from crypto.ids import EventHash
from oversight.cases import commands, labels
from oversight.cases.case_pages import head_context, render_case
from oversight.cases.decisions import TOLD
from oversight.cases.open_case import OpenCase, open_requested_case
from oversight.ledger.append import ConflictError
from oversight.marking import N_
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render, translation_of
from oversight.workflow.rules import TRANSITIONS, RuleError, Transition

TEXT_CHARS_MAX = 20_000
NO_GROUND = N_("Choose the ground")
NO_REASONS = N_("Write the reasons")
NO_REASONS_BACK = N_("Write why you send it back")
TOO_LONG = N_("The text is too long: shorten it to about half")


async def show_form(request: Request) -> Response:
    case = await open_requested_case(request)
    return _render_form(request, case, _rows(request, case), Form({}))


async def take_form(request: Request) -> Response:
    """Sign the transition, or its proposal."""
    case = await open_requested_case(request)
    form = await read_form(request)
    rows = _rows(request, case, form)
    errors = _check(rows, form)
    if errors:
        return _render_form(request, case, rows, form, errors)
    ground = form.text("ground") or None
    state = await commands.change_state(case.seen(form), case.id, rows[0].to_state, ground, form.text("reasons"))
    return redirect(f"{case.path}?done={'proposed' if state.proposed_transition else _done(state.state)}")


async def approve(request: Request) -> Response:
    case = await open_requested_case(request)
    form = await read_form(request)
    state = await commands.approve(case.seen(form), case.id, EventHash(request.path_params["hash"]))
    return redirect(f"{case.path}?done={'approved' if state.state == case.state.state else _done(state.state)}")


async def send_back(request: Request) -> Response:
    case = await open_requested_case(request)
    form = await read_form(request)
    reasons = form.text("reasons")
    if not reasons or len(reasons) > TEXT_CHARS_MAX:
        field = f"reasons-{request.path_params['hash'][:8]}"
        error = FieldError(field, TOO_LONG if reasons else NO_REASONS_BACK)
        return await render_case(request, case, [error], 422, {field: reasons})
    await commands.send_back(case.seen(form), case.id, EventHash(request.path_params["hash"]), reasons)
    return redirect(f"{case.path}?done=returned")


def _done(state: str) -> str:
    """What the next page says: whether there is something to tell the reporter now."""
    return "moved-told" if state in TOLD else "moved"


def _rows(request: Request, case: OpenCase, form: Form | None = None) -> list[Transition]:
    """The rows of the table for this transition; RuleError when the case can't go there from where it is.

    A form that was made in another state is judged by that state, and then refused as one that the case has left.
    """
    to_state: str = request.path_params["to"]
    from_state = case.state.state
    if form is not None and form.text("head") != case.state.head.hash:
        raise ConflictError
    rows = [row for row in TRANSITIONS if (row.from_state, row.to_state) == (from_state, to_state)]
    if not rows:
        raise RuleError("no-such-transition")
    if rows[0].proposes.isdisjoint(case.roles):
        raise RuleError("role")
    return rows


def _check(rows: list[Transition], form: Form) -> list[FieldError]:
    errors = []
    grounds = [ground for row in rows for ground in row.grounds]
    if grounds and form.text("ground") not in grounds:
        errors.append(FieldError("ground", NO_GROUND))
    reasons = form.text("reasons")
    if rows[0].four_eyes and not reasons:
        errors.append(FieldError("reasons", NO_REASONS))
    elif len(reasons) > TEXT_CHARS_MAX:
        errors.append(FieldError("reasons", TOO_LONG))
    return errors


def _render_form(
    request: Request, case: OpenCase, rows: list[Transition], form: Form, errors: list[FieldError] | None = None
) -> Response:
    translation = translation_of(request)
    grounds = [ground for row in rows for ground in row.grounds]
    row = rows[0]
    ground = row.grounds[0] if row.from_state == row.to_state and len(grounds) == 1 else None
    return render(
        request,
        "case_transition.html",
        422 if errors else 200,
        **head_context(request, case),
        row=row,
        action=labels.transition_label(row.from_state, row.to_state, ground, translation),
        grounds=grounds,
        told=row.to_state in TOLD,
        values={name: form.text(name) for name in ("ground", "reasons")},
        errors=errors or [],
    )


routes = [
    Route("/cases/{case:id}/transitions/{to:code}", show_form),
    Route("/cases/{case:id}/transitions/{to:code}", take_form, methods=["POST"]),
    Route("/cases/{case:id}/proposals/{hash:hash}/approve", approve, methods=["POST"]),
    Route("/cases/{case:id}/proposals/{hash:hash}/return", send_back, methods=["POST"]),
]
