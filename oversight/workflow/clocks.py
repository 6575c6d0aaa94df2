# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clocks of a case, from policy packs that are data: a commission is bound by other rules than its neighbour.

- ``acknowledge``: so many days from the day on which the report was received.
- ``feedback``: so many months from the acknowledgement, or from the end of the time for it when none was sent by then.
  A member may extend it once or several times, with reasons, to the longest time of the pack.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

ACKNOWLEDGE = "acknowledge"
FEEDBACK = "feedback"


@dataclass(frozen=True)
class Pack:
    """A policy: its clocks with the text they come from, and whether a lawyer has checked them against it."""

    code: str
    acknowledge_days: int | None
    feedback_months: int | None
    feedback_months_max: int | None
    source: str
    verified: bool


PACKS: Mapping[str, Pack] = {
    pack.code: pack
    for pack in (
        Pack(
            code="eu-2019-1937",
            acknowledge_days=7,
            feedback_months=3,
            feedback_months_max=6,
            source="Directive (EU) 2019/1937, articles 9(1)(b), 9(1)(f) and 11(2)(b), (d)",
            verified=False,
        ),
        Pack(
            code="none",
            acknowledge_days=None,
            feedback_months=None,
            feedback_months_max=None,
            source="",
            verified=True,
        ),
    )
}


@dataclass(frozen=True)
class Clock:
    """A clock that runs until ``stopped``; ``due`` is its last day, ``due_max`` the last one it can be extended to."""

    name: str
    started: date
    due: date
    due_max: date
    stopped: date | None = None
    extended: bool = False

    def is_overdue(self, today: date) -> bool:
        """Whether the day is over: today if it still runs, the day it was stopped otherwise."""
        return (self.stopped or today) > self.due


def start_clocks(policy: str, received: date) -> tuple[Clock, ...]:
    """The clocks of a case whose first report came on ``received``. KeyError for a policy that does not exist."""
    pack = PACKS[policy]
    clocks = []
    end = received
    if pack.acknowledge_days is not None:
        end = received + timedelta(days=pack.acknowledge_days)
        clocks.append(Clock(ACKNOWLEDGE, received, end, end))
    if pack.feedback_months is not None:
        clocks.append(_feedback(pack, end))
    return tuple(clocks)


def acknowledge(policy: str, clocks: tuple[Clock, ...], day: date, *, sent: bool) -> tuple[Clock, ...]:
    """Stop the first clock. When the acknowledgement was sent in time, the second one runs from that day on."""
    pack = PACKS[policy]
    first = find_clock(clocks, ACKNOWLEDGE)
    changed = stop(clocks, ACKNOWLEDGE, day)
    if pack.feedback_months is None or not sent or (first is not None and day > first.due):
        return changed
    return tuple(_feedback(pack, day) if clock.name == FEEDBACK and not clock.extended else clock for clock in changed)


def stop(clocks: tuple[Clock, ...], name: str, day: date) -> tuple[Clock, ...]:
    """Stop the clock of this name, if there is one that runs."""
    return tuple(
        replace(clock, stopped=day) if clock.name == name and clock.stopped is None else clock for clock in clocks
    )


def extend(clocks: tuple[Clock, ...], name: str, due: date) -> tuple[Clock, ...]:
    """Give the clock of this name a later end."""
    return tuple(replace(clock, due=due, extended=True) if clock.name == name else clock for clock in clocks)


def find_clock(clocks: tuple[Clock, ...], name: str) -> Clock | None:
    return next((clock for clock in clocks if clock.name == name), None)


def next_due(clocks: tuple[Clock, ...]) -> date | None:
    """The earliest end of a clock that runs."""
    return min((clock.due for clock in clocks if clock.stopped is None), default=None)


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _feedback(pack: Pack, start: date) -> Clock:
    assert pack.feedback_months is not None
    due_max = add_months(start, pack.feedback_months_max or pack.feedback_months)
    return Clock(FEEDBACK, start, add_months(start, pack.feedback_months), due_max)
