# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases through the pages: from a report to a decision, and what each member sees and may not do on the way."""

import pytest

from tests.oversight.case_desk import REASONS
from tests.oversight.cases.case_browsing import CaseRoom, head_of
from tests.oversight.office import Office

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def room(office: Office) -> CaseRoom:
    return CaseRoom(office)


async def test_a_registrar_opens_a_case_from_a_report(room: CaseRoom) -> None:
    report = await room.receive()
    page = (await room.get("amina", f"/reports/{report}")).text
    assert f'href="/reports/{report}/case"' in page
    form = (await room.get("amina", f"/reports/{report}/case")).text
    assert "Directive (EU) 2019/1937" in form
    case = await room.open_case(report)
    shown = (await room.get("amina", f"/cases/{case}?done=opened")).text
    assert "C-2026-0001" in shown and "Amina Haddad opened the case with R-0001 and holds it" in shown
    assert "29 November 2026" in shown and "7 days left" in shown
    assert "Case C-2026-0001" in (await room.get("amina", f"/reports/{report}")).text
    again = await room.get("amina", f"/reports/{report}/case")
    assert again.headers["location"] == f"/cases/{case}"


async def test_a_case_is_not_opened_without_time_limits_and_a_declaration(room: CaseRoom) -> None:
    report = await room.receive()
    answer = await room.post("amina", f"/reports/{report}/case")
    assert answer.status_code == 422
    assert "Choose the time limits" in answer.text and "Say that you have no conflict" in answer.text


async def test_an_investigator_can_not_open_a_case(room: CaseRoom) -> None:
    report = await room.receive()
    answer = await room.post("bruno", f"/reports/{report}/case", policy="none", no_conflict="yes")
    assert answer.status_code == 403 and "None of your roles allows this" in answer.text


async def test_the_whole_way_to_an_admitted_case_is_told_in_the_timeline(room: CaseRoom) -> None:
    case = await room.held_case()
    await room.decide(case, "ASSIGNED", by="amina")
    await room.decide(case, "ADMITTED", by="bruno", reasons="A canary reason.")
    for label in ("amina", "bruno", "chiara"):
        page = (await room.get(label, f"/cases/{case}")).text
        assert "Bruno Keller proposed: Admit the case" in page and "Chiara Lombardi approved it" in page
        assert "A canary reason." in page
        assert "Admitted" in page


async def test_a_proposal_shows_approve_to_who_may_and_the_reason_to_who_may_not(room: CaseRoom) -> None:
    case = await room.held_case()
    proposal = await room.propose("amina", case, "ASSIGNED")
    path = f"/cases/{case}/proposals/{proposal}/approve"
    assert f'action="{path}"' in (await room.get("chiara", f"/cases/{case}")).text
    own = (await room.get("amina", f"/cases/{case}")).text
    assert path not in own and "You proposed this, so you can’t approve it" in own
    other = (await room.get("bruno", f"/cases/{case}")).text
    assert path not in other and "None of your roles can approve this" in other


async def test_a_proposal_that_is_sent_back_says_why(room: CaseRoom) -> None:
    case = await room.held_case()
    proposal = await room.propose("amina", case, "ASSIGNED")
    without = await room.act("chiara", case, f"/proposals/{proposal}/return")
    assert without.status_code == 422 and "Write why you send it back" in without.text
    await room.do("chiara", case, f"/proposals/{proposal}/return", reasons="Daud should hold it too.")
    page = (await room.get("amina", f"/cases/{case}")).text
    assert "Chiara Lombardi sent it back" in page and "Daud should hold it too." in page
    assert (await room.state(case)).state == "CONFLICT_CHECK"


async def test_nobody_approves_their_own_proposal_by_a_crafted_request(room: CaseRoom) -> None:
    case = await room.held_case()
    proposal = await room.propose("amina", case, "ASSIGNED")
    answer = await room.act("amina", case, f"/proposals/{proposal}/approve")
    assert answer.status_code == 403 and "somebody else has to decide it" in answer.text
    assert (await room.state(case)).state == "CONFLICT_CHECK"


async def test_a_role_that_may_not_approve_is_refused(room: CaseRoom) -> None:
    case = await room.held_case()
    proposal = await room.propose("amina", case, "ASSIGNED")
    answer = await room.act("bruno", case, f"/proposals/{proposal}/approve")
    assert answer.status_code == 403 and "None of your roles allows this" in answer.text


async def test_a_recused_member_is_refused_everywhere_by_page_and_by_crafted_request(room: CaseRoom) -> None:
    case = await room.held_case()
    [report] = (await room.state(case)).reports
    await room.bring_in(case, "daud")
    proposal = await room.propose("amina", case, "ASSIGNED")
    await room.do("chiara", case, "/people/daud/renew", kind="recused", reason="A tie to the police station.")
    for path in ("", "/notes", "/parties", "/people", "/ledger", "/ledger/export", "/declare", "/transitions/ASSIGNED"):
        answer = await room.get("daud", f"/cases/{case}{path}")
        assert answer.status_code == 403 and "You are recused from this case" in answer.text, path
        assert "C-2026-0001" not in answer.text and REASONS not in answer.text
    for path, form in (
        (f"/proposals/{proposal}/approve", {}),
        (f"/proposals/{proposal}/return", {"reasons": "No."}),
        ("/notes", {"note": "Still here."}),
        ("/declare", {"conflict": "no"}),
        ("/people/daud/assign", {}),
        (f"/tell/{report}", {}),
    ):
        assert (await room.act("daud", case, path, **form)).status_code == 403, path
    assert (await room.get("daud", f"/reports/{report}")).status_code == 403
    assert (await room.state(case)).holders == ("amina", "bruno", "chiara")


async def test_whoever_does_not_hold_a_case_is_sent_to_declare_first(room: CaseRoom) -> None:
    case = await room.held_case()
    answer = await room.get("daud", f"/cases/{case}")
    assert answer.status_code == 403 and f'href="/cases/{case}/declare"' in answer.text
    assert (await room.act("daud", case, "/notes", note="A note")).status_code == 403
    assert (await room.act("daud", case, "/transitions/ASSIGNED", reasons="Why")).status_code == 403


async def test_a_case_that_does_not_exist_is_not_found(room: CaseRoom) -> None:
    for path in ("", "/declare", "/people", "/transitions/CLOSED"):
        assert (await room.get("amina", f"/cases/{'0' * 32}{path}")).status_code == 404


async def test_a_form_sent_twice_does_its_work_once(room: CaseRoom) -> None:
    case = await room.held_case()
    head = head_of((await room.get("bruno", f"/cases/{case}/notes")).text)
    first = await room.post("bruno", f"/cases/{case}/notes", head=head, note="Called the clinic.")
    second = await room.post("bruno", f"/cases/{case}/notes", head=head, note="Called the clinic.")
    assert (first.status_code, second.status_code) == (303, 409)
    assert "The case has changed since you looked" in second.text and "Called the clinic." in second.text
    assert (await room.state(case)).notes == 1


async def test_an_approval_on_a_page_that_is_stale_is_refused_and_the_case_shown_anew(room: CaseRoom) -> None:
    case = await room.held_case()
    proposal = await room.propose("amina", case, "ASSIGNED")
    head = head_of((await room.get("chiara", f"/cases/{case}")).text)
    await room.do("bruno", case, "/notes", note="Wait: look at the second report.")
    answer = await room.post("chiara", f"/cases/{case}/proposals/{proposal}/approve", head=head)
    assert answer.status_code == 409
    assert "The case has changed since you looked" in answer.text and "look at the second report" in answer.text
    assert (await room.state(case)).state == "CONFLICT_CHECK"


async def test_a_move_needs_its_ground_and_its_reasons(room: CaseRoom) -> None:
    case = await room.held_case()
    await room.decide(case, "ASSIGNED", by="amina")
    form = (await room.get("bruno", f"/cases/{case}/transitions/INADMISSIBLE")).text
    assert "plainly without basis" in form and "outside what the commission may look into" in form
    answer = await room.act("bruno", case, "/transitions/INADMISSIBLE", ground="because")
    assert answer.status_code == 422
    assert "Choose the ground" in answer.text and "Write the reasons" in answer.text
    assert 'value="because"' not in answer.text


async def test_a_move_that_the_table_does_not_have_is_refused_in_words(room: CaseRoom) -> None:
    case = await room.open_case()
    for path in ("/transitions/PUBLISHED", "/transitions/NOWHERE"):
        answer = await room.act("amina", case, path)
        assert answer.status_code == 409 and "The case can’t go from its state to that one" in answer.text


async def test_an_assignment_waits_for_an_investigator_and_says_so(room: CaseRoom) -> None:
    case = await room.open_case()
    await room.bring_in(case, "chiara")
    await room.to_conflict_check(case)
    assert "an investigator has to hold the case" in (await room.get("amina", f"/cases/{case}")).text
    answer = await room.act("amina", case, "/transitions/ASSIGNED", reasons=REASONS)
    assert answer.status_code == 409 and "An investigator has to hold the case first" in answer.text


async def test_an_auditor_sees_who_did_what_and_nothing_that_is_sealed(room: CaseRoom) -> None:
    case = await room.held_case()
    await room.do("bruno", case, "/notes", note="canary-of-the-note")
    await room.decide(case, "ASSIGNED", by="amina", reasons="canary-of-the-reasons")
    listed = (await room.get("elif", "/cases")).text
    assert "C-2026-0001" in listed
    page = await room.get("elif", f"/cases/{case}")
    assert page.status_code == 200 and "Chiara Lombardi approved it" in page.text
    assert "canary" not in page.text and "The words are sealed to those who hold the case" in page.text
    assert "events, unbroken" in (await room.get("elif", f"/cases/{case}/ledger")).text
    for path in ("/notes", "/parties", "/transitions/ADMITTED"):
        assert (await room.get("elif", f"/cases/{case}{path}")).status_code == 403
    assert (await room.act("elif", case, "/notes", note="x")).status_code == 403
