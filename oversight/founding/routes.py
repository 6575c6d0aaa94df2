# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of the ceremony, and where everybody is sent as long as there is no commission."""

from starlette.requests import Request
from starlette.responses import Response

from oversight.commission.charters import NotFoundedError
from oversight.founding import paper_pages, plan_pages, sign_pages
from oversight.founding.founding_draft import FoundingChangedError
from oversight.founding.setup import SetupRequired
from oversight.web.handlers import Handlers
from oversight.web.rendering import redirect, render


async def _answer_not_founded(request: Request, error: Exception) -> Response:
    return redirect("/found")


async def _answer_changed(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 409, kind="changed")


routes = [*plan_pages.routes, *paper_pages.routes, *sign_pages.routes]
handlers: Handlers = {
    NotFoundedError: _answer_not_founded,
    SetupRequired: _answer_not_founded,
    FoundingChangedError: _answer_changed,
}
