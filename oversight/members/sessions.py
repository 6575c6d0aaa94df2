# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sessions: a member's keyring, open for as long as the member's browser holds the key to it (docs/protocol.md §11).

The row holds the keyring sealed under a key that exists only in the cookie, beside the session's id, of which the row
holds the hash. A stolen database opens nothing, and a stolen cookie nothing once the row is gone.
"""

import asyncio
import base64
import binascii
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from tortoise.expressions import Q

from crypto.age import PqIdentity
from crypto.encoding import label
from crypto.errors import CryptoError
from crypto.keyring import Keyring, open_bytes, seal_bytes
from crypto.note import SigningKey
from oversight.commission.charters import NotFoundedError, current_charter
from oversight.commission.keys import OfficeSafe, open_office, read_office
from oversight.members.records import MemberRecord, SessionRecord
from oversight.reports.roles import Action, may
from oversight.reports.sealed_urgency import count_unread
from oversight.settings import Settings
from portal.kit.columns import UNREADABLE
from portal.kit.database import forget_deleted
from portal.kit.unwritable import if_writable

LOG = logging.getLogger("oversight.sessions")
ID_BYTES = 16
KEY_BYTES = 32
SEEN_SECONDS = 30
"""A session's last use is written at most this often, so that reading pages does not write."""
AHEAD = timedelta(minutes=1)
"""How far a session's times may lie ahead of the clock, which is set back a little now and then."""


class LoginRequired(Exception):
    """No session is open; the answer is the login page."""


@dataclass(frozen=True)
class OpenSession:
    """A member who has logged in, with the member's keys."""

    member: MemberRecord
    keyring: Keyring = field(repr=False)
    record: SessionRecord = field(repr=False)

    @property
    def identity(self) -> PqIdentity:
        return self.keyring.identity

    @property
    def signing_key(self) -> SigningKey:
        return SigningKey.from_seed(self.member.key_name, self.keyring.signing_seed)


def cookie_name(settings: Settings) -> str:
    """With the prefix that makes browsers refuse the cookie from anywhere but this host over HTTPS."""
    return "__Host-session" if settings.https else "session"


async def begin_session(
    response: Response, member: MemberRecord, keyring: Keyring, now: datetime, settings: Settings
) -> None:
    """Begin a session and give its cookie to ``response``."""
    session_id, key = secrets.token_bytes(ID_BYTES), secrets.token_bytes(KEY_BYTES)
    await SessionRecord.create(
        id_hash=_hash(session_id),
        member=member,
        created=now,
        last_seen=now,
        keyring=seal_bytes(key, keyring.to_bytes(), _associated(session_id, member.label)),
    )
    value = base64.urlsafe_b64encode(session_id + key).decode("ascii")
    response.set_cookie(cookie_name(settings), value, path="/", secure=settings.https, httponly=True, samesite="strict")


async def current_session(request: Request) -> OpenSession:
    """The member who sends this request. Raises LoginRequired without a session, or once it is idle or over."""
    found: OpenSession | None = getattr(request.state, "session", None)
    if found is None:
        found = await _open(request)
        request.state.charter_until = await _charter_until()
        request.state.urgent = await count_unread()
        request.state.may_read = may(found.member.roles, Action.READ)
        request.state.session = found
        request.state.locale = found.member.locale
    return found


async def _charter_until() -> date | None:
    """The last day of the charter in force, which every page tells of when it is near; none before the founding."""
    with suppress(NotFoundedError, CryptoError):
        return (await current_charter()).valid_until
    return None


async def close_session(request: Request, response: Response) -> None:
    """Lock: delete the row, so that the cookie opens nothing any more, and take the cookie back."""
    settings: Settings = request.app.state.settings
    parsed = _read_cookie(request.cookies.get(cookie_name(settings), ""))
    if parsed is not None:
        await SessionRecord.filter(id_hash=_hash(parsed[0])).delete()
        await forget_deleted()
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.https, httponly=True, samesite="strict")


async def close_other_sessions(kept: OpenSession) -> None:
    """End every other session of this member, as after a change of passphrase."""
    await SessionRecord.filter(member_id=kept.member.id).exclude(id_hash=kept.record.id_hash).delete()
    await forget_deleted()


async def end_sessions(now: datetime, settings: Settings) -> None:
    """Delete those that ``_has_ended``, whoever comes: a cookie that still lies in a browser opens nothing then."""
    idle = Q(last_seen__lte=now - timedelta(minutes=settings.idle_minutes))
    over = Q(created__lte=now - timedelta(hours=settings.session_hours))
    await SessionRecord.filter(idle | over | Q(last_seen__gt=now + AHEAD) | Q(created__gt=now + AHEAD)).delete()
    await forget_deleted()


async def end_sessions_while_serving(
    settings: Settings, clock: Callable[[], datetime], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """``end_sessions`` every ``SEEN_SECONDS`` until cancelled. What else was deleted meanwhile leaves the disk too."""
    while True:
        try:
            await end_sessions(clock(), settings)
        except Exception as error:
            LOG.error("sessions could not be ended: %s", type(error).__name__)
        await sleep(SEEN_SECONDS)


async def _open(request: Request) -> OpenSession:
    settings: Settings = request.app.state.settings
    now: datetime = request.app.state.clock()
    parsed = _read_cookie(request.cookies.get(cookie_name(settings), ""))
    if parsed is None:
        raise LoginRequired
    session_id, key = parsed
    session = await SessionRecord.filter(id_hash=_hash(session_id)).select_related("member").first()
    if session is None or session.member is None:
        raise LoginRequired
    if _has_ended(session, now, settings):
        with if_writable():
            await session.delete()
            await forget_deleted()
        raise LoginRequired
    try:
        secret = open_bytes(key, session.keyring, _associated(session_id, session.member.label))
    except CryptoError:
        raise LoginRequired from None
    if now - session.last_seen >= timedelta(seconds=SEEN_SECONDS):
        with if_writable():
            await SessionRecord.filter(id_hash=session.id_hash).update(last_seen=now)
    keyring = Keyring.from_bytes(secret)
    safe: OfficeSafe = request.app.state.office_safe
    if not safe.is_open:
        # The office was started again, and this session went on.
        await open_office(safe, await read_office(safe, keyring.identity))
    return OpenSession(session.member, keyring, session)


def _has_ended(session: SessionRecord, now: datetime, settings: Settings) -> bool:
    """Idle or over, or of a time that is not yet: a clock that ran ahead must not give a session a longer life.

    So it is if nobody can read when it began or was last used.
    """
    if UNREADABLE in (session.created, session.last_seen):
        return True
    idle = now - session.last_seen >= timedelta(minutes=settings.idle_minutes)
    over = now - session.created >= timedelta(hours=settings.session_hours)
    return idle or over or max(session.created, session.last_seen) > now + AHEAD


def _read_cookie(value: str) -> tuple[bytes, bytes] | None:
    try:
        data = base64.b64decode(value.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(data) != ID_BYTES + KEY_BYTES:
        return None
    return data[:ID_BYTES], data[ID_BYTES:]


def _hash(session_id: bytes) -> str:
    return hashlib.sha256(session_id).hexdigest()


def _associated(session_id: bytes, member_label: str) -> bytes:
    return label("session") + session_id + member_label.encode()
