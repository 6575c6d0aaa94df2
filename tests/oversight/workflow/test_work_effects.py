# SPDX-License-Identifier: AGPL-3.0-or-later
"""The daily work on a case: reports, notes, parties, clocks, letters."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crypto.event_types import ClockExtended, Noted, PartyAdded, Replied, ReportAdded
from oversight.workflow.clocks import add_months
from tests.oversight.workflow.ledger import Ledger, report_id


@pytest.fixture
def case() -> Ledger:
    """A case held by Amina and Bruno."""
    ledger = Ledger()
    ledger.open()
    ledger.bring_in("bruno")
    return ledger


def test_notes_and_parties_are_counted_and_change_nothing_else(case: Ledger) -> None:
    before = case.state
    for _ in range(2):
        case.append("amina", Noted())
    for _ in range(3):
        case.append("bruno", PartyAdded())
    assert case.state == replace(before, head=case.state.head, notes=2, parties=3)


def test_a_report_is_added_once_and_not_before_it_came(case: Ledger) -> None:
    case.declare("bruno", granted=(report_id(1), report_id(2)))
    assert case.refusal("amina", ReportAdded(report_id(1), case.today)) == "report-known"
    tomorrow = case.today + timedelta(days=1)
    assert case.refusal("amina", ReportAdded(report_id(2), tomorrow)) == "received"
    assert case.append("amina", ReportAdded(report_id(2), case.today)).reports == (report_id(1), report_id(2))


def test_a_letter_is_to_the_reporter_of_a_report_of_the_case(case: Ledger) -> None:
    assert case.refusal("amina", Replied(report_id(2), "1" * 32, "message")) == "report-unknown"
    before = case.state
    for number, purpose in enumerate(("message", "acknowledgement"), 1):
        after = case.append("amina", Replied(report_id(1), "1" * 32, purpose))
        assert after == replace(before, head=after.head, replies=number)


def test_feedback_stops_its_clock_and_leaves_the_other(case: Ledger) -> None:
    acknowledge, feedback = case.state.clocks
    case.forward(days=1)
    state = case.append("amina", Replied(report_id(1), "1" * 32, "feedback"))
    assert (state.replies, state.clocks) == (1, (acknowledge, replace(feedback, stopped=case.today)))


def test_a_clock_is_extended_beyond_its_end_and_up_to_its_longest_time(case: Ledger) -> None:
    acknowledge, feedback = case.state.clocks
    for due in (feedback.due, feedback.due_max + timedelta(days=1), case.today):
        assert case.refusal("bruno", ClockExtended("feedback", due)) == "clock-due"
    before = case.state
    due = feedback.due + timedelta(days=1)
    after = case.append("bruno", ClockExtended("feedback", due))
    longer = replace(feedback, due=due, extended=True)
    assert after == replace(before, head=after.head, clocks=(acknowledge, longer))
    assert case.append("bruno", ClockExtended("feedback", feedback.due_max)).clocks[1].due == feedback.due_max


def test_a_clock_that_was_stopped_or_does_not_exist_is_not_extended(case: Ledger) -> None:
    due_max = case.state.clocks[1].due_max
    assert case.refusal("bruno", ClockExtended("patience", due_max)) == "clock"
    case.append("amina", Replied(report_id(1), "1" * 32, "feedback"))
    assert case.refusal("bruno", ClockExtended("feedback", due_max)) == "clock"


def test_the_time_to_acknowledge_is_not_extended(case: Ledger) -> None:
    due = add_months(case.state.clocks[0].due, 1)
    assert case.refusal("bruno", ClockExtended("acknowledge", due)) == "clock-due"
