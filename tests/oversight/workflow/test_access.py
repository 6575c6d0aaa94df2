# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may act at all, before the conditions of an event are looked at."""

import pytest

from crypto.event_types import Approved, Declared, Drafted, Left, Noted, PartyAdded, Recused
from oversight.workflow.access import approving_roles, members_of, renewal_due
from oversight.workflow.state import Proposal
from tests.oversight.workflow.ledger import Ledger, case_in, digest, text_of

PEOPLE = ("amina", "bruno", "chiara", "daud", "elif")


@pytest.fixture
def case() -> Ledger:
    """A case held by Amina, Bruno and Chiara; Daud and Elif stand outside."""
    ledger = Ledger()
    ledger.open()
    ledger.bring_in("bruno", "chiara")
    return ledger


def test_the_members_of_a_day_are_found_by_their_labels() -> None:
    ledger = Ledger()
    ledger.open()
    members = members_of(ledger.charter, ledger.events[0])
    assert tuple(members) == PEOPLE
    assert all(member.label == label for label, member in members.items())
    assert members["bruno"].roles == ("investigator",)


def test_who_has_no_role_in_cases_does_nothing(case: Ledger) -> None:
    case.change_roles(amina=("administrator",), daud=("auditor", "custodian"))
    assert case.refusal("daud", Declared(False, ())) == "role"
    assert case.refusal("amina", Noted()) == "role"


def test_who_does_not_hold_a_case_may_only_declare(case: Ledger) -> None:
    assert case.refusal("daud", Noted()) == "not-a-holder"
    assert case.refusal("daud", case.assigned("daud")) == "not-a-holder"
    state = case.declare("daud")
    assert "daud" not in state.holders
    assert case.refusal("daud", Noted()) == "not-a-holder"


@pytest.mark.parametrize("conflict", [True, False])
def test_a_recused_member_neither_acts_nor_declares(case: Ledger, conflict: bool) -> None:
    case.append("chiara", case.renewed(Recused, "bruno"))
    assert case.refusal("bruno", Noted()) == "recused"
    assert case.refusal("bruno", Declared(conflict, ())) == "recused"


def test_one_in_conflict_hands_nothing_over_while_others_hold_the_case(case: Ledger) -> None:
    case.declare("daud")
    case.declare("amina", conflict=True)
    assert case.refusal("amina", case.assigned("daud")) == "in-conflict"
    assert case.refusal("amina", Approved(case.last)) == "in-conflict"
    assert case.append("chiara", case.assigned("daud")).holders == ("amina", "bruno", "chiara", "daud")


def test_the_last_one_in_conflict_hands_over_and_does_nothing_else() -> None:
    case = Ledger()
    case.open()
    case.declare("chiara")
    case.declare("amina", conflict=True)
    assert case.refusal("amina", case.moved("ACKNOWLEDGED", "sent")) == "in-conflict"
    assert case.append("amina", case.assigned("chiara")).holders == ("amina", "chiara")


def test_an_event_in_a_state_that_its_type_does_not_name_is_refused(case: Ledger) -> None:
    assert case.refusal("bruno", Drafted(1, text_of(1))) == "state"


def test_a_closed_case_takes_notes_and_nothing_that_changes_it() -> None:
    case = case_in("CLOSED")
    assert case.append("bruno", Noted()).notes == 1
    assert case.refusal("bruno", PartyAdded()) == "state"
    assert case.refusal("bruno", case.moved("FOLLOW_UP")) == "state"


def test_nothing_is_sealed_while_one_in_conflict_holds_the_case(case: Ledger) -> None:
    case.declare("bruno", conflict=True)
    assert case.refusal("chiara", Noted()) == "renewal-due"
    assert case.refusal("amina", case.moved("ACKNOWLEDGED", "sent"), sealed=True) == "renewal-due"
    case.move("amina", "ACKNOWLEDGED", "sent")
    case.append("amina", case.renewed(Recused, "bruno"))
    assert case.append("chiara", Noted()).notes == 1


def test_who_is_to_be_shut_out_is_in_conflict_or_no_member_any_more(case: Ledger) -> None:
    assert renewal_due(case.state, case.members) == ()
    case.declare("daud", conflict=True)
    assert renewal_due(case.state, case.members) == ()
    case.declare("bruno", conflict=True)
    assert renewal_due(case.state, case.members) == ("bruno",)
    case.change_roles(chiara=())
    assert renewal_due(case.state, case.members) == ("bruno", "chiara")


def test_a_holder_who_was_dismissed_is_shut_out_before_anything_is_sealed(case: Ledger) -> None:
    case.change_roles(bruno=())
    assert case.refusal("chiara", Noted()) == "renewal-due"
    case.append("amina", case.renewed(Left, "bruno"))
    assert case.append("chiara", Noted()).holders == ("amina", "chiara")


def test_the_chair_approves_waivers_and_what_the_table_says() -> None:
    chair = frozenset({"chair"})
    waiver = Proposal(digest("waiver"), "waived", "amina", subject=digest("check"))
    change = Proposal(digest("change"), "proposed", "amina", "CONFLICT_CHECK", "ASSIGNED")
    closing = Proposal(digest("closing"), "proposed", "elif", "PUBLISHED", "PUBLISHED", "withdrawal")
    assert [approving_roles(entry) for entry in (waiver, change, closing)] == [chair] * 3
