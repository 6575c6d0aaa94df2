# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of members: logging in, who there is. An error is shown to a member as one who is logged in."""

from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oversight.commission.keys import OfficeKeysLostError, OfficeLockedError
from oversight.members import login_pages, member_pages
from oversight.members.sessions import LoginRequired, current_session
from oversight.web.error_pages import render_http_error
from oversight.web.handlers import Handlers
from oversight.web.rendering import render


async def _answer_login_required(request: Request, error: Exception) -> Response:
    return login_pages.to_login(request)


async def _answer_locked(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 503, kind="locked")


async def _answer_keys_lost(request: Request, error: Exception) -> Response:
    """Only who has opened a keyring comes here: by the passphrase, or by a session."""
    return render(request, "error.html", 503, kind="keys-lost")


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    with suppress(LoginRequired, OfficeKeysLostError):
        await current_session(request)
    return render_http_error(request, error)


routes = [*login_pages.routes, *member_pages.routes]
handlers: Handlers = {
    LoginRequired: _answer_login_required,
    OfficeLockedError: _answer_locked,
    OfficeKeysLostError: _answer_keys_lost,
    HTTPException: _answer_http_error,
}
