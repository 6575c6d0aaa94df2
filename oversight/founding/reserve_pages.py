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

from oversight.commission.keys import OfficeLockedError
from oversight.founding.forms import take_reserve
from oversight.founding.founding_draft import FoundingBrokenError, FoundingDraft
from oversight.founding.join_pages import NOT_STORED, LinkClosedError
from oversight.founding.reserve import ReserveInMaking, Share, WrongShareError, make_reserve
from oversight.founding.setup import Setup
from oversight.founding.sheets import ShareSheet
from oversight.founding.sitting import Sitting, StepClosedError, load_founding, open_sitting
from oversight.marking import N_
from oversight.web.addresses import Route, path_of
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect, render
from portal.kit.database import STORAGE_ERRORS

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
    await sitting.draft.save(replace(sitting.founding, plan=plan, reserve=reserve.public, draft=None))
    sitting.setup.reserve = reserve
    return redirect("/found/reserve")


async def show_share(request: Request) -> Response:
    _, reserve, share = await _own_share(request)
    return _render_share(request, reserve, share)


async def reveal_share(request: Request) -> Response:
    """It answers a POST: going back to it does not show the share again."""
    _, reserve, share = await _own_share(request)
    if share.is_typed_back:
        return redirect(path_of(request))
    share.shown += 1
    sheet = ShareSheet(" ".join(share.words), len(reserve.shares))
    return render(request, "found_share_shown.html", share=share, sheet=sheet, back=path_of(request))


async def type_back(request: Request) -> Response:
    form = await read_form(request)
    draft, reserve, share = await _own_share(request)
    here = path_of(request).removesuffix("/back")
    if share.is_typed_back:
        return redirect(here)
    try:
        reserve.compare(share, form.text("share"))
    except WrongShareError as error:
        problem = FieldError("share", SHARE_PROBLEMS[error.reason], {"word": error.word})
        return _render_share(request, reserve, share, [problem], {"share": form.text("share")})
    if reserve.is_last(share):
        try:
            await draft.save(replace(draft.founding, reserve=replace(reserve.public, on_paper=True)))
        except STORAGE_ERRORS:
            return _render_share(request, reserve, share, [FieldError("", NOT_STORED)], {"share": form.text("share")})
    share.forget()
    return redirect(here)


async def _own_share(request: Request) -> tuple[FoundingDraft, ReserveInMaking, Share]:
    """The share that this request may see. Raises StepClosedError, LoginRequired, or LinkClosedError by a link."""
    token = request.path_params.get("token")
    if token is not None:
        return await _share_at(request, token)
    sitting = await open_sitting(request)
    share = sitting.reserve.share_of(sitting.label) if sitting.reserve else None
    if sitting.reserve is None or share is None:
        raise StepClosedError
    return sitting.draft, sitting.reserve, share


async def _share_at(request: Request, token: str) -> tuple[FoundingDraft, ReserveInMaking, Share]:
    setup: Setup = request.app.state.setup
    try:
        draft = await load_founding(request)
    except (StepClosedError, OfficeLockedError, FoundingBrokenError):
        raise LinkClosedError("unknown") from None
    reserve = setup.reserve_of(draft.founding)
    share = reserve.share_at(token) if reserve else None
    if reserve is None or share is None:
        raise LinkClosedError("unknown")
    return draft, reserve, share


def _render_share(
    request: Request,
    reserve: ReserveInMaking,
    share: Share,
    errors: list[FieldError] | None = None,
    values: dict[str, str] | None = None,
) -> Response:
    context = {"reserve": reserve, "share": share, "here": path_of(request).removesuffix("/back")}
    status = 422 if errors else 200
    return render(request, "found_share.html", status, errors=errors or [], values=values, **context)


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
        "reserve": sitting.reserve,
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
