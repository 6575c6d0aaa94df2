# SPDX-License-Identifier: AGPL-3.0-or-later
"""What else must hold for a transition: the conditions that the table of transitions names under ``requires``.

A condition that does not hold refuses the event with its own name as the code.
"""

from collections.abc import Callable, Mapping

from crypto.charter import Member
from crypto.ids import MemberLabel
from oversight.workflow.rules import SIGNATURES_DUE, RuleError, Transition
from oversight.workflow.state import CaseState

Condition = Callable[[CaseState, Mapping[MemberLabel, Member], MemberLabel], bool]
"""Of the state, the members of the day by label, and the label of the member who proposes or approves."""


def check_conditions(
    transition: Transition,
    state: CaseState,
    members: Mapping[MemberLabel, Member],
    actor: MemberLabel,
    *,
    approving: bool,
) -> None:
    """Raise RuleError for the first condition of this transition that does not hold."""
    for name in transition.requires:
        if name == "approver-is-not-author" and not approving:
            continue
        if not CONDITIONS[name](state, members, actor):
            raise RuleError(name)


def _investigator_holds(state: CaseState, members: Mapping[MemberLabel, Member], _actor: MemberLabel) -> bool:
    holders = [members[label] for label in state.holders if label in members and not state.in_conflict(label)]
    return any("investigator" in member.roles for member in holders)


def _text_drafted(state: CaseState, _members: Mapping[MemberLabel, Member], _actor: MemberLabel) -> bool:
    return state.finding is not None


def _text_signed(state: CaseState, _members: Mapping[MemberLabel, Member], _actor: MemberLabel) -> bool:
    finding = state.finding
    if finding is None or len(finding.signers) < SIGNATURES_DUE:
        return False
    return any(not state.is_one_person(label, finding.author) for label in finding.chairs)


def _text_checked(state: CaseState, _members: Mapping[MemberLabel, Member], _actor: MemberLabel) -> bool:
    check = None if state.finding is None else state.finding.check
    return check is not None and (check.outcome != "block" or check.hash in state.waived)


def _text_newer(state: CaseState, _members: Mapping[MemberLabel, Member], _actor: MemberLabel) -> bool:
    return (
        state.finding is not None and state.published is not None and state.finding.revision > state.published.revision
    )


def _stands(state: CaseState, _members: Mapping[MemberLabel, Member], _actor: MemberLabel) -> bool:
    return state.published is not None and not state.published.withdrawn


def _not_author(state: CaseState, _members: Mapping[MemberLabel, Member], actor: MemberLabel) -> bool:
    return state.finding is None or not state.is_one_person(state.finding.author, actor)


CONDITIONS: Mapping[str, Condition] = {
    "investigator-holds": _investigator_holds,
    "text-drafted": _text_drafted,
    "text-signed": _text_signed,
    "text-checked": _text_checked,
    "text-newer": _text_newer,
    "stands": _stands,
    "approver-is-not-author": _not_author,
}
