# SPDX-License-Identifier: AGPL-3.0-or-later
"""The steps of the ceremony that end on paper: each member's sheet, the shares of the reserve and their test."""

import asyncio
import secrets
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.errors import AuthenticationError, LimitError
from crypto.fingerprint import member_fingerprint
from crypto.quorum import ShareError
from oversight.founding.ceremony import Ceremony, Shares, make_shares, make_sheet, member_entry, prove_shares
from oversight.founding.forms import take_reserve
from oversight.founding.plan_pages import states
from oversight.founding.setup import SetupRequired, open_draft
from oversight.founding.sheets import MemberSheet, ShareSheet
from oversight.marking import N_
from oversight.members.accounts import Derivations
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect, render

SHARE_PROBLEMS = {
    "word": N_("One of these words is in no list of shares: look at each letter again"),
    "length": N_("A share has 33 words"),
    "checksum": N_("A word of this share is wrong, or two have changed places"),
    "form": N_("This is not a share of a reserve"),
    "mixed": N_("This share is of another set than the first one"),
    "repeated": N_("This share was typed twice"),
    "too-few": N_("Type in as many shares as are needed to open the reserve"),
}
OTHER_RESERVE = N_(
    "These shares fit together, but they are not of this reserve: are the sheets from an earlier attempt?"
)


async def show_sheets(request: Request) -> Response:
    ceremony = (await open_draft(request)).ceremony
    _require(ceremony, "sheets")
    return render(request, "found_sheet_list.html", ceremony=ceremony)


async def show_sheet(request: Request) -> Response:
    """Makes and shows a member's sheet. It answers a POST: going back to it does not show it again."""
    draft = await open_draft(request)
    _require(draft.ceremony, "sheets")
    member = draft.ceremony.plan.member(request.path_params["label"])
    if member is None:
        raise HTTPException(404)
    derivations: Derivations = request.app.state.derivations
    async with derivations.slots:
        ceremony, sheet = await asyncio.to_thread(
            make_sheet, draft.ceremony, member, derivations.seal_here, secrets.token_bytes
        )
    await draft.save(ceremony)
    keys = member_fingerprint(member_entry(ceremony, member, request.app.state.clock().date()))
    shown = MemberSheet(sheet, keys, request.app.state.settings.own_origin)
    return render(request, "found_sheet.html", sheet=shown, kind="member", back="/found/sheets")


async def show_reserve(request: Request) -> Response:
    ceremony = (await open_draft(request)).ceremony
    _require(ceremony, "reserve")
    plan = ceremony.plan
    values = {"shares": plan.reserve_shares, "threshold": plan.reserve_threshold}
    return render(request, "found_reserve.html", ceremony=ceremony, values=values)


async def split(request: Request) -> Response:
    draft = await open_draft(request)
    _require(draft.ceremony, "reserve")
    form = await read_form(request)
    plan, errors = take_reserve(form, draft.ceremony.plan)
    if errors:
        values = {"shares": form.text("shares"), "threshold": form.text("threshold")}
        blank = replace(draft.ceremony, shares=None)
        return render(request, "found_reserve.html", 422, ceremony=blank, values=values, errors=errors)
    ceremony = await asyncio.to_thread(make_shares, replace(draft.ceremony, plan=plan), secrets.token_bytes)
    await draft.save(ceremony)
    return redirect("/found/reserve")


async def show_share(request: Request) -> Response:
    draft = await open_draft(request)
    shares = draft.ceremony.shares
    number = request.path_params["number"]
    if shares is None or not 1 <= number <= len(shares.mnemonics):
        raise SetupRequired
    sheet = ShareSheet(shares.mnemonics[number - 1], shares.count)
    await draft.save(replace(draft.ceremony, shown_shares=draft.ceremony.shown_shares | {number}))
    return render(request, "found_sheet.html", sheet=sheet, kind="share", back="/found/reserve")


async def show_test(request: Request) -> Response:
    shares = _printed_shares((await open_draft(request)).ceremony)
    return render(request, "found_reserve_test.html", threshold=shares.threshold)


async def take_test(request: Request) -> Response:
    draft = await open_draft(request)
    shares = _printed_shares(draft.ceremony)
    form = await read_form(request)
    typed = [form.text(f"share-{number}") for number in range(1, shares.threshold + 1)]
    try:
        ceremony = await asyncio.to_thread(prove_shares, draft.ceremony, typed)
    except ShareError as error:
        errors = [FieldError(f"share-{error.share or 1}", SHARE_PROBLEMS[error.reason])]
    except (AuthenticationError, LimitError):
        errors = [FieldError("share-1", OTHER_RESERVE)]
    else:
        await draft.save(ceremony)
        return redirect("/found")
    values = {name: form.text(name) for name in form.fields}
    return render(request, "found_reserve_test.html", 422, threshold=shares.threshold, errors=errors, values=values)


def _printed_shares(ceremony: Ceremony) -> Shares:
    """The shares, once each of them was shown. Raises SetupRequired."""
    shares = ceremony.shares
    if shares is None or shares.tested or len(ceremony.shown_shares) < shares.count:
        raise SetupRequired
    return shares


def _require(ceremony: Ceremony, task: str) -> None:
    if states(ceremony)[task] == "waits":
        raise SetupRequired


routes = [
    Route("/found/sheets", show_sheets),
    Route("/found/sheets/{label}", show_sheet, methods=["POST"]),
    Route("/found/reserve", show_reserve),
    Route("/found/reserve", split, methods=["POST"]),
    Route("/found/reserve/shares/{number:int}", show_share, methods=["POST"]),
    Route("/found/reserve/test", show_test),
    Route("/found/reserve/test", take_test, methods=["POST"]),
]
