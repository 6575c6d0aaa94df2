# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clocks as pages show them."""

from datetime import date, timedelta

from oversight.workflow.clocks import Clock, start_clocks, stop
from oversight.workflow.deadlines import Deadline, acknowledge_deadline, deadlines, next_deadline

DAY = date(2026, 3, 1)
EU = "eu-2019-1937"


def clock(name: str, due: date, stopped: date | None = None, *, extended: bool = False) -> Clock:
    return Clock(name, DAY, due, due + timedelta(days=30), stopped, extended)


def test_a_deadline_counts_the_days_that_are_left() -> None:
    due = date(2026, 3, 8)
    shown = clock("acknowledge", due, extended=True)
    assert deadlines([shown], DAY) == (Deadline("acknowledge", due, 7, None, False, True),)
    assert deadlines([shown], date(2026, 3, 8)) == (Deadline("acknowledge", due, 0, None, False, True),)
    assert deadlines([shown], date(2026, 3, 10)) == (Deadline("acknowledge", due, -2, None, True, True),)


def test_what_was_stopped_is_late_or_not_for_good_and_never_overdue() -> None:
    due = date(2026, 3, 8)
    in_time, late = (deadlines([clock("a", due, day)], date(2027, 1, 1))[0] for day in (due, due + timedelta(days=1)))
    assert (in_time.late, in_time.overdue) == (False, False)
    assert (late.late, late.overdue) == (True, False)
    running = deadlines([clock("a", due)], due + timedelta(days=1))[0]
    assert running.overdue
    assert not deadlines([clock("a", due)], due)[0].overdue


def test_what_runs_comes_first_by_its_end_and_then_what_was_stopped() -> None:
    clocks = [
        clock("stopped-late", date(2026, 3, 9), DAY),
        clock("far", date(2026, 3, 20)),
        clock("stopped-early", date(2026, 3, 2), DAY),
        clock("near", date(2026, 3, 10)),
    ]
    assert [entry.name for entry in deadlines(clocks, DAY)] == ["near", "far", "stopped-early", "stopped-late"]
    first = next_deadline(clocks, DAY)
    assert first is not None
    assert first.name == "near"


def test_where_nothing_runs_there_is_no_next_deadline() -> None:
    assert next_deadline((), DAY) is None
    assert next_deadline([clock("stopped", DAY, DAY)], DAY) is None


def test_the_next_deadline_is_of_the_clock_that_still_runs() -> None:
    clocks = stop(start_clocks(EU, DAY), "acknowledge", DAY)
    found = next_deadline(clocks, DAY)
    assert found is not None
    assert (found.name, found.due) == ("feedback", date(2026, 6, 8))


def test_a_report_in_no_case_is_to_be_acknowledged_within_seven_days() -> None:
    assert acknowledge_deadline(DAY, DAY) == Deadline("acknowledge", date(2026, 3, 8), 7, None, False, False)
    assert acknowledge_deadline(DAY, date(2026, 3, 9)).overdue
