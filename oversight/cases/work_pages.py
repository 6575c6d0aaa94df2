# SPDX-License-Identifier: AGPL-3.0-or-later
"""Notes, the people and bodies that a case is about, and its time limits."""

from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.event_fields import NAME_CHARS_MAX, NAMES_MAX
from crypto.sealed_parts import Party, Text
from crypto.taxonomy import PARTY_ROLES
from oversight.cases import commands, labels
from oversight.cases.case_pages import head_context
from oversight.cases.entries import read_shown
from oversight.cases.open_case import OpenCase, open_requested_case
from oversight.cases.transition_pages import NO_REASONS, TEXT_CHARS_MAX, TOO_LONG
from oversight.marking import N_
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render, translation_of
from oversight.workflow.clocks import PACKS, find_clock
from oversight.workflow.permissions import may_act

SHOWN_MAX = 1000
NO_NOTE = N_("Write the note")
NO_NAME = N_("Write the name")
NO_ROLE = N_("Choose what they are to the case")
NAME_TOO_LONG = N_("A name or number is too long")
TOO_MANY_NAMES = N_("There are too many names or numbers")
NO_DAY = N_("Choose the new day")


async def show_notes(request: Request) -> Response:
    return await _render_notes(request, await open_requested_case(request), Form({}))


async def take_note(request: Request) -> Response:
    case = await open_requested_case(request)
    form = await read_form(request)
    text = form.text("note")
    if not text or len(text) > TEXT_CHARS_MAX:
        return await _render_notes(request, case, form, [FieldError("note", TOO_LONG if text else NO_NOTE)])
    await commands.note(case.seen(form), case.id, text)
    return redirect(f"{case.path}/notes?done=noted")


async def show_parties(request: Request) -> Response:
    return await _render_parties(request, await open_requested_case(request), Form({}))


async def take_party(request: Request) -> Response:
    case = await open_requested_case(request)
    form = await read_form(request)
    errors = _check_party(form)
    if errors:
        return await _render_parties(request, case, form, errors)
    party = Party(form.text("party"), _lines(form, "aliases"), _lines(form, "identifiers"), form.text("role"))
    await commands.add_party(case.seen(form), case.id, party)
    return redirect(f"{case.path}/parties?done=named")


async def show_clock(request: Request) -> Response:
    return _render_clock(request, await open_requested_case(request), Form({}))


async def take_clock(request: Request) -> Response:
    case = await open_requested_case(request)
    form = await read_form(request)
    due, reasons = _read_day(form.text("due")), form.text("reasons")
    errors = []
    if due is None:
        errors.append(FieldError("due", NO_DAY))
    if not reasons or len(reasons) > TEXT_CHARS_MAX:
        errors.append(FieldError("reasons", TOO_LONG if reasons else NO_REASONS))
    if errors or due is None:
        return _render_clock(request, case, form, errors)
    await commands.extend_clock(case.seen(form), case.id, request.path_params["clock"], due, reasons)
    return redirect(f"{case.path}?done=extended")


async def _render_notes(
    request: Request, case: OpenCase, form: Form, errors: list[FieldError] | None = None
) -> Response:
    entries, unread = await read_shown(case.id, case.keys, types=("noted",), limit=SHOWN_MAX)
    return render(
        request,
        "case_notes.html",
        422 if errors else 200,
        **head_context(request, case),
        notes=[(entry.event, entry.part.text) for entry in reversed(entries) if isinstance(entry.part, Text)],
        unread=unread,
        may=may_act("noted", case.state, case.members, case.roles),
        done=request.query_params.get("done", ""),
        values={"note": form.text("note")},
        errors=errors or [],
    )


async def _render_parties(
    request: Request, case: OpenCase, form: Form, errors: list[FieldError] | None = None
) -> Response:
    entries, unread = await read_shown(case.id, case.keys, types=("party-added",), limit=SHOWN_MAX)
    return render(
        request,
        "case_parties.html",
        422 if errors else 200,
        **head_context(request, case),
        parties=[(entry.event, entry.part) for entry in entries if isinstance(entry.part, Party)],
        unread=unread,
        roles=labels.party_role_labels(translation_of(request)),
        may=may_act("party-added", case.state, case.members, case.roles),
        done=request.query_params.get("done", ""),
        values={name: form.text(name) for name in ("party", "aliases", "identifiers", "role")},
        errors=errors or [],
    )


def _render_clock(request: Request, case: OpenCase, form: Form, errors: list[FieldError] | None = None) -> Response:
    clock = find_clock(case.state.clocks, request.path_params["clock"])
    if clock is None or clock.stopped is not None:
        raise HTTPException(404)
    return render(
        request,
        "case_clock.html",
        422 if errors else 200,
        **head_context(request, case),
        clock=clock,
        source=PACKS[case.state.policy].source,
        may=may_act("clock-extended", case.state, case.members, case.roles) and clock.due < clock.due_max,
        values={name: form.text(name) for name in ("due", "reasons")},
        errors=errors or [],
    )


def _check_party(form: Form) -> list[FieldError]:
    errors = []
    if not form.text("party"):
        errors.append(FieldError("party", NO_NAME))
    elif len(form.text("party")) > NAME_CHARS_MAX:
        errors.append(FieldError("party", NAME_TOO_LONG))
    if form.text("role") not in PARTY_ROLES:
        errors.append(FieldError("role", NO_ROLE))
    for name in ("aliases", "identifiers"):
        lines = _lines(form, name)
        if len(lines) > NAMES_MAX:
            errors.append(FieldError(name, TOO_MANY_NAMES))
        elif any(len(line) > NAME_CHARS_MAX for line in lines):
            errors.append(FieldError(name, NAME_TOO_LONG))
    return errors


def _lines(form: Form, name: str) -> tuple[str, ...]:
    """One name or number a line, each once."""
    return tuple(dict.fromkeys(line.strip() for line in form.text(name).split("\n") if line.strip()))


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


routes = [
    Route("/cases/{case:id}/notes", show_notes),
    Route("/cases/{case:id}/notes", take_note, methods=["POST"]),
    Route("/cases/{case:id}/parties", show_parties),
    Route("/cases/{case:id}/parties", take_party, methods=["POST"]),
    Route("/cases/{case:id}/clocks/{clock:code}", show_clock),
    Route("/cases/{case:id}/clocks/{clock:code}", take_clock, methods=["POST"]),
]
