# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reserve: the convener says who keeps its shares; each keeper sees one, on their own screen, and types it back.

A keeper who is a member finds the share in their own session, any other one by a one-time link.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oversight.commission.keys import OfficeLockedError
from oversight.founding.forms import take_reserve
from oversight.founding.join_pages import LinkClosedError
from oversight.founding.reserve import ReserveInMaking, Share, WrongShareError, make_reserve
from oversight.founding.setup import Setup
from oversight.founding.sheets import ShareSheet
from oversight.founding.sitting import Sitting, StepClosedError, load_founding, open_sitting
from oversight.marking import N_
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect, render

SHARE_PROBLEMS = {
    "length": N_("A share has 33 words"),
    "word": N_("Word %(word)s is not the one that was shown: look at your paper again"),
    "number": N_("This is another keeper’s share of the same reserve"),
    "reserve": N_("This share is from an earlier attempt: destroy that paper"),
}


async def show_reserve(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    _require(sitting)
    return _render_reserve(request, sitting, {}, [])


async def make(request: Request) -> Response:
    """Make the shares. An earlier reserve, and a draft that names it, are worth nothing from now on."""
    sitting = await open_sitting(request, convener=True)
    _require(sitting)
    form = await read_form(request)
    plan, keepers, errors = take_reserve(form, sitting.founding.plan)
    if errors:
        values = {**{name: form.text(name) for name in form.fields}, "keepers": form.texts("keepers")}
        return _render_reserve(request, sitting, values, errors)
    reserve = await asyncio.to_thread(make_reserve, plan.reserve_threshold, keepers, secrets.token_bytes)
    await sitting.draft.save(replace(sitting.founding, plan=plan, reserve=None, draft=None))
    sitting.setup.reserve = reserve
    return redirect("/found/reserve")


async def show_share(request: Request) -> Response:
    _, share = await _own_share(request)
    return _render_share(request, share)


async def reveal_share(request: Request) -> Response:
    """It answers a POST: going back to it does not show the share again."""
    reserve, share = await _own_share(request)
    if share.is_typed_back:
        return redirect(request.url.path)
    share.shown += 1
    sheet = ShareSheet(" ".join(share.words), len(reserve.shares))
    return render(request, "found_share_shown.html", share=share, sheet=sheet, back=request.url.path)


async def type_back(request: Request) -> Response:
    reserve, share = await _own_share(request)
    here = request.url.path.removesuffix("/back")
    form = await read_form(request)
    if share.is_typed_back:
        return redirect(here)
    try:
        reserve.type_back(share, form.text("share"))
    except WrongShareError as error:
        problem = FieldError("share", SHARE_PROBLEMS[error.reason], {"word": error.word})
        return _render_share(request, share, [problem], {"share": form.text("share")})
    if reserve.is_done:
        await _finish(request, reserve)
    return redirect(here)


async def _finish(request: Request, reserve: ReserveInMaking) -> None:
    """Every share is on paper: what is public of the reserve is kept, and the rest is forgotten."""
    draft = await load_founding(request)
    await draft.save(replace(draft.founding, reserve=reserve.finished, draft=None))


async def _own_share(request: Request) -> tuple[ReserveInMaking, Share]:
    """The share that this request may see. Raises StepClosedError, LoginRequired, or LinkClosedError by a link."""
    setup: Setup = request.app.state.setup
    token = request.path_params.get("token")
    if token is not None:
        share = setup.reserve.share_at(token) if setup.reserve else None
        try:
            await load_founding(request)
        except (StepClosedError, OfficeLockedError):
            share = None
        if setup.reserve is None or share is None:
            raise LinkClosedError("unknown")
        return setup.reserve, share
    sitting = await open_sitting(request)
    share = setup.reserve.share_of(sitting.label) if setup.reserve else None
    if setup.reserve is None or share is None:
        raise StepClosedError
    return setup.reserve, share


def _render_share(
    request: Request, share: Share, errors: list[FieldError] | None = None, values: dict[str, str] | None = None
) -> Response:
    here = request.url.path.removesuffix("/back")
    status = 422 if errors else 200
    return render(request, "found_share.html", status, share=share, here=here, errors=errors or [], values=values)


def _render_reserve(
    request: Request, sitting: Sitting, values: Mapping[str, object], errors: list[FieldError]
) -> Response:
    plan = sitting.founding.plan
    filled = {
        "keepers": [member.label for member in plan.members],
        "outside": max(0, 2 - len(plan.members)),
        "threshold": plan.reserve_threshold,
        **values,
    }
    context = {
        "founding": sitting.founding,
        "plan": plan,
        "reserve": sitting.setup.reserve,
        "address": request.app.state.settings.own_origin,
    }
    return render(request, "found_reserve.html", 422 if errors else 200, values=filled, errors=errors, **context)


def _require(sitting: Sitting) -> None:
    if sitting.states["reserve"] == "waits":
        raise StepClosedError


routes = [
    Route("/found/reserve", show_reserve),
    Route("/found/reserve", make, methods=["POST"]),
    Route("/found/share", show_share),
    Route("/found/share", reveal_share, methods=["POST"]),
    Route("/found/share/back", type_back, methods=["POST"]),
    Route("/share/{token}", show_share),
    Route("/share/{token}", reveal_share, methods=["POST"]),
    Route("/share/{token}/back", type_back, methods=["POST"]),
]
