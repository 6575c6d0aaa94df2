# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of a founding, and where everybody is sent as long as there is no commission."""

from starlette.requests import Request
from starlette.responses import Response

from oversight.commission.charters import NotFoundedError
from oversight.founding import draft_pages, join_pages, plan_pages, reserve_pages
from oversight.founding.founding_draft import FoundingBrokenError, FoundingChangedError
from oversight.founding.join_pages import LinkClosedError, answer_link_closed
from oversight.founding.sitting import StepClosedError
from oversight.web.handlers import Handlers
from oversight.web.rendering import redirect, render


async def _answer_not_founded(request: Request, error: Exception) -> Response:
    return redirect("/found")


async def _answer_changed(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 409, kind="changed")


async def _answer_broken(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 503, kind="founding-broken")


routes = [*plan_pages.routes, *join_pages.routes, *reserve_pages.routes, *draft_pages.routes]
handlers: Handlers = {
    NotFoundedError: _answer_not_founded,
    StepClosedError: _answer_not_founded,
    LinkClosedError: answer_link_closed,
    FoundingChangedError: _answer_changed,
    FoundingBrokenError: _answer_broken,
}
