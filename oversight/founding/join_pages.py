# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member makes their own keys: by the setup token or an invitation, on their own screen.

The page offers six words and shows a second factor. Both exist in that page alone until the form comes back with the
passphrase, typed from paper, and a code of the app: then the keys are made, and only what the passphrase seals is kept.
"""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import LABEL
from crypto.keyring import Keyring, new_passphrase
from oversight.commission.charters import is_founded
from oversight.commission.keys import OfficeKeys, OfficeSafe
from oversight.founding.charter_draft import PublicKeys
from oversight.founding.forms import Errors, take_label, take_name
from oversight.founding.founding import Founding, invited, join
from oversight.founding.founding_draft import FoundingBrokenError, FoundingChangedError, FoundingDraft
from oversight.founding.plan import BLANK, PlannedMember
from oversight.founding.records import FoundingRecord
from oversight.founding.setup import Setup
from oversight.founding.sheets import draw_second_factor, in_groups
from oversight.founding.store import Secrets, keep_members, store_account
from oversight.marking import N_
from oversight.members.accounts import Derivations
from oversight.members.known_browsers import browser_token, remember_browser
from oversight.members.passphrase import check_new_passphrase
from oversight.members.records import MemberRecord
from oversight.members.second_factor import matching_step, new_secret
from oversight.members.sessions import LoginRequired, begin_session, current_session
from oversight.web.addresses import Route, path_of
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import locale_of, redirect, render
from portal.kit.database import STORAGE_ERRORS, transaction
from portal.kit.i18n import LOCALES

WRONG_CODE = N_("This code does not belong to the second factor shown here: scan it, then type the code of this moment")
SECRETS = {"new", "again", "code"}
"""Fields that are never filled in again."""
NOT_STORED = N_("The office could not store this: its disk may be full. Nothing was made. Try again")
TOTP_FORM = r"[A-Z2-7]{32}"


@dataclass(frozen=True)
class Guest:
    """Who has followed a link: a planned member, or the first of all, whose name is not known yet."""

    draft: FoundingDraft | None
    member: PlannedMember | None
    until: datetime | None

    @property
    def is_first(self) -> bool:
        return self.member is None


class LinkClosedError(Exception):
    """A link opens nothing: ``reason`` is "unknown" (never made, used, or replaced) or "late"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def show_join(request: Request) -> Response:
    guest = await _guest(request)
    other = await _other_session(request, guest)
    if other is not None:
        return render(request, "found_other_session.html", guest=guest, other=other)
    return _render(request, guest, {}, [])


async def take_join(request: Request) -> Response:
    """Make the keys. Nothing is kept of a form that is not taken."""
    guest = await _guest(request)
    if await _other_session(request, guest) is not None:
        return redirect(path_of(request))
    form = await read_form(request)
    member, errors = _take_person(form, guest)
    errors += check_new_passphrase(form, _own_words(member, guest))
    step = _code_step(form, request.app.state.clock())
    if step is None:
        errors.append(FieldError("code", WRONG_CODE))
    if not errors and step is not None:
        try:
            return await _make_keys(request, member, form, step)
        except STORAGE_ERRORS:
            errors.append(FieldError("", NOT_STORED))
    return _render(request, guest, {name: form.text(name) for name in form.fields if name not in SECRETS}, errors)


async def _make_keys(request: Request, member: PlannedMember, form: Form, step: int) -> Response:
    """Seal a fresh keyring, then keep it. Sealing takes a while: the link and the founding are looked at after it.

    Raises LinkClosedError when the link was used meanwhile, and one of STORAGE_ERRORS with nothing kept.
    """
    derivations: Derivations = request.app.state.derivations
    keyring = Keyring.generate(secrets.token_bytes)
    own = Secrets(await derivations.seal(keyring, form.secret("new"), member.label), form.text("secret"), step)
    while True:
        try:
            return await _keep(request, await _guest(request), member, keyring, own)
        except FoundingChangedError:
            # Somebody else joined at the same moment, or used this link.
            continue


async def _keep(request: Request, guest: Guest, member: PlannedMember, keyring: Keyring, own: Secrets) -> Response:
    """The account, its session, the invitation's end and the office's keys, sealed to one more: all of it or nothing.

    The first one makes the office's keys too.
    """
    state = request.app.state
    safe: OfficeSafe = state.office_safe
    office = OfficeKeys.generate() if guest.draft is None else safe.keys
    draft = guest.draft or FoundingDraft.begin(office.record_key)
    if guest.member is not None:
        # As they are planned now: the convener may have changed roles since the form was filled in.
        member = replace(guest.member, locale=member.locale)
    response = redirect("/found?joined")
    async with transaction():
        await keep_members(draft, _joined(draft.founding, guest, member, PublicKeys.of(keyring)), safe, office)
        record = await store_account(member, own, office.record_key)
        await begin_session(response, record, keyring, state.clock(), state.settings)
        await remember_browser(response, record, browser_token(request), state.clock(), state.settings)
    safe.keep(office)
    if guest.is_first:
        state.setup.renew()
    return response


def _joined(founding: Founding, guest: Guest, member: PlannedMember, keys: PublicKeys) -> Founding:
    if guest.is_first:
        plan = replace(founding.plan, members=(member,), governors=(member.label,))
        return join(replace(founding, plan=plan, convener=member.label), member.label, keys)
    members = tuple(member if each.label == member.label else each for each in founding.plan.members)
    return join(replace(founding, plan=replace(founding.plan, members=members)), member.label, keys)


async def _guest(request: Request) -> Guest:
    """Raises LinkClosedError; nothing tells a used link from one that never was. FoundingBrokenError."""
    token = request.path_params["token"]
    setup: Setup = request.app.state.setup
    safe: OfficeSafe = request.app.state.office_safe
    begun = await FoundingRecord.exists()
    somebody_has_keys = await MemberRecord.exists()
    if await is_founded() or not (somebody_has_keys or setup.is_token(token)):
        raise LinkClosedError("unknown")
    if not somebody_has_keys:
        if begun:
            raise FoundingBrokenError
        return Guest(None, None, None)
    if not safe.is_open:
        raise LinkClosedError("locked")
    draft = await FoundingDraft.load(safe.keys.record_key)
    found = invited(draft.founding, token)
    if found is None:
        raise LinkClosedError("unknown")
    member, invitation = found
    if request.app.state.clock() >= invitation.until:
        raise LinkClosedError("late")
    return Guest(draft, member, invitation.until)


async def _other_session(request: Request, guest: Guest) -> str | None:
    """The name of a member who is logged in here: two people's keys are not made in one browser unawares."""
    try:
        session = await current_session(request)
    except LoginRequired:
        return None
    return session.member.name


def _take_person(form: Form, guest: Guest) -> tuple[PlannedMember, Errors]:
    errors: Errors = []
    locale = form.text("locale") if form.text("locale") in LOCALES else LOCALES[0]
    if guest.member is not None:
        return replace(guest.member, locale=locale), errors
    name = take_name(form, BLANK, errors)
    label = take_label(form, errors)
    return PlannedMember(label, name, label, (), locale), errors


def _code_step(form: Form, now: datetime) -> int | None:
    secret = form.text("secret")
    return matching_step(secret, form.text("code"), now) if re.fullmatch(TOTP_FORM, secret) else None


def _own_words(member: PlannedMember, guest: Guest) -> list[str]:
    names = [] if guest.draft is None else [guest.draft.founding.plan.slug, *guest.draft.founding.plan.name.values()]
    return [member.name, member.label, *names]


def _render(request: Request, guest: Guest, values: dict[str, str], errors: Errors) -> Response:
    """The form. Words and secret stay the same from one answer to the next, so that what is on paper stays true."""
    secret = values.get("secret", "")
    if not re.fullmatch(TOTP_FORM, secret):
        secret = new_secret()
    words = values.get("offered", "")
    if not re.fullmatch(r"[a-z]+( [a-z]+){5}", words):
        words = new_passphrase(secrets.token_bytes)
    # The drawing of a long name takes a second, and of a longer one there is none.
    label = values.get("label", "").lower()
    username = guest.member.username if guest.member else label if re.fullmatch(LABEL, label) else "office"
    context = {
        "guest": guest,
        "plan": guest.draft.founding.plan if guest.draft else None,
        "words": words,
        "secret": secret,
        "groups": in_groups(secret),
        "qr_code": draw_second_factor(secret, username),
        "chosen_locale": values.get("locale") or locale_of(request),
        "address": request.app.state.settings.own_origin,
    }
    return render(request, "found_join.html", 422 if errors else 200, values=values, errors=errors, **context)


async def answer_link_closed(request: Request, error: Exception) -> Response:
    assert isinstance(error, LinkClosedError)
    return render(request, "found_link_closed.html", 410, reason=error.reason)


routes = [
    Route("/join/{token}", show_join),
    Route("/join/{token}", take_join, methods=["POST"]),
]
