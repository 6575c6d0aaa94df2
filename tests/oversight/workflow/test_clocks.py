# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clocks of the policy packs, day by day."""

from datetime import date

import pytest

from oversight.cases import commands
from oversight.workflow.clocks import PACKS, Clock, add_months, find_clock, next_due, start_clocks
from oversight.workflow.rules import RuleError
from tests.oversight.case_desk import REASONS, Desk

EU = "eu-2019-1937"


def clock(clocks: tuple[Clock, ...], name: str) -> Clock:
    found = find_clock(clocks, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        (date(2026, 1, 15), 3, date(2026, 4, 15)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 1), 6, date(2027, 6, 1)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
    ],
)
def test_months_end_on_the_same_day_or_the_months_last(day: date, months: int, due: date) -> None:
    assert add_months(day, months) == due


def test_a_report_starts_both_clocks() -> None:
    clocks = start_clocks(EU, date(2026, 3, 1))
    assert clock(clocks, "acknowledge").due == date(2026, 3, 8)
    assert clock(clocks, "feedback").due == date(2026, 6, 8)
    assert next_due(clocks) == date(2026, 3, 8)


def test_a_clock_is_overdue_on_the_day_after_its_last() -> None:
    clocks = start_clocks(EU, date(2026, 3, 1))
    acknowledge, feedback = clock(clocks, "acknowledge"), clock(clocks, "feedback")
    assert not acknowledge.is_overdue(date(2026, 3, 8)) and acknowledge.is_overdue(date(2026, 3, 9))
    assert not feedback.is_overdue(date(2026, 6, 8)) and feedback.is_overdue(date(2026, 6, 9))


def test_a_commission_under_no_policy_has_no_clocks() -> None:
    assert start_clocks("none", date(2026, 3, 1)) == ()
    assert next_due(()) is None


def test_numbers_that_no_lawyer_has_checked_say_so() -> None:
    assert not PACKS[EU].verified
    assert PACKS[EU].source


async def test_feedback_is_due_three_months_after_an_acknowledgement_in_time(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    desk.forward(days=3)
    state = await commands.change_state(desk.person("amina"), case, "ACKNOWLEDGED", "sent")
    assert clock(state.clocks, "acknowledge").stopped == desk.today
    assert clock(state.clocks, "feedback").due == add_months(desk.today, 3)


async def test_an_acknowledgement_that_is_late_or_withheld_delays_nothing(desk: Desk) -> None:
    for days, ground in ((20, "sent"), (2, "withheld")):
        state = await desk.open_case()
        due = clock(state.clocks, "feedback").due
        desk.forward(days=days)
        state = await commands.change_state(desk.person("amina"), state.head.case, "ACKNOWLEDGED", ground)
        assert clock(state.clocks, "feedback").due == due


async def test_feedback_stops_its_clock_and_other_messages_do_not(desk: Desk) -> None:
    state = await desk.open_case()
    case, report = state.head.case, state.reports[0]
    state = await commands.record_reply(desk.person("amina"), case, report, "0" * 32, "message")
    assert clock(state.clocks, "feedback").stopped is None
    state = await commands.record_reply(desk.person("amina"), case, report, "0" * 32, "feedback")
    assert clock(state.clocks, "feedback").stopped == desk.today
    with pytest.raises(RuleError, match="report-unknown"):
        await commands.record_reply(desk.person("amina"), case, "0" * 32, "0" * 32, "feedback")


async def test_a_clock_is_extended_to_its_longest_time_and_no_further(desk: Desk) -> None:
    state = await desk.open_case()
    case, feedback = state.head.case, clock(state.clocks, "feedback")
    assert feedback.due_max == add_months(feedback.started, 6)
    too_far = feedback.due_max.replace(year=feedback.due_max.year + 1)
    for due in (feedback.due, too_far):
        with pytest.raises(RuleError, match="clock-due"):
            await commands.extend_clock(desk.person("bruno"), case, "feedback", due, REASONS)
    state = await commands.extend_clock(desk.person("bruno"), case, "feedback", feedback.due_max, REASONS)
    assert clock(state.clocks, "feedback").due == feedback.due_max
    with pytest.raises(RuleError, match="clock"):
        await commands.extend_clock(desk.person("bruno"), case, "acknowledge", feedback.due_max, REASONS)
