# SPDX-License-Identifier: AGPL-3.0-or-later
"""Transitions from state to state, and four eyes: what one member signs takes effect when another one signs, too."""

from dataclasses import replace

from crypto.event_types import Corrected, Moved, Proposed, Waived, Withdrawn
from crypto.ids import EventHash
from oversight.workflow import clocks, finding_effects
from oversight.workflow.access import approving_roles, check_role
from oversight.workflow.conditions import check_conditions
from oversight.workflow.rules import SENT, RuleError, Transition, find_transition
from oversight.workflow.state import CaseState, Proposal, PublishedState
from oversight.workflow.step import Step


def _find_transition(step: Step) -> Transition:
    public: Moved | Proposed = step.public
    if public.from_state != step.state.state:
        raise RuleError("moved-on")
    transition = find_transition(public.from_state, public.to_state, public.ground)
    check_role(step.event, transition.proposes)
    if step.state.decided is not None:
        raise RuleError("decided")
    check_conditions(transition, step.state, step.members, step.event.actor, approving=False)
    return transition


def change_state(step: Step) -> CaseState:
    transition = _find_transition(step)
    if transition.four_eyes:
        raise RuleError("four-eyes")
    return _arrive(step, transition, step.public.ground)


def propose(step: Step) -> CaseState:
    public: Proposed = step.public
    transition = _find_transition(step)
    if not transition.four_eyes:
        raise RuleError("no-four-eyes")
    if step.state.proposed_transition is not None:
        raise RuleError("proposed-before")
    proposal = Proposal(
        hash=step.event.hash,
        type=public.kind,
        author=step.event.actor,
        from_state=public.from_state,
        to_state=public.to_state,
        ground=public.ground,
    )
    return replace(step.state, proposals=(*step.state.proposals, proposal))


def waive(step: Step) -> CaseState:
    public: Waived = step.public
    state = step.state
    if public.subject not in _obstacles(state):
        raise RuleError("nothing-to-waive")
    if any(proposal.subject == public.subject for proposal in state.proposals):
        raise RuleError("proposed-before")
    proposal = Proposal(step.event.hash, public.kind, step.event.actor, subject=public.subject)
    return replace(state, proposals=(*state.proposals, proposal))


def _obstacles(state: CaseState) -> set[EventHash]:
    """The hashes of the events that may be waived: checks that block, declarations without the reporters' grant."""
    found = {entry.hash for entry in state.declarations if state.lacks_grant(entry) and not entry.conflict}
    check = None if state.finding is None else state.finding.check
    if check is not None and check.outcome == "block":
        found.add(check.hash)
    return found - set(state.waived)


def approve(step: Step) -> CaseState:
    proposal = step.state.proposal(step.public.subject)
    if proposal is None:
        raise RuleError("no-such-proposal")
    if step.state.is_one_person(proposal.author, step.event.actor):
        raise RuleError("same-member")
    check_role(step.event, approving_roles(proposal))
    state = replace(step.state, proposals=tuple(entry for entry in step.state.proposals if entry != proposal))
    if proposal.from_state is None or proposal.to_state is None:
        assert proposal.subject is not None
        if proposal.subject not in _obstacles(step.state):
            raise RuleError("nothing-to-waive")
        return replace(state, waived=(*state.waived, proposal.subject))
    if proposal.from_state != state.state:
        raise RuleError("unreachable: a transition ends the proposals of the state that it leaves")
    transition = find_transition(proposal.from_state, proposal.to_state, proposal.ground)
    check_conditions(transition, state, step.members, step.event.actor, approving=True)
    if transition.completed_by is not None:
        return replace(state, decided=replace(proposal, approver=step.event.actor))
    return _arrive(replace(step, state=state), transition, proposal.ground)


def refuse(step: Step) -> CaseState:
    """Refuse a proposal, or a decision that was not carried out yet. Its author may take it back."""
    decided = step.state.decided
    is_decided = decided is not None and decided.hash == step.public.subject
    proposal = decided if is_decided else step.state.proposal(step.public.subject)
    if proposal is None:
        raise RuleError("no-such-proposal")
    if proposal.author != step.event.actor:
        check_role(step.event, approving_roles(proposal))
    if is_decided:
        return replace(step.state, decided=None)
    return replace(step.state, proposals=tuple(entry for entry in step.state.proposals if entry != proposal))


def complete(step: Step) -> CaseState:
    """The portal has published what was decided."""
    decided = step.state.decided
    if decided is None or decided.from_state is None or decided.to_state is None:
        raise RuleError("not-decided")
    transition = find_transition(decided.from_state, decided.to_state, decided.ground)
    if transition.completed_by != step.public.kind:
        raise RuleError("not-decided")
    state = replace(step.state, published=_publish(step), decided=None)
    return _arrive(replace(step, state=state), transition, decided.ground)


def _publish(step: Step) -> PublishedState:
    if isinstance(step.public, Withdrawn):
        return finding_effects.withdraw(step.state, step.public)
    return finding_effects.publish(step.state, step.public, corrects=isinstance(step.public, Corrected))


def _arrive(step: Step, transition: Transition, ground: str | None) -> CaseState:
    day = step.event.time.date()
    running = step.state.clocks
    if "stop acknowledge" in transition.clocks:
        running = clocks.acknowledge(step.state.policy, running, day, sent=ground == SENT)
    if "stop all" in transition.clocks:
        for clock in running:
            running = clocks.stop(running, clock.name, day)
    # A proposal to leave a state that was left is void; a waiver is not about states and stays.
    proposals = tuple(entry for entry in step.state.proposals if entry.to_state is None)
    since = step.state.since if transition.from_state == transition.to_state else day
    return replace(step.state, state=transition.to_state, since=since, clocks=running, proposals=proposals)
