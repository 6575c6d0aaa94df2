# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ceremony's task list, and its first steps: what the commission is, and who belongs to it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.charter import ROLES
from crypto.errors import CryptoError
from oversight.commission.charters import is_founded
from oversight.founding.ceremony import Ceremony, with_plan
from oversight.founding.forms import take_commission, take_member, take_threshold, without_member
from oversight.founding.founding_draft import FoundingDraft, is_setup_token
from oversight.founding.plan import Plan, read_plan
from oversight.founding.setup import grant, is_granted, open_draft, require_setup
from oversight.founding.store import start_over, waiting_charter
from oversight.marking import N_
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect, render
from portal.kit.i18n import LOCALES

WRONG_TOKEN = N_("This is not the setup token that the office printed")


async def show_tasks(request: Request) -> Response:
    """The task list, or the question for the setup token."""
    if await is_founded():
        return redirect("/login")
    if not is_granted(request):
        return render(request, "found_token.html")
    if await waiting_charter() is not None:
        return redirect("/found/sign")
    draft = await open_draft(request)
    ceremony = draft.ceremony
    return render(request, "found.html", ceremony=ceremony, states=states(ceremony))


async def take_token(request: Request) -> Response:
    form = await read_form(request)
    if await is_founded():
        return redirect("/login")
    settings = request.app.state.settings
    if not is_setup_token(settings.secrets, form.text("token")):
        return render(request, "found_token.html", 403, errors=[FieldError("token", WRONG_TOKEN)])
    response = redirect("/found")
    grant(response, form.text("token"), settings)
    return response


async def drop_all(request: Request) -> Response:
    await require_setup(request)
    await start_over()
    return redirect("/found")


async def show_commission(request: Request) -> Response:
    plan = (await open_draft(request)).ceremony.plan
    return render(request, "found_commission.html", values=_commission_values(plan))


async def save_commission(request: Request) -> Response:
    draft = await open_draft(request)
    form = await read_form(request)
    ceremony = draft.ceremony
    plan, errors = take_commission(form, ceremony.plan, keys_exist=bool(ceremony.keyrings))
    if errors:
        values = {name: form.text(name) for name in form.fields}
        return render(request, "found_commission.html", 422, errors=errors, values=values)
    await draft.save(with_plan(ceremony, plan))
    return redirect("/found")


async def show_people(request: Request) -> Response:
    return _render_people(request, (await open_draft(request)).ceremony)


async def add_person(request: Request) -> Response:
    draft = await open_draft(request)
    form = await read_form(request)
    plan, errors = take_member(form, draft.ceremony.plan)
    if errors:
        values: dict[str, object] = {name: form.text(name) for name in form.fields}
        values |= {"chosen": form.texts("roles")}
        return _render_people(request, draft.ceremony, errors, values)
    return await _save_people(draft, plan)


async def remove_person(request: Request) -> Response:
    draft = await open_draft(request)
    form = await read_form(request)
    return await _save_people(draft, without_member(draft.ceremony.plan, form.text("label")))


async def save_threshold(request: Request) -> Response:
    draft = await open_draft(request)
    form = await read_form(request)
    plan, errors = take_threshold(form, draft.ceremony.plan)
    if errors:
        return _render_people(request, draft.ceremony, errors, {"threshold": form.text("threshold")})
    return await _save_people(draft, plan)


def states(ceremony: Ceremony) -> Mapping[str, str]:
    """How far each task is: ``done``, ``due`` or ``waits`` for the ones before it."""
    plan = ceremony.plan
    done = {
        "commission": bool(plan.slug),
        "people": bool(plan.members) and 1 <= plan.governors_threshold <= len(plan.governors),
        "sheets": bool(plan.members) and ceremony.sheets_done,
        "reserve": ceremony.shares_done,
        "sign": False,
    }
    open_now = {
        "commission": True,
        "people": True,
        "sheets": done["commission"] and done["people"],
        "reserve": done["commission"] and done["people"],
        "sign": all(done[task] for task in ("commission", "people", "sheets", "reserve")) and is_complete(plan),
    }
    return {task: "done" if done[task] else "due" if open_now[task] else "waits" for task in done}


def is_complete(plan: Plan) -> bool:
    """Whether a founding file with this content would be taken."""
    try:
        read_plan(plan.to_value())
    except CryptoError:
        return False
    return True


async def _save_people(draft: FoundingDraft, plan: Plan) -> Response:
    await draft.save(with_plan(draft.ceremony, plan))
    return redirect("/found/members")


def _render_people(
    request: Request,
    ceremony: Ceremony,
    errors: list[FieldError] | None = None,
    values: dict[str, object] | None = None,
) -> Response:
    status = 422 if errors else 200
    context = {"plan": ceremony.plan, "roles": ROLES, "errors": errors or [], "values": values or {}}
    return render(request, "found_members.html", status, **context)


def _commission_values(plan: Plan) -> dict[str, object]:
    values: dict[str, object] = {
        "slug": plan.slug,
        "jurisdictions": " ".join(plan.jurisdictions),
        "days_valid": plan.days_valid,
        "grace_days": plan.grace_days,
        "reply_days": plan.reply_days,
    }
    for locale in LOCALES:
        values[f"name-{locale}"] = plan.name.get(locale, "")
        values[f"mandate-{locale}"] = plan.mandate.get(locale, "")
    return values


routes = [
    Route("/found", show_tasks),
    Route("/found", take_token, methods=["POST"]),
    Route("/found/start-over", drop_all, methods=["POST"]),
    Route("/found/commission", show_commission),
    Route("/found/commission", save_commission, methods=["POST"]),
    Route("/found/members", show_people),
    Route("/found/members", add_person, methods=["POST"]),
    Route("/found/members/remove", remove_person, methods=["POST"]),
    Route("/found/members/threshold", save_threshold, methods=["POST"]),
]
