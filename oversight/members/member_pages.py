# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of the office's members, and a member's own account."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.errors import AuthenticationError
from crypto.fingerprint import member_fingerprint
from oversight.commission.charters import current_charter
from oversight.marking import N_
from oversight.members.accounts import PASSPHRASE_CHARS_MIN, Derivations, change_passphrase
from oversight.members.records import MemberRecord
from oversight.members.sessions import OpenSession, close_other_sessions, current_session
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render
from portal.kit.i18n import LOCALES

WRONG_PASSPHRASE = N_("This is not your present passphrase")
TOO_SHORT = N_("The new passphrase must have at least %(count)s characters. Five or six random words are good.")
NOT_REPEATED = N_("The two new passphrases differ")
NO_SUCH_LANGUAGE = N_("Choose one of the languages")


async def show_members(request: Request) -> Response:
    await current_session(request)
    charter = await current_charter()
    rows = [(member, member_fingerprint(member)) for member in charter.members]
    return render(request, "members.html", charter=charter, rows=rows, today=request.app.state.clock().date())


async def show_account(request: Request) -> Response:
    session = await current_session(request)
    return await _render_account(request, session, done=request.query_params.get("done", ""))


async def take_passphrase(request: Request) -> Response:
    session = await current_session(request)
    form = await read_form(request)
    derivations: Derivations = request.app.state.derivations
    errors = _check_new_passphrase(form)
    try:
        await derivations.open(session.member.keyring, form.secret("present"), session.member.label)
    except AuthenticationError:
        errors.insert(0, FieldError("present", WRONG_PASSPHRASE))
    if errors:
        return await _render_account(request, session, 422, errors=errors)
    await change_passphrase(session.member, session.keyring, form.secret("new"), derivations)
    await close_other_sessions(session)
    return redirect("/account?done=passphrase")


async def take_language(request: Request) -> Response:
    session = await current_session(request)
    form = await read_form(request)
    if form.text("locale") not in LOCALES:
        return await _render_account(request, session, 422, errors=[FieldError("locale", NO_SUCH_LANGUAGE)])
    await MemberRecord.filter(id=session.member.id).update(locale=form.text("locale"))
    return redirect("/account?done=language")


def _check_new_passphrase(form: Form) -> list[FieldError]:
    if len(form.secret("new")) < PASSPHRASE_CHARS_MIN:
        return [FieldError("new", TOO_SHORT, {"count": PASSPHRASE_CHARS_MIN})]
    if form.secret("new") != form.secret("again"):
        return [FieldError("again", NOT_REPEATED)]
    return []


async def _render_account(
    request: Request, session: OpenSession, status: int = 200, *, errors: list[FieldError] | None = None, done: str = ""
) -> Response:
    charter = await current_charter()
    own = next((entry for entry in charter.members if entry.label == session.member.label), None)
    context = {"own": own, "own_fingerprint": member_fingerprint(own) if own else "", "done": done}
    return render(request, "account.html", status, errors=errors or [], **context)


routes = [
    Route("/members", show_members),
    Route("/account", show_account),
    Route("/account/passphrase", take_passphrase, methods=["POST"]),
    Route("/account/language", take_language, methods=["POST"]),
]
