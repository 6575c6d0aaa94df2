# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a member sees when there is no such page, when a form is too large, and when the office itself failed."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oversight.settings import Settings
from oversight.web.rendering import render
from portal.kit.headers import OFFICE_CSP, SecurityHeaders
from portal.kit.quiet_logging import describe_error

LOG = logging.getLogger("oversight.stored")
KINDS = {403: "forbidden", 404: "not-found", 405: "not-found"}


def render_http_error(request: Request, error: HTTPException) -> Response:
    return render(request, "error.html", error.status_code, kind=KINDS.get(error.status_code, "failure"))


async def answer_too_large(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 413, kind="too-large")


async def answer_nobody(request: Request, error: Exception) -> Response:
    """Whoever hung up in the middle of a form reads no answer, and is no failure of the office."""
    return Response(status_code=400)


async def answer_damaged(request: Request, error: Exception) -> Response:
    """Something that this page can't be without does not open, or is not genuine. The log says where."""
    LOG.error("what is stored can't be opened: %s", describe_error(error))
    return render(request, "error.html", 409, kind="damaged")


async def answer_failure(request: Request, error: Exception) -> Response:
    """Starlette answers this outside the middleware, so the headers are set here."""
    response = render(request, "error.html", 500, kind="failure")
    settings: Settings = request.app.state.settings
    for name, value in SecurityHeaders(request.app, OFFICE_CSP, settings.https).headers.items():
        response.headers[name] = value
    return response
