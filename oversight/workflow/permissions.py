# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be done in a case now, and by whom: read off the tables of ``oversight/workflow/rules.py``. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from crypto.charter import Member
from oversight.workflow.access import renewal_due
from oversight.workflow.conditions import CONDITIONS
from oversight.workflow.rules import ACTS, TRANSITIONS, Roles, Transition, find_transition
from oversight.workflow.state import CaseState, Proposal


@dataclass(frozen=True)
class PossibleMove:
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


def possible_moves(state: CaseState, members: Mapping[str, Member], label: str, roles: Roles) -> list[PossibleMove]:
    """The moves of the table from the state of the case; what was proposed or decided comes first, so then none."""
    if state.proposed_move is not None or state.decided is not None:
        return []
    return [_possible(row, state, members, label, roles) for row in TRANSITIONS if row.from_state == state.state]


def _possible(
    row: Transition, state: CaseState, members: Mapping[str, Member], label: str, roles: Roles
) -> PossibleMove:
    missing = tuple(
        name
        for name in row.requires
        if name != "approver-is-not-author" and not CONDITIONS[name](state, members, label)
    )
    # A correction and a withdrawal go from a state to itself: their one ground tells them apart.
    ground = row.grounds[0] if row.from_state == row.to_state else None
    return PossibleMove(row.to_state, ground, row.proposes, row.approves, not row.proposes.isdisjoint(roles), missing)


def may_act(type_code: str, state: CaseState, members: Mapping[str, Member], roles: Roles) -> bool:
    """Whether somebody with these roles who holds the case may write an event of this type in its state."""
    act = ACTS[type_code]
    waits = type_code != "replied" and bool(renewal_due(state, members))
    return state.state in act.states and not act.roles.isdisjoint(roles) and not waits


def approving_roles(proposal: Proposal) -> Roles:
    """The roles that may answer a proposal."""
    if proposal.from_state is None or proposal.to_state is None:
        return ACTS[proposal.type].approves
    return find_transition(proposal.from_state, proposal.to_state, proposal.ground).approves


def may_answer(proposal: Proposal, label: str, roles: Roles) -> bool:
    """Whether this member may approve or send back: another one than the author, in the right role."""
    return proposal.author != label and not approving_roles(proposal).isdisjoint(roles)


def waits_for(state: CaseState, label: str, roles: Roles) -> bool:
    """Whether something in the case waits for this very member."""
    holds = label in state.holders and not state.in_conflict(label)
    return holds and any(may_answer(proposal, label, roles) for proposal in state.proposals)
