# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who holds a case, notes and parties, time limits, the ledger's page; and that every refusal has a sentence."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from oversight.__main__ import main
from oversight.cases.labels import condition_label, ground_label, state_labels, transition_label
from oversight.cases.refusals import ACCESS, REFUSALS
from oversight.ledger.records import EventRecord
from oversight.web.rendering import LOCALE
from oversight.workflow.conditions import CONDITIONS
from oversight.workflow.rules import STATES, TRANSITIONS
from portal.kit.i18n import LOCALES, load_translation
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Office
from tests.people import TODAY

CASES = [Path(__file__).parents[3] / "oversight" / room for room in ("cases", "workflow")]


@pytest.fixture
def room(office: Office, in_database: None) -> CaseRoom:
    return CaseRoom(office)


async def test_whoever_declares_a_conflict_loses_the_case_and_the_others_renew_its_keys(room: CaseRoom) -> None:
    case = await room.held_case()
    answer = await room.act("bruno", case, "/declare", conflict="yes")
    assert answer.status_code == 303
    assert "declared a conflict" in (await room.get("bruno", answer.headers["location"])).text
    assert (await room.get("bruno", f"/cases/{case}")).status_code == 403
    assert "C-2026" not in (await room.get("bruno", "/cases")).text
    page = (await room.get("amina", f"/cases/{case}")).text
    assert "Bruno Keller may not see this case and still holds its keys" in page
    refused = await room.act("amina", case, "/notes", note="Before the keys are renewed")
    assert refused.status_code == 409 and "renew them first" in refused.text
    await room.do("amina", case, "/people/bruno/renew", kind="recused", reason="Declared.")
    await room.do("amina", case, "/notes", note="After the keys are renewed")


async def test_a_declaration_needs_an_answer_and_shows_nothing_of_the_case_but_its_reports(room: CaseRoom) -> None:
    case = await room.held_case()
    await room.do("amina", case, "/notes", note="canary-of-the-note")
    page = await room.get("daud", f"/cases/{case}/declare")
    assert page.status_code == 200 and "R-0001" in page.text
    assert "canary" not in page.text and "Bruno Keller" not in page.text
    answer = await room.act("daud", case, "/declare")
    assert answer.status_code == 422 and "Say whether you have a conflict" in answer.text


async def test_nobody_is_given_a_case_who_has_not_declared(room: CaseRoom) -> None:
    case = await room.open_case()
    assert "has not declared" in (await room.get("amina", f"/cases/{case}/people")).text
    answer = await room.act("amina", case, "/people/bruno/assign")
    assert answer.status_code == 409 and "has to declare first that they have no conflict" in answer.text


async def test_a_member_from_whom_a_reporter_kept_a_report_takes_two_more_signatures(room: CaseRoom) -> None:
    case = await room.open_case(await room.receive(exclude=("bruno",)))
    await room.bring_in(case, "chiara")
    await room.do("bruno", case, "/declare", conflict="no")
    [report] = (await room.state(case)).reports
    assert (await room.get("bruno", f"/reports/{report}")).status_code == 404
    assert "a report is kept from them" in (await room.get("amina", f"/cases/{case}/people")).text
    assert (await room.act("amina", case, "/people/bruno/assign")).status_code == 409
    await room.do("amina", case, "/people/bruno/waive", reason="The reporter agreed in a letter.")
    [waiver] = (await room.state(case)).proposals
    assert "Set an obstacle aside" in (await room.get("chiara", f"/cases/{case}")).text
    await room.do("chiara", case, f"/proposals/{waiver.hash}/approve")
    await room.do("amina", case, "/people/bruno/assign")
    assert (await room.get("bruno", f"/cases/{case}")).status_code == 200
    assert (await room.get("bruno", f"/reports/{report}")).status_code == 200


async def test_only_a_chair_takes_a_case_from_somebody_without_a_conflict(room: CaseRoom) -> None:
    case = await room.held_case()
    form = {"kind": "left", "reason": "Moved to another desk."}
    assert (await room.act("amina", case, "/people/bruno/renew", **form)).status_code == 403
    missing = await room.act("chiara", case, "/people/bruno/renew")
    assert missing.status_code == 422 and "Choose whether there is a conflict" in missing.text
    own = await room.act("chiara", case, "/people/chiara/renew", **form)
    assert own.status_code == 409 and "Somebody else has to renew the keys" in own.text
    await room.do("chiara", case, "/people/bruno/renew", **form)
    await room.bring_in(case, "bruno")


async def test_notes_and_parties_are_shown_to_holders_as_they_were_written(room: CaseRoom) -> None:
    case = await room.held_case()
    await room.do("bruno", case, "/notes", note="<b>two\nlines</b>")
    assert "&lt;b&gt;two\nlines&lt;/b&gt;" in (await room.get("chiara", f"/cases/{case}/notes")).text
    form = {"party": "Police of the airport", "aliases": "شرطة المطار\n\nAirport Police", "role": "authority"}
    await room.do("bruno", case, "/parties", **form, identifiers="Docket 12/2026")
    page = (await room.get("chiara", f"/cases/{case}/parties")).text
    assert all(word in page for word in ("Police of the airport", "شرطة المطار", "Docket 12/2026", "an authority"))
    assert (await room.act("bruno", case, "/notes")).status_code == 422
    wrong = await room.act("bruno", case, "/parties", aliases="x" * 500, role="nobody")
    assert wrong.status_code == 422
    assert all(word in wrong.text for word in ("Write the name", "Choose what they are", "too long"))


async def test_a_time_limit_is_extended_with_reasons_and_no_further_than_allowed(room: CaseRoom) -> None:
    case = await room.held_case()
    path, reasons = "/clocks/feedback", "The court decides in spring."
    assert (await room.act("bruno", case, path, due="spring")).status_code == 422
    late = await room.act("bruno", case, path, due=(TODAY + timedelta(days=999)).isoformat(), reasons=reasons)
    assert late.status_code == 409 and "not after the longest time allowed" in late.text
    await room.do("bruno", case, path, due="2027-04-01", reasons=reasons)
    assert "1 April 2027" in (await room.get("amina", f"/cases/{case}")).text


async def test_a_report_is_added_when_everybody_who_holds_the_case_may_read_it(room: CaseRoom) -> None:
    case, further = await room.held_case(), await room.receive()
    for none in ("0" * 32, "no case at all"):
        assert (await room.post("amina", f"/reports/{further}/case", add_to=none)).status_code == 404
    refused = await room.post("amina", f"/reports/{further}/case", add_to=case)
    assert refused.status_code == 409 and "has to declare anew first" in refused.text
    alone = await room.open_case()
    added = await room.post("amina", f"/reports/{further}/case", add_to=alone)
    assert added.headers["location"] == f"/cases/{alone}?done=added"
    assert len((await room.state(alone)).reports) == 2


async def test_the_exported_ledger_verifies_without_the_office(room: CaseRoom, tmp_path: Path) -> None:
    case = await room.held_case()
    page = (await room.get("amina", f"/cases/{case}/ledger")).text
    assert f"{(await room.state(case)).head.sequence + 1} events, unbroken" in page
    export = await room.get("amina", f"/cases/{case}/ledger/export")
    assert 'filename="C-2026-0001.ledger.jsonl"' in export.headers["content-disposition"]
    ledger, charter = tmp_path / "ledger.jsonl", tmp_path / "charter.note"
    ledger.write_bytes(export.content)
    charter.write_bytes(room.office.world.charter.note)
    head = (await room.state(case)).head.hash
    assert main(["verify-ledger", str(ledger), "--charters", str(charter), "--head", head]) == 0


async def test_a_ledger_that_was_cut_off_is_said_to_be_broken(room: CaseRoom) -> None:
    case = await room.held_case()
    last = (await room.state(case)).head.sequence
    await EventRecord.filter(case=case, sequence=last).delete()
    page = (await room.get("amina", f"/cases/{case}/ledger")).text
    assert "The ledger does not hold" in page and "unbroken" not in page


def test_every_refusal_of_the_rules_has_a_sentence_of_its_own() -> None:
    codes = {
        code
        for folder in CASES
        for path in folder.glob("*.py")
        for code in re.findall(r'RuleError\("([a-z-]+)"\)', path.read_text())
    }
    assert len(codes) > 30
    assert (codes | CONDITIONS.keys() | ACCESS) <= REFUSALS.keys()
    assert len(set(REFUSALS.values())) == len(REFUSALS)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_code_of_the_tables_has_words_in_every_language(locale: str) -> None:
    translation = load_translation(LOCALE, "oversight", locale)
    assert set(state_labels(translation)) == set(STATES)
    for row in TRANSITIONS:
        assert transition_label(row.from_state, row.to_state, None, translation) != row.to_state
        named = [ground for ground in row.grounds if ground not in {"correction", "withdrawal"}]
        assert all(ground_label(ground, translation) != ground for ground in named)
    assert all(condition_label(code, translation) != code for code in CONDITIONS)
    if locale != "en":
        english = load_translation(LOCALE, "oversight", "en")
        assert not set(state_labels(translation).values()) & set(state_labels(english).values())
        assert all(translation.gettext(sentence) != sentence for sentence in REFUSALS.values())
