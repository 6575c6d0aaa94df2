# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who holds a case: declarations, assignments, further reports, and the ways out."""

from dataclasses import replace

import pytest

from crypto.event_types import Approved, Assigned, Declared, Left, Recused, ReportAdded
from oversight.workflow.holders import without
from oversight.workflow.state import Declaration
from tests.oversight.workflow.ledger import Ledger, case_in, digest, recipient, report_id


@pytest.fixture
def case() -> Ledger:
    """A case held by Amina, Bruno and Chiara."""
    ledger = Ledger()
    ledger.open()
    ledger.bring_in("bruno", "chiara")
    return ledger


def test_a_declaration_takes_the_place_of_the_members_last_one(case: Ledger) -> None:
    before = case.declare("daud", granted=())
    first = case.last
    assert before.declaration("daud") == Declaration("daud", first, False, ())
    after = case.declare("daud")
    entry = Declaration("daud", case.last, False, (report_id(1),))
    assert after.declarations == (*before.declarations[:-1], entry)
    assert after == replace(before, head=after.head, declarations=after.declarations)


def test_a_conflict_stands(case: Ledger) -> None:
    state = case.declare("daud", conflict=True)
    assert state.in_conflict("daud")
    assert case.refusal("daud", Declared(False, ())) == "conflict-stands"


def test_a_declaration_without_conflict_voids_nothing() -> None:
    case = case_in("CONFLICT_CHECK")
    case.propose("amina", "ASSIGNED")
    assert len(case.declare("amina").proposals) == 1
    assert case.declare("amina", conflict=True).proposals == ()


def test_an_assignment_adds_a_holder_and_changes_the_grant(case: Ledger) -> None:
    before = case.declare("daud")
    after = case.append("amina", case.assigned("daud"))
    assert after == replace(
        before,
        head=after.head,
        holders=("amina", "bruno", "chiara", "daud"),
        grant_sha256=digest("grant to daud"),
    )


def test_who_may_not_hold_a_case_is_not_assigned(case: Ledger) -> None:
    assert case.refusal("amina", case.assigned("nobody")) == "member"
    assert case.refusal("amina", Assigned("bruno", digest("again"), case.state.holders)) == "member-holds"
    assert case.refusal("amina", case.assigned("daud")) == "member-not-declared"
    case.declare("daud", conflict=True)
    assert case.refusal("amina", case.assigned("daud")) == "member-not-declared"
    case.declare("elif")
    case.change_roles(**{"elif": ("auditor",)})
    assert case.refusal("amina", case.assigned("elif")) == "member"


def test_a_recused_member_is_not_assigned(case: Ledger) -> None:
    case.append("chiara", case.renewed(Recused, "bruno"))
    assert case.refusal("amina", case.assigned("bruno")) == "member-recused"


def test_an_assignment_names_all_holders_in_their_order(case: Ledger) -> None:
    case.declare("daud")
    grant = digest("grant to daud")
    for holders in (("amina", "bruno", "daud"), ("daud", "amina", "bruno", "chiara"), ("amina", "bruno", "chiara")):
        assert case.refusal("amina", Assigned("daud", grant, holders)) == "holders"


def test_who_was_not_granted_every_report_is_assigned_when_that_was_waived(case: Ledger) -> None:
    case.declare("daud", granted=())
    declared = case.last
    assert case.refusal("amina", case.assigned("daud")) == "member-not-granted"
    case.waive("amina", declared)
    assert "daud" in case.append("amina", case.assigned("daud")).holders


def test_a_waiver_is_of_one_declaration_and_not_of_the_next(case: Ledger) -> None:
    case.declare("daud", granted=())
    case.waive("amina", case.last)
    case.declare("daud", granted=())
    assert case.refusal("amina", case.assigned("daud")) == "member-not-granted"


def test_a_further_report_needs_every_other_holders_grant(case: Ledger) -> None:
    added = ReportAdded(report_id(2), case.today)
    assert case.refusal("amina", added) == "holder-not-granted"
    case.declare("bruno", granted=(report_id(1), report_id(2)))
    assert case.refusal("amina", added) == "holder-not-granted"
    before = case.declare("chiara", granted=(report_id(1), report_id(2)))
    after = case.append("amina", added)
    own = before.declaration("amina")
    assert own is not None
    assert after == replace(
        before,
        head=after.head,
        reports=(report_id(1), report_id(2)),
        declarations=(
            *(entry for entry in before.declarations if entry.member != "amina"),
            replace(own, granted=(report_id(1), report_id(2))),
        ),
    )


def test_a_holder_leaves_and_the_case_has_a_new_identity(case: Ledger) -> None:
    before = case.state
    after = case.append("chiara", case.renewed(Left, "bruno"))
    assert after == replace(
        before,
        head=after.head,
        generation=2,
        recipient=recipient(2),
        grant_sha256=digest("grant without bruno"),
        holders=("amina", "chiara"),
        declarations=tuple(entry for entry in before.declarations if entry.member != "bruno"),
    )
    case.bring_in("bruno")
    assert case.state.holders == ("amina", "chiara", "bruno")


def test_a_recusal_is_remembered_and_so_is_the_conflict(case: Ledger) -> None:
    case.declare("bruno", conflict=True)
    state = case.append("amina", case.renewed(Recused, "bruno"))
    assert state.recused == ("bruno",)
    assert state.in_conflict("bruno")
    state = case.append("chiara", case.renewed(Recused, "amina"))
    assert state.recused == ("bruno", "amina")
    assert (state.generation, state.recipient, state.holders) == (3, recipient(3), ("chiara",))


def test_who_is_in_conflict_is_recused_and_does_not_just_leave(case: Ledger) -> None:
    case.declare("bruno", conflict=True)
    assert case.refusal("chiara", case.renewed(Left, "bruno")) == "conflict-stands"
    assert case.refusal("amina", case.renewed(Left, "bruno")) == "conflict-stands"


def test_only_a_chair_shuts_out_who_need_not_go(case: Ledger) -> None:
    for kind in (Recused, Left):
        assert case.refusal("amina", case.renewed(kind, "bruno")) == "role"
        assert case.refusal("chiara", case.renewed(kind, "chiara")) == "renews-against-oneself"
        assert case.refusal("chiara", case.renewed(kind, "daud")) == "member-holds-not"
    case.declare("bruno", conflict=True)
    assert case.append("amina", case.renewed(Recused, "bruno")).holders == ("amina", "chiara")


def test_a_dismissed_holder_leaves_by_anybodys_hand_and_no_other_goes_with_them(case: Ledger) -> None:
    case.change_roles(bruno=())
    assert case.refusal("amina", case.renewed(Left, "chiara")) == "role"
    assert case.append("amina", case.renewed(Left, "bruno")).holders == ("amina", "chiara")


def test_a_renewal_leaves_nobody_in_who_is_no_member_any_more(case: Ledger) -> None:
    case.bring_in("daud")
    case.change_roles(bruno=(), daud=())
    after = case.append("chiara", case.renewed(Left, "bruno"))
    assert after.holders == ("amina", "chiara")


def test_a_renewal_is_of_the_next_generation_with_another_identity(case: Ledger) -> None:
    good = case.renewed(Left, "bruno")
    assert case.refusal("chiara", replace(good, generation=3)) == "generation"
    assert case.refusal("chiara", replace(good, recipient=recipient(1))) == "generation"
    assert case.refusal("chiara", replace(good, holders=("chiara", "amina"))) == "holders"
    assert case.refusal("chiara", replace(good, holders=("amina", "bruno", "chiara"))) == "holders"
    case.append("chiara", good)
    again = case.renewed(Left, "amina")
    assert case.refusal("chiara", replace(again, generation=2)) == "generation"


def test_what_a_member_proposed_is_void_once_they_leave() -> None:
    case = case_in("CONFLICT_CHECK")
    case.propose("amina", "ASSIGNED")
    assert case.append("chiara", case.renewed(Left, "amina")).proposals == ()


def test_anothers_proposal_outlives_a_member_who_leaves() -> None:
    case = case_in("CONFLICT_CHECK")
    proposal = case.propose("amina", "ASSIGNED")
    case.append("chiara", case.renewed(Left, "elif"))
    assert case.append("chiara", Approved(proposal)).state == "ASSIGNED"


@pytest.mark.parametrize(("member", "stands"), [("elif", False), ("chiara", False), ("daud", True)])
def test_a_decision_is_void_without_its_author_or_its_approver(member: str, stands: bool) -> None:
    case = case_in("ADOPTED")
    case.append("elif", case.checked("pass"))
    case.decide("elif", "PUBLISHED")
    state = case.declare(member, conflict=True)
    assert (state.decided is not None) == stands


def test_a_signature_counts_no_more_without_its_member() -> None:
    case = case_in("FINDING_DRAFT")
    before = case.put_names("elif", "chiara")
    assert without(before, "daud") == before
    assert before.finding is not None
    assert without(before, "elif") == replace(before, finding=replace(before.finding, signers=("chiara",)))
    alone = replace(before, finding=replace(before.finding, signers=("elif",), chairs=()))
    assert without(before, "chiara") == alone
