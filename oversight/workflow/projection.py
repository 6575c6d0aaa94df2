# SPDX-License-Identifier: AGPL-3.0-or-later
"""From events to the state of a case. ``apply_event`` is the one judge, of appending and of verifying alike.

It is pure: a state, an event whose signature was verified, the event's charter; out comes the next state, or a refusal.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from crypto.charter import Charter
from crypto.event import SignedEvent, check_follows
from crypto.event_types import ClockExtended, Opened, RecommendationStatus, Replied, ReportAdded
from oversight.workflow import clocks, finding_effects, holders, transitions
from oversight.workflow.access import check_access, check_role, members_of
from oversight.workflow.rules import ACTS, RECEIVED, RECOMMENDATION_STATUSES, RuleError
from oversight.workflow.state import CaseState, Declaration
from oversight.workflow.step import Step


def apply_event(state: CaseState | None, event: SignedEvent, charter: Charter) -> CaseState:
    """The state after ``event``, which must follow ``state`` (None before the first one).

    Raises ProofError when it does not continue the ledger and RuleError when it may not be. *Not* checked: the
    signature (``crypto.event.read_event``), and what is in the sealed part.
    """
    check_follows(None if state is None else state.head, event)
    if state is None:
        return _open(event)
    if isinstance(event.public, Opened):
        raise RuleError("opened-before")
    step = Step(state, event, members_of(charter, event))
    check_access(state, event, step.members)
    return replace(EFFECTS[event.type](step), head=event.head)


def _open(event: SignedEvent) -> CaseState:
    public = event.public
    if not isinstance(public, Opened):
        raise RuleError("not-opened")
    check_role(event, ACTS["opened"].roles)
    day = event.time.date()
    if public.policy not in clocks.PACKS:
        raise RuleError("policy")
    if public.holders != (event.actor,):
        raise RuleError("holders")
    if public.received > day:
        raise RuleError("received")
    return CaseState(
        head=event.head,
        number=public.number,
        policy=public.policy,
        opened=day,
        received=public.received,
        reports=public.reports,
        state=RECEIVED,
        since=day,
        generation=1,
        recipient=public.recipient,
        grant_sha256=public.grant_sha256,
        holders=public.holders,
        declarations=(Declaration(event.actor, event.hash, conflict=False, granted=public.reports),),
        clocks=clocks.start_clocks(public.policy, public.received),
    )


def _add_report(step: Step) -> CaseState:
    public: ReportAdded = step.public
    if public.report in step.state.reports:
        raise RuleError("report-known")
    if public.received > step.event.time.date():
        raise RuleError("received")
    return holders.admit_report(step, public.report)


def _note(step: Step) -> CaseState:
    return replace(step.state, notes=step.state.notes + 1)


def _add_party(step: Step) -> CaseState:
    return replace(step.state, parties=step.state.parties + 1)


def _extend_clock(step: Step) -> CaseState:
    public: ClockExtended = step.public
    clock = clocks.find_clock(step.state.clocks, public.clock)
    if clock is None or clock.stopped is not None:
        raise RuleError("clock")
    if not clock.due < public.due <= clock.due_max:
        raise RuleError("clock-due")
    return replace(step.state, clocks=clocks.extend(step.state.clocks, public.clock, public.due))


def _reply(step: Step) -> CaseState:
    public: Replied = step.public
    if public.report not in step.state.reports:
        raise RuleError("report-unknown")
    running = step.state.clocks
    if public.purpose == "feedback":
        running = clocks.stop(running, clocks.FEEDBACK, step.event.time.date())
    return replace(step.state, replies=step.state.replies + 1, clocks=running)


def _recommendation_status(step: Step) -> CaseState:
    public: RecommendationStatus = step.public
    if public.status not in RECOMMENDATION_STATUSES:
        raise RuleError("status")
    others = tuple(entry for entry in step.state.recommendations if entry[0] != public.recommendation)
    return replace(step.state, recommendations=tuple(sorted((*others, (public.recommendation, public.status)))))


def _draft(step: Step) -> CaseState:
    changed = finding_effects.draft(step.state, step.public, step.event.actor)
    # What was proposed was proposed of another text.
    return replace(changed, proposals=tuple(entry for entry in changed.proposals if entry.to_state is None))


def _sign(step: Step) -> CaseState:
    return finding_effects.sign(step.state, step.public, step.event.signer)


def _check_text(step: Step) -> CaseState:
    return finding_effects.check_text(step.state, step.public, step.event.hash)


EFFECTS: Mapping[str, Callable[[Step], CaseState]] = {
    "report-added": _add_report,
    "declared": holders.declare,
    "assigned": holders.assign,
    "recused": holders.renew,
    "left": holders.renew,
    "moved": transitions.move,
    "proposed": transitions.propose,
    "approved": transitions.approve,
    "returned": transitions.refuse,
    "waived": transitions.waive,
    "noted": _note,
    "party-added": _add_party,
    "clock-extended": _extend_clock,
    "replied": _reply,
    "drafted": _draft,
    "signed": _sign,
    "checked": _check_text,
    "published": transitions.complete,
    "corrected": transitions.complete,
    "withdrawn": transitions.complete,
    "recommendation-status": _recommendation_status,
}
