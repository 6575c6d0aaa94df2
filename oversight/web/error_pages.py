# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a member sees when there is no such page, when a form is too large, when nothing can be written, and when the
office itself failed."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oversight.settings import Settings
from oversight.web.forms import Form
from oversight.web.handlers import Handler
from oversight.web.rendering import render
from portal.kit.database import STORAGE_ERRORS
from portal.kit.headers import OFFICE_CSP, security_headers
from portal.kit.quiet_logging import describe_error
from portal.kit.unwritable import Unwritable, why_unwritable

LOG = logging.getLogger("oversight.stored")
RETRY_SECONDS = 5
"""After so many it is worth to ask again what was answered 503."""
SECRET_FIELDS = frozenset({"passphrase", "present", "new", "again", "code", "secret", "share", "token", "invitation"})
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


async def answer_unwritable(request: Request, error: Exception) -> Response:
    """The disk is full, or the database takes nothing. A posted form stands on the page, to be sent again.

    Raises an error of another kind again: it is a failure.
    """
    kind = why_unwritable(error)
    if kind is None:
        raise error
    return _unwritable(request, kind, _to_send_again(request))


def answer_without_database(answer: Handler) -> Handler:
    """The same answer to an error; should that need the database too, and it is away, what is said of that."""

    async def answered(request: Request, error: Exception) -> Response:
        try:
            return await answer(request, error)
        except STORAGE_ERRORS as lost:
            return await answer_unwritable(request, lost)

    return answered


def _unwritable(request: Request, kind: Unwritable, again: list[tuple[str, str]]) -> Response:
    status = 507 if kind is Unwritable.FULL else 503
    response = render(request, "error.html", status, kind=kind.value, again=again)
    response.headers["retry-after"] = str(RETRY_SECONDS)
    return response


def _to_send_again(request: Request) -> list[tuple[str, str]]:
    """The fields of the posted form; none when there is a secret among them, which stands on no page."""
    form: Form | None = getattr(request.state, "form", None)
    if form is None or not SECRET_FIELDS.isdisjoint(form.fields):
        return []
    return [(name, value) for name, values in form.fields.items() for value in values]


async def answer_failure(request: Request, error: Exception) -> Response:
    """Starlette answers this outside the middleware, so the headers are set here."""
    kind = why_unwritable(error)
    response = _unwritable(request, kind, []) if kind else render(request, "error.html", 500, kind="failure", again=[])
    settings: Settings = request.app.state.settings
    for name, value in security_headers(OFFICE_CSP, settings.https).items():
        response.headers[name] = value
    return response
