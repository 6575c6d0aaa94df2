# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the clock can be believed before something is deleted by it (docs/protocol.md §10.1).

A clock that has moved by days more or less than the time that passed is wrong, or was: by a second clock of the
process, which nobody sets, and after a start by the day of the last sweep. Nothing is deleted until it is back, or has
gone on from where it is for ``SETTLE_SECONDS``: after a standstill of a month there is no other sign that it is right.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal.storage.database import transaction
from portal.storage.office_days import SWEPT_ROW, count_day, last_swept_day
from portal.storage.records import SweptDayRecord

LOG = logging.getLogger("portal")
DAYS_OFF_MAX = 2
SETTLE_SECONDS = 20 * 60 * 60
"""Less than a day, so that a portal that is started anew every day gets there."""


@dataclass(frozen=True)
class Reading:
    """Both clocks at one moment; ``at`` in seconds of the one that nobody sets."""

    now: datetime
    at: float

    def days_off(self, later: "Reading") -> int:
        """By how many days the clock is ahead, in a later reading, of what it should be after this one."""
        expected = self.now + timedelta(seconds=later.at - self.at)
        return (later.now.date() - expected.date()).days


class ClockWatch:
    """The clock of one process. ``monotonic`` returns seconds, and is never set."""

    def __init__(self, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._believed: Reading | None = None
        self._moved: Reading | None = None
        self._counted: float | None = None

    async def believed_day(self) -> date | None:
        """Today, or None while the clock can't be believed. That it moved is logged once."""
        reading = Reading(self._clock(), self._monotonic())
        if self._believed is None:
            day = await last_swept_day() or reading.now.date()
            self._believed = Reading(datetime.combine(day, time(), UTC), reading.at)
        off = self._believed.days_off(reading)
        if abs(off) > DAYS_OFF_MAX and not self._has_settled(reading):
            return None
        self._believed, self._moved = reading, None
        return reading.now.date()

    async def note(self, today: date) -> None:
        """Keep a believed day as that of the last sweep. A new one counts for offices that are silent (``count_day``).

        At most one in ``SETTLE_SECONDS``, and one at a start: however far the clock moved, it counts one.
        """
        if await SweptDayRecord.filter(id=SWEPT_ROW, day=today).exists():
            return
        at = self._monotonic()
        counts = self._counted is None or at - self._counted >= SETTLE_SECONDS
        async with transaction():
            if not await SweptDayRecord.filter(id=SWEPT_ROW).exists():
                await SweptDayRecord.create(id=SWEPT_ROW, day=today)
            elif await SweptDayRecord.filter(id=SWEPT_ROW).exclude(day=today).update(day=today) and counts:
                await count_day()
        if counts:
            self._counted = at

    def _has_settled(self, reading: Reading) -> bool:
        if self._moved is None or abs(self._moved.days_off(reading)) > DAYS_OFF_MAX:
            assert self._believed is not None
            LOG.warning(describe_jump(self._believed.days_off(reading)))
            self._moved = reading
        return reading.at - self._moved.at >= SETTLE_SECONDS


async def jump_since_last_sweep(today: date) -> int:
    """By how many days the clock is ahead of the day of the last sweep, or behind it; 0 for a few.

    A portal that stood still for as long can't be told from a clock that jumped.
    """
    last = await last_swept_day()
    off = (today - last).days if last else 0
    return off if abs(off) > DAYS_OFF_MAX else 0


def describe_jump(days: int) -> str:
    """What an operator reads of it."""
    where = f"{days} days ahead of" if days > 0 else f"{-days} days behind"
    hours = SETTLE_SECONDS // 3600
    return (
        f"the clock is {where} where the last sweep left it: compare it with another one. Nothing is deleted until it "
        f"is back, or the portal has run for {hours} hours, as it does after standing still for days"
    )
