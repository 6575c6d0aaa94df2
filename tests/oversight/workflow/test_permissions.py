# SPDX-License-Identifier: AGPL-3.0-or-later
"""What pages offer: it is what the rules would let through."""

import pytest

from crypto.event_types import Waived
from oversight.workflow.permissions import (
    PossibleTransition,
    may_act,
    may_answer,
    possible_transitions,
    waits_for,
)
from oversight.workflow.rules import INADMISSIBLE_GROUNDS, TRANSITIONS, RuleError
from tests.oversight.workflow.ledger import MAIN_LINE, Ledger, case_in, founded

CHAIR = frozenset({"chair"})
PUBLISHER = frozenset({"publisher"})
PEOPLE = tuple(person.label for person in founded().people)


def roles(label: str) -> frozenset[str]:
    return frozenset(founded()[label].roles)


def ways(case: Ledger, label: str) -> list[PossibleTransition]:
    return possible_transitions(case.state, case.members, label, roles(label))


def test_the_ways_out_of_a_state_are_those_of_the_table() -> None:
    handlers = frozenset({"triage", "investigator"})
    assert ways(case_in("ASSIGNED"), "daud") == [
        PossibleTransition(to_state, None, handlers, CHAIR, mine=True, missing=())
        for to_state in ("ADMITTED", "INADMISSIBLE", "REFERRED")
    ]
    assert len(INADMISSIBLE_GROUNDS) > 1
    assert ways(case_in("CLOSED"), "bruno") == []


def test_a_correction_and_a_withdrawal_are_told_apart_by_their_grounds() -> None:
    found = ways(case_in("FOLLOW_UP"), "elif")
    assert [(way.to_state, way.ground, way.mine, way.missing) for way in found] == [
        ("FOLLOW_UP", "correction", True, ("text-newer",)),
        ("FOLLOW_UP", "withdrawal", True, ()),
        ("CLOSED", None, False, ()),
    ]
    assert [way.open for way in found] == [False, True, False]


def test_nothing_is_offered_while_something_is_proposed_or_decided() -> None:
    case = case_in("ADOPTED")
    case.append("elif", case.checked("pass"))
    assert [way.to_state for way in ways(case, "elif")] == ["FINDING_DRAFT", "PUBLISHED"]
    proposal = case.propose("elif", "PUBLISHED")
    assert ways(case, "elif") == []
    case.send_back("elif", proposal)
    case.decide("elif", "PUBLISHED")
    assert ways(case, "elif") == []


def test_a_waiver_that_waits_holds_no_transition_up() -> None:
    case = case_in("ASSIGNED")
    case.declare("elif", granted=())
    case.append("bruno", Waived(case.last))
    assert len(ways(case, "bruno")) == 3


@pytest.mark.parametrize("state", MAIN_LINE)
def test_what_is_offered_to_a_member_is_what_the_rules_let_them_do(state: str) -> None:
    for label in PEOPLE:
        case = case_in(state)
        for way in ways(case, label):
            row = next(
                row
                for row in TRANSITIONS
                if (row.from_state, row.to_state) == (state, way.to_state)
                and (way.ground is None or way.ground in row.grounds)
            )
            assert (way.by, way.approved_by) == (row.proposes, row.approves)
            ground = row.grounds[0] if row.grounds else None
            trial = case_in(state)
            make = trial.proposed if way.approved_by else trial.moved
            try:
                trial.append(label, make(way.to_state, ground))
            except RuleError as refused:
                assert not way.open
                assert refused.code == (way.missing[0] if way.mine else "role")
            else:
                assert way.open


def test_the_author_of_a_text_may_propose_what_another_approves() -> None:
    case = case_in("FINDING_DRAFT")
    case.put_names("elif", "chiara")
    adoption = next(way for way in ways(case, "bruno") if way.to_state == "ADOPTED")
    assert adoption.open


def test_an_act_takes_its_roles_and_its_states() -> None:
    case = case_in("FINDING_DRAFT")
    assert may_act("drafted", case.state, case.members, roles("bruno"))
    assert not may_act("drafted", case.state, case.members, roles("elif"))
    assert not may_act("published", case.state, case.members, roles("elif"))
    assert may_act("noted", case_in("CLOSED").state, case.members, roles("bruno"))
    assert not may_act("drafted", case_in("RECEIVED").state, case.members, roles("bruno"))


def test_only_letters_are_written_while_somebody_has_to_be_shut_out() -> None:
    case = case_in("RECEIVED")
    case.declare("bruno", conflict=True)
    assert not may_act("noted", case.state, case.members, roles("amina"))
    assert may_act("replied", case.state, case.members, roles("amina"))
    assert not may_act("replied", case.state, case.members, roles("elif"))


def test_a_proposal_is_answered_by_another_one_in_the_right_role() -> None:
    case = case_in("ASSIGNED")
    case.propose("bruno", "ADMITTED")
    proposal = case.state.proposals[0]
    assert may_answer(case.state, proposal, "chiara", CHAIR)
    assert not may_answer(case.state, proposal, "daud", roles("daud"))
    assert not may_answer(case.state, proposal, "bruno", CHAIR)


def test_a_case_waits_for_a_holder_who_can_answer() -> None:
    case = case_in("ASSIGNED")
    assert not waits_for(case.state, "chiara", CHAIR)
    case.declare("elif", granted=())
    case.append("bruno", Waived(case.last))
    assert waits_for(case.state, "chiara", CHAIR)
    case.change_roles(chiara=("chair", "investigator"))
    case.propose("chiara", "ADMITTED")
    assert waits_for(case.state, "chiara", CHAIR)
    assert not waits_for(case.state, "bruno", roles("bruno"))
    assert not waits_for(case.state, "nobody", CHAIR)
    case.declare("chiara", conflict=True)
    assert not waits_for(case.state, "chiara", CHAIR)
