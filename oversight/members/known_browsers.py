# SPDX-License-Identifier: AGPL-3.0-or-later
"""Browsers in which a member logged in before: a way in of their own that strangers can't fill.

A browser keeps 32 random bytes in a cookie; the table keeps their SHA-256, for which member, and the day of the last
login. The cookie opens nothing: passphrase and code are asked for as ever. Two members who share a browser share its
cookie and have a row each.
"""

import hashlib
import secrets
from datetime import UTC, date, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import Response

from oversight.members.records import KnownBrowserRecord, MemberRecord
from oversight.settings import Settings

TOKEN_BYTES = 32
KNOWN_DAYS = 180
BROWSERS_MAX = 10


def browser_token(request: Request) -> bytes:
    """The token (32 bytes) in the request's cookie, or nothing. Whether it is known is not checked."""
    value = request.cookies.get(_cookie_name(request.app.state.settings), "")
    try:
        token = bytes.fromhex(value)
    except ValueError:
        return b""
    return token if len(token) == TOKEN_BYTES else b""


async def find_browser(token: bytes, username: str, today: date) -> KnownBrowserRecord | None:
    """The browser, if the member of this username logged in with it within KNOWN_DAYS.

    The same statement for every token and username: it takes as long for a stranger as for a member's browser. Whoever
    sends no token is a stranger at once.
    """
    if not token:
        return None
    known = KnownBrowserRecord.filter(token_hash=_hash(token), last_day__gte=_oldest(today))
    return await known.filter(member__username=username).first()


async def remember_browser(
    response: Response, member: MemberRecord, token: bytes, now: datetime, settings: Settings
) -> None:
    """The member has logged in: renew the browser's cookie, or give it one. The oldest above BROWSERS_MAX goes."""
    today = now.date()
    await KnownBrowserRecord.filter(last_day__lt=_oldest(today)).delete()
    # A day that lies ahead was written by a wrong clock; it must not keep the row for longer.
    await KnownBrowserRecord.filter(last_day__gt=today).update(last_day=today)
    # Another one's token is not taken over: it is one of ours, or a fresh one.
    if not await KnownBrowserRecord.exists(token_hash=_hash(token)):
        token = secrets.token_bytes(TOKEN_BYTES)
    midnight = datetime.combine(today, time(), UTC)
    row = KnownBrowserRecord(
        token_hash=_hash(token), member_id=member.id, last_day=today, failures=0, retry_at=midnight
    )
    await KnownBrowserRecord.bulk_create([row], ignore_conflicts=True)
    own = KnownBrowserRecord.filter(member_id=member.id)
    await own.filter(token_hash=row.token_hash).update(last_day=today, failures=0, retry_at=midnight)
    ids = await own.order_by("-last_day", "-id").values_list("id", flat=True)
    await own.filter(id__in=ids[BROWSERS_MAX:]).delete()
    response.set_cookie(
        _cookie_name(settings),
        token.hex(),
        max_age=KNOWN_DAYS * 24 * 60 * 60,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="strict",
    )


async def browsers_of(member: MemberRecord, token: bytes) -> list[tuple[date, bool]]:
    """For each browser of the member the last day, and whether it is the one with this token; the newest first."""
    rows = await KnownBrowserRecord.filter(member_id=member.id).order_by("-last_day", "-id")
    return [(row.last_day, row.token_hash == _hash(token)) for row in rows]


async def forget_other_browsers(member: MemberRecord, token: bytes) -> None:
    """Forget every browser of the member but the one with this token."""
    await KnownBrowserRecord.filter(member_id=member.id).exclude(token_hash=_hash(token)).delete()


def _cookie_name(settings: Settings) -> str:
    return "__Host-browser" if settings.https else "browser"


def _oldest(today: date) -> date:
    return today - timedelta(days=KNOWN_DAYS)


def _hash(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
