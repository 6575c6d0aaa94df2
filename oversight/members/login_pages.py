# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in, and locking."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from oversight.marking import N_
from oversight.members.accounts import AccountBroken, Attempt, log_in
from oversight.members.failed_logins import LoginMustWait, LoginRefused
from oversight.members.known_browsers import browser_token, remember_browser
from oversight.members.records import MemberRecord
from oversight.members.sessions import LoginRequired, begin_session, close_session, current_session, end_sessions
from oversight.web.addresses import Route, path_of
from oversight.web.error_pages import RETRY_SECONDS
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render
from portal.kit.waiting_line import LineFullError

FORM_BYTES_MAX = 32 * 1024
"""Nobody needs to be logged in to send it. The longest passphrase, with every byte escaped, has 12 KiB."""
# Not "cookies", which would forget the known browser, and not "executionContexts", which browsers do not act on.
CLEARED = '"cache", "storage"'
DO_NOT_MATCH = N_("Username, passphrase and code do not match. A code is taken once: wait for the next one.")
MUST_WAIT = N_("Too many attempts for this username. Try again in %(seconds)s seconds.")
LINE_FULL = N_(
    "Many are logging in at this moment, and your attempt was not looked at. Try again in %(seconds)s seconds."
)
KEYS_BROKEN = N_(
    "Your keys can’t be read in the office’s database. Tell whoever runs the office: a backup may have them."
)


async def show_login(request: Request) -> Response:
    if not await MemberRecord.exists():
        return redirect("/found")
    try:
        await current_session(request)
    except LoginRequired:
        values = {"next": local_path(request.query_params.get("next", ""))}
        said = next((word for word in ("locked", "ended") if word in request.query_params), "")
        return render(request, "login.html", values=values, said=said)
    return redirect("/")


async def take_login(request: Request) -> Response:
    state = request.app.state
    form = await read_form(request, FORM_BYTES_MAX)
    browser = browser_token(request)
    attempt = Attempt(form.text("username"), form.secret("passphrase"), form.text("code"), browser)
    try:
        member, keyring = await log_in(attempt, state.derivations, state.office_safe, state.clock())
    except LoginMustWait as refusal:
        return _make_wait(request, form, MUST_WAIT, refusal.seconds, 429)
    except LineFullError:
        return _make_wait(request, form, LINE_FULL, RETRY_SECONDS, 503)
    except AccountBroken:
        return _refuse(request, form, FieldError("username", KEYS_BROKEN), 403)
    except LoginRefused:
        return _refuse(request, form, FieldError("username", DO_NOT_MATCH), 403)
    await close_session(request, Response())
    await end_sessions(state.clock(), state.settings)
    response = redirect(local_path(form.text("next")))
    await begin_session(response, member, keyring, state.clock(), state.settings)
    await remember_browser(response, member, browser, state.clock(), state.settings)
    return response


async def lock(request: Request) -> Response:
    response = redirect("/login?locked")
    await close_session(request, response)
    response.headers["clear-site-data"] = CLEARED
    return response


def to_login(request: Request) -> Response:
    """To the login page, and from there back to the page that was asked for. What a form sent is not kept."""
    if request.method not in {"GET", "HEAD"}:
        return redirect("/login?ended")
    if path_of(request) == "/":
        return redirect("/login")
    query = request.scope["query_string"].decode("latin-1")
    wanted = path_of(request) + (f"?{query}" if query else "")
    return redirect(f"/login?next={quote(wanted, safe='/')}")


def local_path(text: str) -> str:
    """``text`` if it is a path of this office, the start page otherwise: nobody is sent elsewhere after a login."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    ours = text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return text if ours and text.isprintable() and "\\" not in text else "/"


def _refuse(request: Request, form: Form, error: FieldError, status: int) -> Response:
    values = {"next": local_path(form.text("next")), "username": form.text("username")}
    said = "wait" if status in {429, 503} else ""
    return render(request, "login.html", status, errors=[error], values=values, said=said)


def _make_wait(request: Request, form: Form, message: str, seconds: int, status: int) -> Response:
    """The page with the username still there; the passphrase and the code are never sent back."""
    response = _refuse(request, form, FieldError("username", message, {"seconds": seconds}), status)
    response.headers["retry-after"] = str(seconds)
    return response


routes = [
    Route("/login", show_login),
    Route("/login", take_login, methods=["POST"]),
    Route("/lock", lock, methods=["POST"]),
    Route("/logout", lock, methods=["POST"]),
]
