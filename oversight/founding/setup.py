# SPDX-License-Identifier: AGPL-3.0-or-later
"""Access to the ceremony in a browser: for the holder of the setup token, until the commission is founded."""

from starlette.requests import Request
from starlette.responses import Response

from oversight.commission.charters import is_founded
from oversight.founding.founding_draft import FoundingDraft, is_setup_token
from oversight.founding.store import waiting_charter
from oversight.settings import Settings


class SetupRequired(Exception):
    """The ceremony is not open to this browser, or not at this step; the answer is the ceremony's first page."""


def cookie_name(settings: Settings) -> str:
    return "__Host-setup" if settings.https else "setup"


def grant(response: Response, token: str, settings: Settings) -> None:
    """Remember the setup token in this browser until it is closed."""
    response.set_cookie(cookie_name(settings), token, path="/", secure=settings.https, httponly=True, samesite="strict")


def withdraw(response: Response, settings: Settings) -> None:
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.https, httponly=True, samesite="strict")


def is_granted(request: Request) -> bool:
    """Whether this browser holds the setup token. Not checked: that there is a ceremony to be held."""
    settings: Settings = request.app.state.settings
    typed = request.cookies.get(cookie_name(settings), "")
    return bool(typed) and is_setup_token(settings.secrets, typed)


async def require_setup(request: Request) -> None:
    """Raise SetupRequired unless this browser holds the setup token and there is no commission yet."""
    if await is_founded() or not is_granted(request):
        raise SetupRequired


async def open_draft(request: Request) -> FoundingDraft:
    """The ceremony in progress. Raises SetupRequired, also once its charter is signed."""
    await require_setup(request)
    if await waiting_charter() is not None:
        raise SetupRequired
    settings: Settings = request.app.state.settings
    return await FoundingDraft.load(settings.secrets)
