# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often an attempt to log in failed, and how long the next one has to wait.

- An attempt is counted before it is looked at, and a success takes its own count back and no other. Counted afterwards,
  a thousand attempts made at once would all be looked at before the first one counted; and a stranger whose count a
  member's login cleared would know that there is such a member.
- A known browser has a count of its own. Every other attempt counts for its username, known or not.
- After a few failures the wait doubles each time, and never is longer than five minutes, whatever the clock did.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from oversight.members.known_browsers import find_browser
from oversight.members.records import FailedLoginRecord, KnownBrowserRecord

FAILURES_FREE = 3
WAIT_SECONDS_MAX = 300
FAILURES_KEPT = timedelta(days=1)
KNOWN_FAILURES_MAX = 20
"""A known browser that failed as often in a row is a stranger again."""


class LoginRefused(Exception):
    """Username, passphrase and code do not match."""


class LoginMustWait(LoginRefused):
    """Too many failures in a row; the attempt was not looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt that counts as failed until it is taken back: in which row, and what the row said before."""

    rows: QuerySet[FailedLoginRecord] | QuerySet[KnownBrowserRecord]
    failures: int
    retry_at: datetime
    known: bool
    """Whether it came from a known browser of the member."""

    async def take_back(self) -> None:
        """The attempt was no failure."""
        if self.known:
            await self.rows.update(failures=0, retry_at=self.retry_at)
            return
        counted = self.rows.filter(failures=self.failures + 1)
        if not await counted.update(failures=self.failures, retry_at=self.retry_at):
            # Others failed in the meantime, and their wait stands.
            await self.rows.filter(failures__gt=0).update(failures=F("failures") - 1)
        await self.rows.filter(failures=0).delete()


async def count_known(username: str, browser: bytes, now: datetime) -> FailedAttempt | None:
    """Count a failure for the known browser; None if it is none, and nothing was written. Raises LoginMustWait."""
    found = await find_browser(browser, username, now.date())
    if found is None:
        return None
    await _bound_waits(now)
    rows = KnownBrowserRecord.filter(id=found.id)
    attempted = await _count(rows, now, known=True)
    if attempted is not None and attempted.failures < KNOWN_FAILURES_MAX:
        return attempted
    await rows.delete()
    return None


async def count_stranger(username: str, now: datetime) -> FailedAttempt:
    """Count a failure for the username, whether or not there is such a member. Raises LoginMustWait."""
    await _bound_waits(now)
    await FailedLoginRecord.filter(retry_at__lt=now - FAILURES_KEPT).delete()
    key = bucket_of(username)
    while True:
        row = FailedLoginRecord(username_hash=key, failures=0, retry_at=now)
        # Nothing happens when there is a row already. It may be gone again before it is read: then once more.
        await FailedLoginRecord.bulk_create([row], ignore_conflicts=True)
        attempted = await _count(FailedLoginRecord.filter(username_hash=key), now, known=False)
        if attempted is not None:
            return attempted


def bucket_of(username: str) -> str:
    """Six digits of the username's hash. People type passphrases into the wrong field: by 24 bits none is found out."""
    return hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()[:6]


async def _count(
    rows: QuerySet[FailedLoginRecord] | QuerySet[KnownBrowserRecord], now: datetime, *, known: bool
) -> FailedAttempt | None:
    """Count a failure in the one row of ``rows``; None if there is none."""
    while (row := await rows.first()) is not None:
        if row.retry_at > now:
            raise LoginMustWait(max(1, round((row.retry_at - now).total_seconds())))
        failures = row.failures + 1
        counted = {"failures": failures, "retry_at": now + timedelta(seconds=_wait_seconds(failures))}
        # One statement, which finds nothing when another attempt was counted in between.
        if await rows.filter(failures=row.failures).update(**counted):
            return FailedAttempt(rows, row.failures, row.retry_at, known)
    return None


async def _bound_waits(now: datetime) -> None:
    """No wait is longer than WAIT_SECONDS_MAX, not even one that began while the clock was ahead."""
    limit = now + timedelta(seconds=WAIT_SECONDS_MAX)
    await FailedLoginRecord.filter(retry_at__gt=limit).update(retry_at=limit)
    await KnownBrowserRecord.filter(retry_at__gt=limit).update(retry_at=limit)


def _wait_seconds(failures: int) -> int:
    return 0 if failures < FAILURES_FREE else min(WAIT_SECONDS_MAX, 2 ** min(failures - FAILURES_FREE, 16))
