# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of the office's members, and a member's own account."""

from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import Charter
from crypto.errors import AuthenticationError
from crypto.fingerprint import member_fingerprint
from crypto.keyring import new_passphrase
from oversight.commission.charters import current_charter
from oversight.marking import N_
from oversight.members.accounts import Derivations, change_passphrase, keys_are_broken
from oversight.members.known_browsers import browser_token, browsers_of, forget_other_browsers
from oversight.members.login_pages import KEYS_BROKEN
from oversight.members.passphrase import check_new_passphrase
from oversight.members.records import MemberRecord
from oversight.members.sessions import OpenSession, close_other_sessions, current_session
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render
from portal.kit.i18n import LOCALES

WRONG_PASSPHRASE = N_("This is not your present passphrase")
CHANGED = N_("Your passphrase was changed on another page at the same moment. Log in with the one that holds.")
NO_SUCH_LANGUAGE = N_("Choose one of the languages")


async def show_members(request: Request) -> Response:
    await current_session(request)
    charter = await current_charter()
    rows = [(member, member_fingerprint(member)) for member in charter.members]
    broken = {member.label for member in await MemberRecord.all() if keys_are_broken(member)}
    today = request.app.state.clock().date()
    return render(request, "members.html", charter=charter, rows=rows, broken=broken, today=today)


async def show_account(request: Request) -> Response:
    session = await current_session(request)
    return await _render_account(request, session, done=request.query_params.get("done", ""))


async def back_to_account(request: Request) -> Response:
    """Where an answer to a form is asked for once more, as by its address."""
    return redirect("/account")


async def take_passphrase(request: Request) -> Response:
    session = await current_session(request)
    form = await read_form(request)
    derivations: Derivations = request.app.state.derivations
    errors = check_new_passphrase(form, own_words(session.member, await current_charter()))
    errors = await _check_present_passphrase(session.member, form, derivations) + errors
    if errors:
        return await _render_account(request, session, 422, errors=errors)
    if not await change_passphrase(session.member, session.keyring, form.secret("new"), derivations):
        return await _render_account(request, session, 409, errors=[FieldError("present", CHANGED)])
    await close_other_sessions(session)
    await forget_other_browsers(session.member, browser_token(request))
    return redirect("/account?done=passphrase")


async def show_made_passphrase(request: Request) -> Response:
    """The account with a fresh passphrase. It answers a POST: going back to it does not show it again."""
    return await _render_account(request, await current_session(request), made=new_passphrase())


async def forget_browsers(request: Request) -> Response:
    session = await current_session(request)
    await forget_other_browsers(session.member, browser_token(request))
    return redirect("/account?done=browsers")


async def take_language(request: Request) -> Response:
    session = await current_session(request)
    form = await read_form(request)
    if form.text("locale") not in LOCALES:
        return await _render_account(request, session, 422, errors=[FieldError("locale", NO_SUCH_LANGUAGE)])
    await MemberRecord.filter(id=session.member.id).update(locale=form.text("locale"))
    return redirect("/account?done=language")


def own_words(member: MemberRecord, charter: Charter) -> list[str]:
    """What is tried first against this member's passphrase: the names of the member and the commission."""
    return [member.name, member.username, member.label, charter.slug, *charter.name.values()]


async def _check_present_passphrase(member: MemberRecord, form: Form, derivations: Derivations) -> list[FieldError]:
    if keys_are_broken(member):
        return [FieldError("present", KEYS_BROKEN)]
    try:
        await derivations.open(member.keyring, form.secret("present"), member.label)
    except AuthenticationError:
        return [FieldError("present", WRONG_PASSPHRASE)]
    return []


async def _render_account(request: Request, session: OpenSession, status: int = 200, **shown: object) -> Response:
    """The page with what is ``shown`` on it: ``errors``, what was ``done``, a passphrase that was ``made``."""
    charter = await current_charter()
    own = next((entry for entry in charter.members if entry.label == session.member.label), None)
    context = {
        "own": own,
        "own_fingerprint": member_fingerprint(own) if own else "",
        "browsers": await browsers_of(session.member, browser_token(request)),
        "done": "",
        "made": "",
    }
    return render(request, "account.html", status, **{**context, **shown})


routes = [
    Route("/members", show_members),
    Route("/account", show_account),
    *(Route(f"/account/{form}", back_to_account) for form in ("passphrase", "passphrase/make", "browsers", "language")),
    Route("/account/passphrase", take_passphrase, methods=["POST"]),
    Route("/account/passphrase/make", show_made_passphrase, methods=["POST"]),
    Route("/account/browsers", forget_browsers, methods=["POST"]),
    Route("/account/language", take_language, methods=["POST"]),
]
