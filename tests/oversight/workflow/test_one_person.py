# SPDX-License-Identifier: AGPL-3.0-or-later
"""One person under two labels is one member: nobody approves, signs, or comes back as somebody else.

Such a charter is not made here; whoever reads one has to live with it. Daud is the chair under another label.
"""

from dataclasses import replace

import pytest

from crypto.charter import Charter, read_charter
from crypto.event_types import Approved, Noted, Recused, Signed, Waived
from crypto.note import sign
from oversight.workflow.permissions import may_answer, waits_for
from tests.findings import charter_with
from tests.oversight.workflow.ledger import SIGNATURE, Ledger, case_in, founded
from tests.people import SPELLINGS, write_charter

CHAIR = frozenset({"chair"})
BOTH = ("chair", "investigator", "publisher", "legal", "triage")


def charter_of(name: str) -> Charter:
    """Daud is called so; he and the chair have every role that decides."""
    return charter_with(founded(), chiara={"roles": BOTH}, daud={"roles": BOTH, "name": name})


@pytest.fixture(params=SPELLINGS, ids=ascii)
def charter(request: pytest.FixtureRequest) -> Charter:
    return charter_of(request.param)


def test_two_people_decide_by_four_eyes() -> None:
    case = case_in("ASSIGNED", charter=charter_of("Chiara Lombardo"))
    case.decide("daud", "ADMITTED", approver="chiara")
    assert case.state.state == "ADMITTED"


def test_nobody_approves_what_they_proposed_under_another_label(charter: Charter) -> None:
    case = case_in("ASSIGNED", charter=charter)
    proposal = case.propose("daud", "ADMITTED")
    assert not may_answer(case.state, case.state.proposals[0], "chiara", CHAIR)
    assert not waits_for(case.state, "chiara", CHAIR)
    assert case.refusal("chiara", Approved(proposal)) == "same-member"


def test_nobody_approves_what_they_waived_under_another_label(charter: Charter) -> None:
    case = case_in("FINDING_DRAFT", charter=charter)
    case.append("elif", case.checked("block"))
    case.append("daud", Waived(case.last))
    assert case.refusal("chiara", Approved(case.last)) == "same-member"


def test_nobody_signs_a_finding_twice(charter: Charter) -> None:
    case = case_in("FINDING_DRAFT", charter=charter)
    case.put_names("daud")
    assert case.refusal("chiara", Signed(case.text, SIGNATURE)) == "signed-before"


def test_no_chair_signs_for_what_they_wrote_under_another_label(charter: Charter) -> None:
    case = case_in("FINDING_DRAFT", charter=charter)
    case.draft("daud")
    case.put_names("chiara", "elif")
    assert case.refusal("bruno", case.proposed("ADOPTED")) == "text-signed"


def test_no_author_approves_a_text_under_another_label(charter: Charter) -> None:
    changed = tuple(
        replace(each, roles=(*BOTH, "registrar")) if each.label == "amina" else each for each in charter.members
    )
    text = write_charter(replace(charter, members=changed))
    three = read_charter(sign(text, [person.signing_key for person in founded().governors]).encode())
    case = case_in("FINDING_DRAFT", charter=three)
    case.draft("daud")
    case.put_names("amina", "elif")
    proposal = case.propose("bruno", "ADOPTED")
    assert case.refusal("chiara", Approved(proposal)) == "approver-is-not-author"
    assert case.append("amina", Approved(proposal)).state == "ADOPTED"


def test_who_is_recused_does_nothing_under_another_label(charter: Charter) -> None:
    case = case_in("ASSIGNED", charter=charter)
    case.append("chiara", case.renewed(Recused, "bruno"))
    assert case.refusal("chiara", case.renewed(Recused, "daud")) == "renews-against-oneself"
    case.declare("daud", conflict=True)
    assert case.state.in_conflict("chiara")
    assert case.refusal("chiara", Noted()) == "in-conflict"
    case.append("amina", case.renewed(Recused, "daud"))
    assert case.refusal("chiara", Noted()) == "recused"


def test_who_is_recused_does_not_come_back_under_another_label(charter: Charter) -> None:
    case = Ledger(charter)
    case.open()
    case.bring_in("daud", "elif")
    case.declare("chiara")
    case.declare("daud", conflict=True)
    assert case.refusal("amina", case.assigned("chiara"), sealed=False) == "member-not-declared"
    case.append("amina", case.renewed(Recused, "daud"))
    assert case.refusal("amina", case.assigned("chiara")) == "member-recused"


def test_a_conflict_makes_void_what_was_decided_under_another_label(charter: Charter) -> None:
    case = case_in("FINDING_DRAFT", charter=charter)
    case.put_names("chiara", "elif")
    proposal = case.propose("daud", "ADOPTED")
    case.declare("chiara", conflict=True)
    assert case.state.proposal(proposal) is None
    assert case.state.finding is not None
    assert case.state.finding.signers == ("elif",)


def test_a_name_is_remembered_when_its_label_is_gone() -> None:
    case = case_in("ASSIGNED", charter=charter_of("Daud Rahimi"))
    proposal = case.propose("daud", "ADMITTED")
    members = tuple(
        replace(each, name="DAUD  RAHIMI") if each.label == "chiara" else each
        for each in case.charter.members
        if each.label != "daud"
    )
    draft = replace(case.charter, number=2, previous=case.charter.hash, members=members)
    case.charter = read_charter(
        sign(write_charter(draft), [person.signing_key for person in founded().governors]).encode()
    )
    assert case.refusal("chiara", Approved(proposal), sealed=False) == "same-member"
