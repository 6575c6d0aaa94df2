# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clocks as a page shows them: by when, how many days are left, or overdue. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from oversight.workflow.clocks import ACKNOWLEDGE, Clock, find_clock, start_clocks

POLICY_BEFORE_A_CASE = "eu-2019-1937"
"""The time limits of a report that is in no case yet: the strictest ones, so that the choice makes nothing late."""


@dataclass(frozen=True)
class Deadline:
    """One clock on one day. ``left`` are the days until its last one, negative once it is over."""

    name: str
    due: date
    left: int
    stopped: date | None
    late: bool
    extended: bool

    @property
    def overdue(self) -> bool:
        """It still runs, and its day is over."""
        return self.stopped is None and self.late


def deadlines(clocks: Sequence[Clock], today: date) -> tuple[Deadline, ...]:
    """Return the deadlines of these clocks: running ones first, by their end; then stopped ones."""
    shown = [
        Deadline(
            clock.name, clock.due, (clock.due - today).days, clock.stopped, clock.is_overdue(today), clock.extended
        )
        for clock in clocks
    ]
    return tuple(sorted(shown, key=lambda entry: (entry.stopped is not None, entry.due)))


def next_deadline(clocks: Sequence[Clock], today: date) -> Deadline | None:
    """The first one that runs."""
    return next((entry for entry in deadlines(clocks, today) if entry.stopped is None), None)


def acknowledge_deadline(received: date, today: date) -> Deadline:
    """By when a report that came on this day and is in no case has to be acknowledged."""
    clock = find_clock(start_clocks(POLICY_BEFORE_A_CASE, received), ACKNOWLEDGE)
    assert clock is not None
    return deadlines([clock], today)[0]
