# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a row remembers of failing at the portal: why, since which day, how often, and when it is tried again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from tortoise.expressions import Q
from tortoise.models import Model

from oversight.wire.portal_errors import PortalUnreachable
from portal.kit.columns import DayField, MomentField, NumberField, ShortTextField, readable

ATTEMPTS_COUNTED_MAX = 30
ITEM_SECONDS_MAX = 60.0
"""Less than a step of a visit has: what is slow must fail by itself, or it would stand first again in the next."""
RETRY_MINUTES_MAX = 60
REST_MAX = timedelta(hours=26)
"""Longer than anything rests. What rests for longer was put off while the clock ran ahead, and is due."""
MENDED: dict[str, Any] = {"problem": None, "failing_since": None, "attempts": 0, "try_again": None}
COLUMNS = tuple(MENDED)


class RetriedRecord(Model):
    """A row that is tried again by itself. ``failing_since`` is empty as long as nothing went wrong with it.

    ``try_again`` is empty when the next visit may try it.
    """

    problem = ShortTextField(max_length=64, null=True)
    failing_since = DayField(null=True)
    attempts = NumberField(db_default=0)
    try_again = MomentField(null=True)

    class Meta:
        abstract = True

    def rests(self, now: datetime) -> bool:
        """Whether its next attempt is still to come. It is not, if nobody can read when that would be."""
        due = readable(self.try_again, None)
        return due is not None and now < due <= now + REST_MAX

    def fail(self, problem: str, now: datetime, try_again: datetime | None) -> None:
        """Count one more failure; whoever calls saves the row."""
        self.problem = problem[:64]
        self.failing_since = readable(self.failing_since, None) or now.date()
        self.attempts = min(readable(self.attempts, 0) + 1, ATTEMPTS_COUNTED_MAX)
        self.try_again = try_again

    def mend(self) -> None:
        """Forget the failures; whoever calls saves the row."""
        self.update_from_dict(dict(MENDED))


@asynccontextmanager
async def time_of_one() -> AsyncIterator[None]:
    """The time that one item has, whatever is asked for it. Raises PortalUnreachable when it is over."""
    try:
        async with asyncio.timeout(ITEM_SECONDS_MAX):
            yield
    except TimeoutError:
        raise PortalUnreachable("one item took too long", "slow") from None


def is_due(now: datetime) -> Q:
    """As ``not row.rests(now)``, for rows that were put off before. Garbage is later than any time."""
    return Q(try_again__lte=now) | Q(try_again__gt=now + REST_MAX)


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """When to post again what failed ``attempts`` times before: at the next visit, then ever later, up to an hour."""
    before = readable(attempts, 0)
    return now + timedelta(minutes=min(2**before, RETRY_MINUTES_MAX)) if before else None


async def try_again_now(*kinds: type[RetriedRecord]) -> None:
    """Let the next visit try every row of these kinds that rests; its failures stay counted."""
    for rows in kinds:
        await rows.exclude(try_again=None).update(try_again=None)
