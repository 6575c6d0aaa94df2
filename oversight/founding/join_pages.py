# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member makes their own keys: by the setup token or an invitation, on their own screen.

The page offers six words and shows a second factor. Both exist in that page alone until the form comes back with the
passphrase, typed from paper, and a code of the app: then the keys are made, and only what the passphrase seals is kept.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.charter import LABEL, NAME_CHARS_MAX
from crypto.keyring import Keyring, new_passphrase
from oversight.commission.charters import is_founded
from oversight.commission.keys import OfficeKeys, OfficeSafe
from oversight.founding.forms import NO_MEMBER_NAME, WRONG_LABEL, Errors, take_name
from oversight.founding.founding import Founding, PublicKeys, invited, join
from oversight.founding.founding_draft import FoundingDraft
from oversight.founding.plan import PlannedMember
from oversight.founding.setup import Setup
from oversight.founding.sheets import draw_second_factor, in_groups
from oversight.founding.store import Secrets, store_account
from oversight.marking import N_
from oversight.members.accounts import Derivations
from oversight.members.known_browsers import browser_token, remember_browser
from oversight.members.passphrase import check_new_passphrase
from oversight.members.records import MemberRecord
from oversight.members.second_factor import matching_step, new_secret
from oversight.members.sessions import LoginRequired, begin_session, current_session
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import locale_of, redirect, render
from portal.kit.database import transaction
from portal.kit.i18n import LOCALES

WRONG_CODE = N_("This code does not belong to the second factor shown here: scan it, then type the code of this moment")
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
        return redirect(request.url.path)
    form = await read_form(request)
    member, errors = _take_person(form, guest)
    errors += check_new_passphrase(form, _own_words(member, guest))
    step = _code_step(form, request.app.state.clock())
    if step is None:
        errors.append(FieldError("code", WRONG_CODE))
    if errors or step is None:
        return _render(request, guest, {name: form.text(name) for name in form.fields}, errors)
    return await _make_keys(request, guest, member, form, step)


async def _make_keys(request: Request, guest: Guest, member: PlannedMember, form: Form, step: int) -> Response:
    """The account, the invitation's end and the office's keys, sealed to one more: all of it or nothing.

    The first one makes the office's keys too.
    """
    state = request.app.state
    safe: OfficeSafe = state.office_safe
    derivations: Derivations = state.derivations
    keyring = Keyring.generate(secrets.token_bytes)
    sealed = await derivations.seal(keyring, form.secret("new"), member.label)
    office = safe.keys if safe.is_open else OfficeKeys.generate()
    draft = guest.draft or FoundingDraft(Founding(), office.record_key, None)
    founding = _joined(draft.founding, guest, member, PublicKeys.of(keyring))
    async with transaction():
        await draft.save(founding)
        record = await store_account(member, Secrets(sealed, form.text("secret"), step), office.record_key)
        await asyncio.to_thread(safe.write, office, founding.recipients)
    safe.keep(office)
    if guest.is_first:
        state.setup.renew()
    response = redirect("/found?joined")
    await begin_session(response, record, keyring, state.clock(), state.settings)
    await remember_browser(response, record, browser_token(request), state.clock(), state.settings)
    return response


def _joined(founding: Founding, guest: Guest, member: PlannedMember, keys: PublicKeys) -> Founding:
    if guest.is_first:
        plan = replace(founding.plan, members=(member,), governors=(member.label,))
        return join(replace(founding, plan=plan, convener=member.label), member.label, keys)
    members = tuple(member if each.label == member.label else each for each in founding.plan.members)
    return join(replace(founding, plan=replace(founding.plan, members=members)), member.label, keys)


async def _guest(request: Request) -> Guest:
    """Raises LinkClosedError; nothing tells a used link from one that never was."""
    token = request.path_params["token"]
    setup: Setup = request.app.state.setup
    safe: OfficeSafe = request.app.state.office_safe
    if await is_founded():
        raise LinkClosedError("unknown")
    if setup.is_token(token) and not await MemberRecord.exists():
        return Guest(None, None, None)
    if not safe.is_open:
        raise LinkClosedError("locked" if await MemberRecord.exists() else "unknown")
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
    name = take_name(form, "member", NAME_CHARS_MAX, NO_MEMBER_NAME, errors)
    label = form.text("label").lower()
    if not re.fullmatch(LABEL, label):
        errors.append(FieldError("label", WRONG_LABEL))
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
    username = guest.member.username if guest.member else values.get("label", "") or "office"
    locale = values.get("locale") or (guest.member.locale if guest.member else locale_of(request))
    context = {
        "guest": guest,
        "plan": guest.draft.founding.plan if guest.draft else None,
        "words": words,
        "secret": secret,
        "groups": in_groups(secret),
        "qr_code": draw_second_factor(secret, username),
        "chosen_locale": locale,
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
