# SPDX-License-Identifier: AGPL-3.0-or-later
"""From state to state, and four eyes: proposals, approvals, refusals, waivers, publication."""

from dataclasses import replace

import pytest

from crypto.event_types import (
    Approved,
    Corrected,
    Declared,
    Left,
    Moved,
    Proposed,
    Published,
    Recused,
    Returned,
    Waived,
    Withdrawn,
)
from oversight.workflow.rules import STATES, TRANSITIONS
from oversight.workflow.state import Proposal, PublishedState
from tests.oversight.workflow.ledger import MAIN_LINE, Ledger, case_in, digest


@pytest.mark.parametrize("state", MAIN_LINE)
def test_no_other_state_can_be_reached_than_the_table_says(state: str) -> None:
    case = case_in(state)
    before = case.state
    reachable = {row.to_state for row in TRANSITIONS if row.from_state == state}
    expected = "state" if state == "CLOSED" else "no-such-transition"
    for to_state in set(STATES) - reachable:
        assert case.refusal("bruno", Moved(state, to_state, None)) == expected
        assert case.refusal("bruno", Proposed(state, to_state, None)) == expected
    assert case.state == before


# --- one pair of eyes -------------------------------------------------------------------------------------------------


def test_a_move_changes_the_state_and_its_day_alone() -> None:
    case = case_in("ACKNOWLEDGED")
    case.forward(days=2)
    before = case.state
    after = case.move("amina", "TRIAGE")
    assert after == replace(before, head=after.head, state="TRIAGE", since=case.today)


def test_a_move_starts_from_the_present_state() -> None:
    case = case_in("ACKNOWLEDGED")
    assert case.refusal("amina", Moved("RECEIVED", "ACKNOWLEDGED", "sent")) == "moved-on"
    assert case.refusal("amina", Proposed("CONFLICT_CHECK", "ASSIGNED", None)) == "moved-on"


def test_a_move_takes_the_roles_of_its_row() -> None:
    case = case_in("ACKNOWLEDGED")
    assert case.refusal("bruno", case.moved("TRIAGE")) == "role"
    assert case.move("daud", "TRIAGE").state == "TRIAGE"
    case.move("daud", "CONFLICT_CHECK")
    assert case.refusal("bruno", case.proposed("ASSIGNED")) == "role"


def test_what_takes_four_eyes_is_not_done_by_two_and_the_other_way_round() -> None:
    case = case_in("CONFLICT_CHECK")
    assert case.refusal("amina", case.moved("ASSIGNED")) == "four-eyes"
    assert case_in("ACKNOWLEDGED").refusal("amina", Proposed("ACKNOWLEDGED", "TRIAGE", None)) == "no-four-eyes"


def test_a_move_voids_the_proposals_of_the_state_that_it_leaves_and_no_waivers() -> None:
    case = case_in("FINDING_DRAFT")
    case.put_names("elif", "chiara")
    case.append("elif", case.checked("block"))
    waiver = case.append("elif", Waived(case.last)).proposals[0]
    proposal = case.propose("bruno", "ADOPTED")
    state = case.move("chiara", "INVESTIGATING")
    assert state.proposals == (waiver,)
    assert case.refusal("chiara", Approved(proposal)) == "no-such-proposal"
    case.move("bruno", "FINDING_DRAFT")
    assert case.refusal("chiara", Approved(proposal)) == "no-such-proposal"
    assert case.append("chiara", Approved(waiver.hash)).waived == (waiver.subject,)


# --- four eyes --------------------------------------------------------------------------------------------------------


def test_a_proposal_is_kept_as_it_was_signed() -> None:
    case = case_in("ASSIGNED")
    before = case.state
    proposal = case.propose("bruno", "INADMISSIBLE", "time")
    expected = Proposal(proposal, "proposed", "bruno", "ASSIGNED", "INADMISSIBLE", "time")
    assert case.state == replace(before, head=case.state.head, proposals=(expected,))
    assert case.state.proposed_transition == expected


def test_an_approval_brings_about_what_was_proposed() -> None:
    case = case_in("ASSIGNED")
    proposal = case.propose("bruno", "INADMISSIBLE", "time")
    case.forward(days=1)
    before = case.state
    after = case.append("chiara", Approved(proposal))
    assert after == replace(before, head=after.head, state="INADMISSIBLE", since=case.today, proposals=())


def test_one_change_of_state_is_proposed_at_a_time() -> None:
    case = case_in("ASSIGNED")
    case.propose("bruno", "ADMITTED")
    assert case.refusal("daud", case.proposed("REFERRED", "authority")) == "proposed-before"


def test_who_approves_is_another_member_in_the_right_role() -> None:
    case = case_in("ASSIGNED")
    case.change_roles(bruno=("investigator", "chair"))
    proposal = case.propose("bruno", "ADMITTED")
    assert case.refusal("bruno", Approved(proposal)) == "same-member"
    assert case.refusal("daud", Approved(proposal)) == "role"
    assert case.refusal("chiara", Approved(digest("another"))) == "no-such-proposal"
    assert case.append("chiara", Approved(proposal)).state == "ADMITTED"


def test_conditions_hold_when_it_is_proposed_and_when_it_is_approved() -> None:
    case = case_in("CONFLICT_CHECK")
    proposal = case.propose("amina", "ASSIGNED")
    case.append("chiara", case.renewed(Left, "bruno"))
    assert case.refusal("chiara", Approved(proposal)) == "investigator-holds"
    case.send_back("amina", proposal)
    assert case.refusal("amina", case.proposed("ASSIGNED")) == "investigator-holds"


def test_who_drafted_the_text_does_not_approve_it_and_may_propose_it() -> None:
    case = case_in("FINDING_DRAFT")
    case.change_roles(bruno=("investigator", "chair"))
    case.put_names("elif", "chiara")
    proposal = case.propose("daud", "ADOPTED")
    assert case.refusal("bruno", Approved(proposal)) == "approver-is-not-author"
    case.send_back("daud", proposal)
    assert case.decide("bruno", "ADOPTED").state == "ADOPTED"


def test_a_proposal_is_sent_back_by_who_could_approve_it_or_its_author() -> None:
    case = case_in("ASSIGNED")
    before = case.state
    for actor in ("chiara", "bruno"):
        proposal = case.propose("bruno", "ADMITTED")
        assert case.refusal("daud", Returned(proposal)) == "role"
        after = case.send_back(actor, proposal)
        assert after == replace(before, head=after.head)
    assert case.refusal("chiara", Returned(proposal)) == "no-such-proposal"


def test_sending_one_proposal_back_leaves_the_others() -> None:
    case = case_in("ASSIGNED")
    case.declare("elif", granted=())
    waiver = case.append("bruno", Waived(case.last)).proposals[0]
    proposal = case.propose("bruno", "ADMITTED")
    assert case.send_back("chiara", proposal).proposals == (waiver,)
    case.propose("bruno", "ADMITTED")
    assert [entry.to_state for entry in case.send_back("chiara", waiver.hash).proposals] == ["ADMITTED"]


def test_approving_a_waiver_leaves_what_was_proposed_besides() -> None:
    case = case_in("ASSIGNED")
    proposal = case.propose("bruno", "ADMITTED")
    case.declare("elif", granted=())
    state = case.waive("bruno", case.last)
    assert [entry.hash for entry in state.proposals] == [proposal]
    assert case.append("chiara", Approved(proposal)).state == "ADMITTED"


# --- what is decided and not done yet ---------------------------------------------------------------------------------


def decided(state: str = "ADOPTED") -> Ledger:
    """A case whose publication is decided; the portal has not taken the finding in yet."""
    case = case_in(state)
    case.append("elif", case.checked("pass"))
    case.decide("elif", "PUBLISHED")
    return case


def test_a_publication_is_decided_and_then_done() -> None:
    case = case_in("ADOPTED")
    case.append("elif", case.checked("warn"))
    proposal = case.propose("elif", "PUBLISHED")
    before = case.state
    after = case.append("chiara", Approved(proposal))
    decision = replace(before.proposals[0], approver="chiara")
    assert after == replace(before, head=after.head, proposals=(), decided=decision)
    case.forward(days=1)
    done = case.append("elif", Published("F-1", case.text, 1))
    published = PublishedState("F-1", case.text, 1)
    assert done == replace(
        after, head=done.head, state="PUBLISHED", since=case.today, decided=None, published=published
    )


def test_nothing_is_published_that_was_not_decided() -> None:
    case = case_in("ADOPTED")
    assert case.refusal("elif", Published("F-1", case.text, 1)) == "not-decided"
    case.append("elif", case.checked("pass"))
    case.propose("elif", "PUBLISHED")
    assert case.refusal("elif", Published("F-1", case.text, 1)) == "not-decided"


def test_while_something_is_decided_nothing_else_is_proposed_transitiond_or_drafted() -> None:
    case = decided()
    assert case.refusal("bruno", case.moved("FINDING_DRAFT")) == "decided"
    assert case.refusal("elif", case.proposed("PUBLISHED")) == "decided"


@pytest.mark.parametrize("actor", ["elif", "chiara"])
def test_a_decision_is_taken_back_by_its_author_or_by_a_chair(actor: str) -> None:
    case = decided()
    before = case.state
    assert before.decided is not None
    subject = before.decided.hash
    assert case.refusal("bruno", Returned(subject)) == "role"
    assert case.refusal("chiara", Returned(digest("another"))) == "no-such-proposal"
    after = case.send_back(actor, subject)
    assert after == replace(before, head=after.head, decided=None)


def test_a_proposal_is_sent_back_while_another_thing_is_decided() -> None:
    case = decided()
    case.declare("elif", granted=())
    waiver = case.append("bruno", Waived(case.last)).proposals[0]
    after = case.send_back("chiara", waiver.hash)
    assert after.proposals == ()
    assert after.decided is not None


def test_a_correction_is_not_done_as_a_withdrawal_nor_a_withdrawal_as_a_correction() -> None:
    case = case_in("PUBLISHED")
    case.decide("elif", "PUBLISHED", "withdrawal")
    assert case.refusal("elif", Corrected("F-1", case.text, 1)) == "not-decided"
    since = case.state.since
    case.forward(days=3)
    before = case.state
    after = case.append("elif", Withdrawn("F-1", digest("tombstone")))
    published = PublishedState("F-1", digest("tombstone"), 1, withdrawn=True)
    assert after == replace(before, head=after.head, decided=None, published=published)
    assert after.since == since
    assert case.refusal("elif", case.proposed("PUBLISHED", "withdrawal")) == "stands"
    assert case.refusal("elif", case.proposed("PUBLISHED", "correction")) == "stands"


def test_corrections_are_counted() -> None:
    case = case_in("FOLLOW_UP")
    for number in (1, 2):
        assert case.refusal("elif", case.proposed("FOLLOW_UP", "correction")) == "text-newer"
        case.draft()
        assert case.refusal("elif", case.proposed("FOLLOW_UP", "correction")) == "text-signed"
        case.put_names("elif", "chiara")
        assert case.refusal("elif", case.proposed("FOLLOW_UP", "correction")) == "text-checked"
        case.append("elif", case.checked("pass"))
        case.decide("elif", "FOLLOW_UP", "correction")
        state = case.append("elif", Corrected("F-1", case.text, number + 1))
        assert state.published == PublishedState("F-1", case.text, number + 1, corrections=number)
        assert state.state == "FOLLOW_UP"


# --- waivers ----------------------------------------------------------------------------------------------------------


def test_a_waiver_is_of_a_check_that_blocks_or_a_declaration_that_lacks_a_grant() -> None:
    case = case_in("FINDING_DRAFT")
    assert case.refusal("bruno", Waived(digest("anything"))) == "nothing-to-waive"
    for outcome in ("pass", "warn"):
        case.append("elif", case.checked(outcome))
        assert case.refusal("bruno", Waived(case.last)) == "nothing-to-waive"
    case.append("elif", case.checked("block"))
    blocked = case.last
    before = case.state
    after = case.append("bruno", Waived(blocked))
    waiver = Proposal(case.last, "waived", "bruno", subject=blocked)
    assert after == replace(before, head=after.head, proposals=(waiver,))
    assert after.proposed_transition is None
    assert case.refusal("daud", Waived(blocked)) == "proposed-before"
    assert case.refusal("bruno", Approved(waiver.hash)) == "same-member"
    assert case.refusal("elif", Approved(waiver.hash)) == "role"
    waived = case.append("chiara", Approved(waiver.hash))
    assert waived == replace(before, head=waived.head, waived=(blocked,))
    assert case.refusal("daud", Waived(blocked)) == "nothing-to-waive"


def test_a_conflict_and_a_full_grant_are_not_waived() -> None:
    case = case_in("RECEIVED")
    case.declare("elif")
    assert case.refusal("amina", Waived(case.last)) == "nothing-to-waive"
    case.append("amina", Declared(True, ()))
    assert case.refusal("bruno", Waived(case.last), sealed=True) == "renewal-due"
    case.append("bruno", case.renewed(Recused, "amina"))
    declaration = case.state.declaration("amina")
    assert declaration is not None
    assert case.refusal("bruno", Waived(declaration.hash)) == "nothing-to-waive"


def test_a_waiver_of_what_is_no_obstacle_any_more_takes_no_effect() -> None:
    case = case_in("FINDING_DRAFT")
    case.append("elif", case.checked("block"))
    waiver = case.append("bruno", Waived(case.last)).proposals[0].hash
    case.append("elif", case.checked("pass"))
    assert case.refusal("chiara", Approved(waiver)) == "nothing-to-waive"
    assert case.send_back("chiara", waiver).proposals == ()


def test_waivers_add_up() -> None:
    case = case_in("FINDING_DRAFT")
    case.declare("daud", granted=())
    first = case.last
    case.append("elif", case.checked("block"))
    second = case.last
    case.waive("bruno", first)
    case.append("bruno", Waived(second))
    assert case.append("chiara", Approved(case.last)).waived == (first, second)


def test_two_things_may_wait_for_a_waiver_at_once() -> None:
    case = case_in("FINDING_DRAFT")
    case.declare("daud", granted=())
    first = case.last
    case.declare("elif", granted=())
    second = case.last
    case.append("bruno", Waived(first))
    assert [entry.subject for entry in case.append("bruno", Waived(second)).proposals] == [first, second]


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_an_acknowledgement_stops_its_clock_and_no_other_move_does() -> None:
    case = case_in("RECEIVED")
    case.forward(days=2)
    state = case.move("amina", "ACKNOWLEDGED", "sent")
    acknowledge, feedback = state.clocks
    assert (acknowledge.name, acknowledge.stopped) == ("acknowledge", case.today)
    assert (feedback.started, feedback.stopped) == (case.today, None)
    case.forward(days=1)
    assert case.move("amina", "TRIAGE").clocks == state.clocks


def test_a_withheld_acknowledgement_leaves_the_second_clock_where_it_was() -> None:
    case = case_in("RECEIVED")
    before = case.state.clocks
    after = case.move("amina", "ACKNOWLEDGED", "withheld").clocks
    assert after == (replace(before[0], stopped=case.today), before[1])


def test_closing_a_case_stops_what_still_runs() -> None:
    case = case_in("FOLLOW_UP")
    acknowledge, feedback = case.state.clocks
    case.forward(days=5)
    state = case.decide("bruno", "CLOSED")
    assert state.clocks == (acknowledge, replace(feedback, stopped=case.today))
