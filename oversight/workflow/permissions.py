# SPDX-License-Identifier: AGPL-3.0-or-later
"""What may be done in a case now, and by whom: read off the tables of transitions and of event types."""

from collections.abc import Mapping
from dataclasses import dataclass

from crypto.charter import Member
from crypto.ids import MemberLabel
from oversight.workflow.access import approving_roles, renewal_due
from oversight.workflow.conditions import CONDITIONS
from oversight.workflow.event_types import EVENT_TYPES
from oversight.workflow.rules import TRANSITIONS, Roles, Transition
from oversight.workflow.state import CaseState, Proposal


@dataclass(frozen=True)
class PossibleTransition:
    """A way out of the present state. ``mine`` says whether this member may take it, ``missing`` what comes first."""

    to_state: str
    ground: str | None
    by: Roles
    approved_by: Roles
    mine: bool
    missing: tuple[str, ...]

    @property
    def open(self) -> bool:
        return self.mine and not self.missing


def possible_transitions(
    state: CaseState, members: Mapping[MemberLabel, Member], label: MemberLabel, roles: Roles
) -> list[PossibleTransition]:
    """The transitions from the state of the case: none while something proposed or decided comes first."""
    if state.proposed_transition is not None or state.decided is not None:
        return []
    return [_possible(row, state, members, label, roles) for row in TRANSITIONS if row.from_state == state.state]


def _possible(
    row: Transition, state: CaseState, members: Mapping[MemberLabel, Member], label: MemberLabel, roles: Roles
) -> PossibleTransition:
    missing = tuple(
        name
        for name in row.requires
        if name != "approver-is-not-author" and not CONDITIONS[name](state, members, label)
    )
    # A correction and a withdrawal go from a state to itself: their one ground tells them apart.
    ground = row.grounds[0] if row.from_state == row.to_state else None
    return PossibleTransition(
        row.to_state, ground, row.proposes, row.approves, not row.proposes.isdisjoint(roles), missing
    )


def may_act(type_code: str, state: CaseState, members: Mapping[MemberLabel, Member], roles: Roles) -> bool:
    """Whether somebody with these roles who holds the case may write an event of this type in its state."""
    act = EVENT_TYPES[type_code].act
    waits = type_code != "replied" and bool(renewal_due(state, members))
    return state.state in act.states and not act.roles.isdisjoint(roles) and not waits


def may_answer(state: CaseState, proposal: Proposal, label: MemberLabel, roles: Roles) -> bool:
    """Whether this member may approve or send back: another person than the author, in the right role."""
    return not state.is_one_person(proposal.author, label) and not approving_roles(proposal).isdisjoint(roles)


def waits_for(state: CaseState, label: MemberLabel, roles: Roles) -> bool:
    """Whether something in the case waits for this very member."""
    holds = label in state.holders and not state.in_conflict(label)
    return holds and any(may_answer(state, proposal, label, roles) for proposal in state.proposals)
