# SPDX-License-Identifier: AGPL-3.0-or-later
"""The founding's first page, and the convener's steps: what the commission is, who belongs to it, who is invited."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import ROLES
from crypto.fingerprint import member_fingerprint
from oversight.commission.charters import is_founded
from oversight.commission.keys import OfficeSafe
from oversight.founding.charter_draft import PublicKeys, member_entry
from oversight.founding.forms import Errors, take_commission, take_member, take_threshold, with_roles, without_member
from oversight.founding.founding import Founding, invite, new_token, with_plan
from oversight.founding.plan import Plan
from oversight.founding.sitting import Sitting, open_sitting
from oversight.founding.store import drop_account, keep_members, start_over, waiting_charter
from oversight.members.records import MemberRecord
from oversight.web.addresses import Route
from oversight.web.forms import read_form
from oversight.web.rendering import redirect, render
from portal.kit.database import forget_deleted, transaction
from portal.kit.i18n import LOCALES


async def show_overview(request: Request) -> Response:
    """What there is to do for whom; where to begin, as long as nobody has keys."""
    if await is_founded():
        return redirect("/queue")
    if not await MemberRecord.exists():
        return render(request, "found_start.html")
    sitting = await open_sitting(request, while_sent=True)
    if await waiting_charter() is not None:
        return redirect("/found/publish")
    reserve = sitting.reserve
    context: dict[str, Any] = {
        "sitting": sitting,
        "founding": sitting.founding,
        "reserve": reserve,
        "own_share": None if reserve is None else reserve.share_of(sitting.label),
        "own_fingerprint": _own_fingerprint(request, sitting),
        "joined": "joined" in request.query_params,
    }
    return render(request, "found.html", **context)


def _own_fingerprint(request: Request, sitting: Sitting) -> str:
    """Of the keys of this session, to be read out: not of what the office keeps of them."""
    plan, keys = sitting.founding.plan, PublicKeys.of(sitting.session.keyring)
    member = plan.member(sitting.label)
    if member is None or not plan.slug:
        return ""
    return member_fingerprint(member_entry(plan, member, keys, request.app.state.clock().date()))


async def drop_all(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True, while_sent=True)
    await start_over(request.app.state.office_safe)
    sitting.setup.renew()
    # The first account is made with a new token, by whoever can read the terminal.
    sitting.setup.announce(request.app.state.settings.own_origin)
    return redirect("/found")


async def show_commission(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    return render(request, "found_commission.html", values=_commission_values(sitting.founding.plan))


async def save_commission(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    form = await read_form(request)
    founding = sitting.founding
    # Whoever was invited has seen the short name, and it stands in the names of their keys.
    fixed = len(founding.keys) > 1 or bool(founding.invitations)
    plan, errors = take_commission(form, founding.plan, fixed=fixed)
    if errors:
        values = {name: form.text(name) for name in form.fields}
        return render(request, "found_commission.html", 422, errors=errors, values=values)
    await sitting.draft.save(with_plan(founding, plan))
    return redirect("/found")


async def show_people(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    return _render_people(request, sitting)


async def add_person(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    form = await read_form(request)
    plan, errors = take_member(form, sitting.founding.plan)
    if errors:
        values: dict[str, object] = {name: form.text(name) for name in form.fields}
        return _render_people(request, sitting, errors, {**values, "chosen": form.texts("roles")})
    await sitting.draft.save(with_plan(sitting.founding, plan))
    return redirect("/found/members")


async def change_person(request: Request) -> Response:
    """A planned member's roles, and whether they sign charters: the convener's own are chosen here too."""
    sitting = await open_sitting(request, convener=True)
    form = await read_form(request)
    plan = sitting.founding.plan
    member = plan.member(request.path_params["label"])
    if member is None:
        raise HTTPException(404)
    changed = with_roles(plan, member.label, form.texts("roles"), governor=bool(form.text("governor")))
    return await _save_people(sitting, changed)


async def remove_person(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    form = await read_form(request)
    label = form.text("label")
    if label == sitting.founding.convener:
        raise HTTPException(403)
    if sitting.founding.plan.member(label) is None:
        # A second click, or another tab: whoever is not there any more is not removed again.
        return redirect("/found/members")
    founding = with_plan(sitting.founding, without_member(sitting.founding.plan, label))
    await _keep_members(request, sitting, founding, label)
    return redirect("/found/members")


async def save_threshold(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    form = await read_form(request)
    plan, errors = take_threshold(form, sitting.founding.plan)
    if errors:
        return _render_people(request, sitting, errors, {"threshold": form.text("threshold")})
    return await _save_people(sitting, plan)


async def send_invitation(request: Request) -> Response:
    """Make a member's link and show it, once: it answers a POST. Keys that were made by an earlier one are dropped."""
    sitting = await open_sitting(request, convener=True)
    label = request.path_params["label"]
    member = sitting.founding.plan.member(label)
    if member is None or label == sitting.founding.convener or sitting.states["commission"] != "done":
        raise HTTPException(404)
    token = new_token()
    founding = invite(sitting.founding, label, token, request.app.state.clock())
    await _keep_members(request, sitting, founding, label)
    link = f"{request.app.state.settings.own_origin}/join/{token}"
    return render(request, "found_invitation.html", member=member, link=link)


async def _keep_members(request: Request, sitting: Sitting, founding: Founding, dropped: str) -> None:
    """Keep a state in which one member has no keys any more, and end what they had: account and sessions."""
    safe: OfficeSafe = request.app.state.office_safe
    async with transaction():
        await drop_account(dropped)
        await keep_members(sitting.draft, founding, safe, safe.keys)
    await forget_deleted()


async def _save_people(sitting: Sitting, plan: Plan) -> Response:
    await sitting.draft.save(with_plan(sitting.founding, plan))
    return redirect("/found/members")


def _render_people(
    request: Request, sitting: Sitting, errors: Errors | None = None, values: dict[str, object] | None = None
) -> Response:
    founding: Founding = sitting.founding
    context = {
        "founding": founding,
        "plan": founding.plan,
        "roles": ROLES,
        "now": request.app.state.clock(),
        "may_invite": sitting.states["commission"] == "done",
    }
    return render(request, "found_members.html", 422 if errors else 200, errors=errors or [], values=values, **context)


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
    Route("/found", show_overview),
    Route("/found/start-over", drop_all, methods=["POST"]),
    Route("/found/commission", show_commission),
    Route("/found/commission", save_commission, methods=["POST"]),
    Route("/found/members", show_people),
    Route("/found/members", add_person, methods=["POST"]),
    Route("/found/members/remove", remove_person, methods=["POST"]),
    Route("/found/members/threshold", save_threshold, methods=["POST"]),
    Route("/found/members/{label:label}/roles", change_person, methods=["POST"]),
    Route("/found/members/{label:label}/invite", send_invitation, methods=["POST"]),
]
