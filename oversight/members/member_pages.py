# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who is in the office, and a member's own account."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.errors import AuthenticationError
from crypto.fingerprint import member_fingerprint
from oversight.commission.charters import current_charter
from oversight.members.accounts import PASSPHRASE_CHARS_MIN, Derivations, change_passphrase
from oversight.members.records import Member
from oversight.members.sessions import Unlocked, close_other_sessions, unlocked
from oversight.web.forms import N_, FieldError, Form, read_form
from oversight.web.rendering import redirect, render
from portal.kit.i18n import LOCALES

WRONG_PASSPHRASE = N_("This is not your present passphrase")
TOO_SHORT = N_("The new passphrase must have at least %(count)s characters. Five or six random words are good.")
NOT_REPEATED = N_("The two new passphrases differ")
NO_SUCH_LANGUAGE = N_("Choose one of the languages")


async def show_members(request: Request) -> Response:
    await unlocked(request)
    charter = await current_charter()
    rows = [(member, member_fingerprint(member)) for member in charter.members]
    return render(request, "members.html", charter=charter, rows=rows, today=request.app.state.clock().date())


async def show_account(request: Request) -> Response:
    member = await unlocked(request)
    return await _render_account(request, member, done=request.query_params.get("done", ""))


async def take_passphrase(request: Request) -> Response:
    member = await unlocked(request)
    form = await read_form(request)
    derivations: Derivations = request.app.state.derivations
    errors = _check_new_passphrase(form)
    try:
        await derivations.open(member.member.keyring, form.secret("present"), member.member.label)
    except AuthenticationError:
        errors.insert(0, FieldError("present", WRONG_PASSPHRASE))
    if errors:
        return await _render_account(request, member, 422, errors=errors)
    await change_passphrase(member.member, member.keyring, form.secret("new"), derivations)
    await close_other_sessions(member)
    return redirect("/account?done=passphrase")


async def take_language(request: Request) -> Response:
    member = await unlocked(request)
    form = await read_form(request)
    if form.text("locale") not in LOCALES:
        return await _render_account(request, member, 422, errors=[FieldError("locale", NO_SUCH_LANGUAGE)])
    await Member.filter(id=member.member.id).update(locale=form.text("locale"))
    return redirect("/account?done=language")


def _check_new_passphrase(form: Form) -> list[FieldError]:
    if len(form.secret("new")) < PASSPHRASE_CHARS_MIN:
        return [FieldError("new", TOO_SHORT, {"count": PASSPHRASE_CHARS_MIN})]
    if form.secret("new") != form.secret("again"):
        return [FieldError("again", NOT_REPEATED)]
    return []


async def _render_account(
    request: Request, member: Unlocked, status: int = 200, *, errors: list[FieldError] | None = None, done: str = ""
) -> Response:
    charter = await current_charter()
    own = next((entry for entry in charter.members if entry.label == member.member.label), None)
    context = {"own": own, "own_fingerprint": member_fingerprint(own) if own else "", "done": done}
    return render(request, "account.html", status, errors=errors or [], **context)


routes = [
    Route("/members", show_members),
    Route("/account", show_account),
    Route("/account/passphrase", take_passphrase, methods=["POST"]),
    Route("/account/language", take_language, methods=["POST"]),
]
