# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may act: what holds for every event of a type, before its own conditions are looked at.

- A recused member does nothing more, and a member in conflict nothing but hand the case over when nobody else holds it.
- While somebody holds the case who should not (in conflict, or no longer a member), nothing is sealed to it but the
  renewal that shuts them out. So nothing that comes later can be opened by them.
"""

from collections.abc import Mapping

from crypto.charter import Charter, Member
from crypto.event import SignedEvent
from crypto.event_types import Assigned, Declared, Renewed
from crypto.ids import MemberLabel
from oversight.workflow.rules import WAIVER_APPROVERS, Act, Roles, RuleError, find_transition
from oversight.workflow.state import CaseState, Proposal

Members = Mapping[MemberLabel, Member]


def members_of(charter: Charter, event: SignedEvent) -> Members:
    """The members of the event's day, by label."""
    return {member.label: member for member in charter.members_on(event.time.date())}


def check_role(event: SignedEvent, roles: Roles) -> None:
    """RuleError ``role`` unless the actor has one of these roles."""
    if roles.isdisjoint(event.signer.roles):
        raise RuleError("role")


def check_access(state: CaseState, event: SignedEvent, members: Members, act: Act) -> None:
    """Raise RuleError unless this member may write an event of its type, which ``act`` is about, in this state."""
    if state.is_recused(event.actor):
        raise RuleError("recused")
    check_role(event, act.roles)
    if act.holder and event.actor not in state.holders:
        raise RuleError("not-a-holder")
    if state.in_conflict(event.actor) and not isinstance(event.public, Declared) and not _hands_over(state, event):
        raise RuleError("in-conflict")
    if state.state not in act.states:
        raise RuleError("state")
    if event.sealed is not None and not isinstance(event.public, Renewed) and renewal_due(state, members):
        raise RuleError("renewal-due")


def approving_roles(proposal: Proposal) -> Roles:
    """The roles that may approve a proposal, or send it back."""
    if proposal.from_state is None or proposal.to_state is None:
        return WAIVER_APPROVERS
    return find_transition(proposal.from_state, proposal.to_state, proposal.ground).approves


def renewal_due(state: CaseState, members: Members) -> tuple[MemberLabel, ...]:
    """The holders who must be shut out before anything else is sealed to the case."""
    return tuple(label for label in state.holders if label not in members or state.in_conflict(label))


def _hands_over(state: CaseState, event: SignedEvent) -> bool:
    return isinstance(event.public, Assigned) and all(state.in_conflict(label) for label in state.holders)
