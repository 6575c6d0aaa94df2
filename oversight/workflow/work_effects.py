# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the daily work makes of a case: reports, notes, parties, clocks, letters to reporters."""

from dataclasses import replace

from crypto.event_types import ClockExtended, Replied, ReportAdded
from oversight.workflow import clocks, holders
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState
from oversight.workflow.step import Step


def add_report(step: Step) -> CaseState:
    public: ReportAdded = step.public
    if public.report in step.state.reports:
        raise RuleError("report-known")
    if public.received > step.event.time.date():
        raise RuleError("received")
    return holders.admit_report(step, public.report)


def note(step: Step) -> CaseState:
    return replace(step.state, notes=step.state.notes + 1)


def add_party(step: Step) -> CaseState:
    return replace(step.state, parties=step.state.parties + 1)


def extend_clock(step: Step) -> CaseState:
    public: ClockExtended = step.public
    clock = clocks.find_clock(step.state.clocks, public.clock)
    if clock is None or clock.stopped is not None:
        raise RuleError("clock")
    if not clock.due < public.due <= clock.due_max:
        raise RuleError("clock-due")
    return replace(step.state, clocks=clocks.extend(step.state.clocks, public.clock, public.due))


def reply(step: Step) -> CaseState:
    public: Replied = step.public
    if public.report not in step.state.reports:
        raise RuleError("report-unknown")
    running = step.state.clocks
    if public.purpose == "feedback":
        running = clocks.stop(running, clocks.FEEDBACK, step.event.time.date())
    return replace(step.state, replies=step.state.replies + 1, clocks=running)
