# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clocks of the policy packs, day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.cases import commands
from oversight.workflow.clocks import (
    ACKNOWLEDGE,
    FEEDBACK,
    PACKS,
    Clock,
    Pack,
    acknowledge,
    add_months,
    extend,
    find_clock,
    next_due,
    start_clocks,
    stop,
)
from oversight.workflow.rules import RuleError
from tests.oversight.case_desk import REASONS, Desk

EU = "eu-2019-1937"
DAY = date(2026, 3, 1)


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


def test_the_packs_are_what_the_directive_says_and_nothing() -> None:
    assert set(PACKS) == {EU, "none"}
    directive = PACKS[EU]
    assert (directive.acknowledge_days, directive.feedback_months, directive.feedback_months_max) == (7, 3, 6)
    assert PACKS["none"] == Pack("none", None, None, None, "", verified=True)
    assert all(pack.code == code for code, pack in PACKS.items())


def test_a_policy_that_does_not_exist_has_no_clocks() -> None:
    with pytest.raises(KeyError):
        start_clocks("unheard-of", DAY)


def test_clocks_begin_as_the_pack_says() -> None:
    assert start_clocks(EU, DAY) == (
        Clock("acknowledge", DAY, date(2026, 3, 8), date(2026, 3, 8), None, extended=False),
        Clock("feedback", date(2026, 3, 8), date(2026, 6, 8), date(2026, 9, 8), None, extended=False),
    )


def test_a_pack_may_have_one_clock_without_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    packs = {
        "days": Pack("days", 7, None, None, "", verified=True),
        "months": Pack("months", None, 3, None, "", verified=True),
    }
    monkeypatch.setattr("oversight.workflow.clocks.PACKS", packs)
    week = start_clocks("days", DAY)
    assert week == (Clock(ACKNOWLEDGE, DAY, date(2026, 3, 8), date(2026, 3, 8)),)
    assert acknowledge("days", week, DAY, sent=True) == stop(week, ACKNOWLEDGE, DAY)
    quarter = start_clocks("months", DAY)
    assert quarter == (Clock(FEEDBACK, DAY, date(2026, 6, 1), date(2026, 6, 1)),)
    later = date(2026, 3, 3)
    moved = (Clock(FEEDBACK, later, date(2026, 6, 3), date(2026, 6, 3)),)
    assert acknowledge("months", quarter, later, sent=True) == moved


@pytest.mark.parametrize(
    ("day", "sent", "starts"),
    [
        (date(2026, 3, 3), True, date(2026, 3, 3)),
        (date(2026, 3, 8), True, date(2026, 3, 8)),
        (date(2026, 3, 9), True, date(2026, 3, 8)),
        (date(2026, 3, 3), False, date(2026, 3, 8)),
    ],
)
def test_the_time_for_feedback_begins_with_an_acknowledgement_in_time(day: date, sent: bool, starts: date) -> None:
    first, second = acknowledge(EU, start_clocks(EU, DAY), day, sent=sent)
    assert first == Clock("acknowledge", DAY, date(2026, 3, 8), date(2026, 3, 8), stopped=day)
    assert second == Clock("feedback", starts, add_months(starts, 3), add_months(starts, 6))


def test_an_extension_is_not_lost_to_an_acknowledgement() -> None:
    longer = extend(start_clocks(EU, DAY), "feedback", date(2026, 8, 1))
    assert clock(longer, "feedback").extended
    assert acknowledge(EU, longer, date(2026, 3, 2), sent=True)[1] == longer[1]


def test_a_clock_is_stopped_once() -> None:
    clocks = start_clocks(EU, DAY)
    first = stop(clocks, "feedback", date(2026, 4, 1))
    assert (first[0], clock(first, "feedback").stopped) == (clocks[0], date(2026, 4, 1))
    assert stop(first, "feedback", date(2026, 5, 1)) == first
    assert stop(clocks, "patience", date(2026, 5, 1)) == clocks


def test_an_extension_changes_one_clock_and_its_end_alone() -> None:
    clocks = start_clocks(EU, DAY)
    first, second = extend(clocks, "feedback", date(2026, 7, 1))
    assert first == clocks[0]
    assert second == Clock("feedback", date(2026, 3, 8), date(2026, 7, 1), date(2026, 9, 8), None, extended=True)


def test_a_clock_that_was_stopped_is_overdue_if_it_was_then() -> None:
    due = date(2026, 3, 8)
    in_time, late = (Clock("a", DAY, due, due, due + timedelta(days=days)) for days in (0, 1))
    for today in (DAY, date(2027, 1, 1)):
        assert not in_time.is_overdue(today)
        assert late.is_overdue(today)


def test_a_clock_that_is_not_there_is_not_found() -> None:
    assert find_clock((), "feedback") is None
    assert find_clock(start_clocks(EU, DAY), "patience") is None


days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(st.lists(st.tuples(days, st.none() | days)))
def test_the_next_day_that_counts_is_the_earliest_end_of_what_runs(ends: list[tuple[date, date | None]]) -> None:
    clocks = tuple(Clock(f"clock-{number}", DAY, due, due, stopped) for number, (due, stopped) in enumerate(ends))
    running = sorted(due for due, stopped in ends if stopped is None)
    assert next_due(clocks) == (running[0] if running else None)


@given(days, st.integers(0, 60))
def test_months_are_added_one_by_one_or_at_once_as_long_as_no_day_is_lost(day: date, months: int) -> None:
    day = day.replace(day=min(day.day, 28))
    later = day
    for _ in range(months):
        later = add_months(later, 1)
    assert later == add_months(day, months)
    assert later.day == day.day


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
