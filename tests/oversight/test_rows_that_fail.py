# SPDX-License-Identifier: AGPL-3.0-or-later
"""One row that can't be shown says so, under its name; the list, the other rows and the other pages stand."""

import re

import pytest

from oversight.cases.records import CaseRecord
from oversight.desk import index
from oversight.ledger.records import EventRecord
from oversight.reports.records import IndexEntryRecord, SealedFileRecord, SubmissionRecord
from oversight.web.rendering import PageKit
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Office

UNSHOWN = "This can’t be shown."


@pytest.fixture
def room(office: Office, in_database: None) -> CaseRoom:
    return CaseRoom(office)


async def references(room: CaseRoom, label: str = "bruno") -> list[str]:
    page = await room.get(label, "/queue")
    assert page.status_code == 200
    return sorted(re.findall(r"<bdi>(R-\d{4})</bdi>", page.text))


async def test_a_report_in_a_language_that_nobody_knows_is_in_the_list_and_opens(room: CaseRoom) -> None:
    await room.receive()
    for tag in ("xx", "ary", "prs", "zz-ZZZZ-00"):
        report = await room.receive(language=tag)
        assert (await room.get("bruno", f"/reports/{report}")).status_code == 200
    page = (await room.get("bruno", "/queue")).text
    assert "Moroccan Arabic" in page and "zz-ZZZZ-00" in page
    assert len(await references(room)) == 5


async def test_a_label_that_fails_takes_one_row_with_it_and_the_log_names_no_content(
    room: CaseRoom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for tag in ("en", "ar", "xx"):
        await room.receive(language=tag)

    def fail(tag: str, locale: str) -> str:
        if tag == "xx":
            raise KeyError("what the reporter wrote")
        return tag

    monkeypatch.setattr("oversight.desk.queue_pages.language_in", fail)
    page = (await room.get("bruno", "/queue")).text
    assert await references(room) == ["R-0001", "R-0002", "R-0003"]
    assert page.count(UNSHOWN) == 1 and "/reports/" in page
    assert caplog.messages and all("KeyError at" in line and "reporter" not in line for line in caplog.messages)


async def test_a_report_that_could_not_be_summarised_is_tried_again_when_it_is_opened_and_not_before(
    room: CaseRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await room.receive()
    tried: list[int] = []

    def fail(number: int, *rest: object) -> None:
        tried.append(number)
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(index, "summarise", fail)
        for _ in range(3):
            page = (await room.get("bruno", "/queue")).text
            assert "could not be put into your list" in page
    assert tried == [1]
    assert f"/reports/{report}?list" in page
    assert (await room.get("bruno", f"/reports/{report}?list")).status_code == 200
    page = (await room.get("bruno", "/queue")).text
    assert "could not be put" not in page and "R-0001" in page


async def test_an_index_that_was_damaged_says_that_it_is_made_anew(room: CaseRoom) -> None:
    for _ in range(3):
        await room.receive()
    await references(room)
    await IndexEntryRecord.filter(
        submission_id__in=await SubmissionRecord.filter(number=2).values_list("id", flat=True)
    ).update(sealed=b"garbage")
    page = (await room.get("bruno", "/queue")).text
    assert "Opening 2 of 3" in page
    assert await references(room) == ["R-0001", "R-0002", "R-0003"]


async def test_a_sealed_row_that_is_garbage_is_said_to_be_so_in_the_list_and_on_its_page(room: CaseRoom) -> None:
    await room.receive()
    broken = await room.receive()
    await SealedFileRecord.filter(submission_id=broken).update(sealed=b"\xff" * 100)
    assert await references(room) == ["R-0001", "R-0002"]
    assert (await room.get("bruno", f"/reports/{broken}")).status_code == 409
    await SubmissionRecord.filter(id=broken).update(manifest=b"\0\xff")
    assert (await room.get("bruno", f"/reports/{broken}")).status_code == 409


async def test_a_case_whose_row_is_garbage_stands_in_the_list_by_its_number_and_stops_no_other_page(
    room: CaseRoom,
) -> None:
    whole, broken = await room.open_case(), await room.open_case()
    number = (await CaseRecord.get(id=broken)).number
    await CaseRecord.filter(id=broken).update(projection=b'{"nothing": "of the kind"}')
    cases = await room.get("amina", "/cases")
    assert number in cases.text and "rebuild-cases" in cases.text
    assert (await room.get("amina", f"/cases/{whole}")).status_code == 200
    answer = await room.get("amina", f"/cases/{broken}")
    assert answer.status_code == 409 and "rebuild-cases" in answer.text
    queue = await room.get("bruno", "/queue")
    assert queue.status_code == 200 and "its case can’t be read" in queue.text


async def test_an_event_that_is_garbage_is_told_as_such_and_the_rest_of_the_case_stands(room: CaseRoom) -> None:
    case = await room.open_case()
    for text in ("first note", "second note", "third note"):
        await room.act("amina", case, "/notes", note=text)
    await EventRecord.filter(case=case, sequence=2).update(note=b"\xff\xfe garbage")
    page = await room.get("amina", f"/cases/{case}")
    assert page.status_code == 200
    assert "first note" in page.text and "third note" in page.text and "second note" not in page.text
    assert "This event can’t be read." in page.text and "Some of what happened" in page.text
    notes = await room.get("amina", f"/cases/{case}/notes")
    assert "third note" in notes.text and "1 entry can’t be read" in notes.text
    assert (await room.get("amina", f"/cases/{case}/people")).status_code == 200
    ledger = await room.get("amina", f"/cases/{case}/ledger")
    assert ledger.status_code == 200 and "does not hold" in ledger.text
    export = await room.get("amina", f"/cases/{case}/ledger/export")
    assert export.status_code == 200 and len(export.content.splitlines()) == 5


async def test_keys_of_a_case_that_are_garbage_give_a_page_that_says_what_to_do(room: CaseRoom) -> None:
    case = await room.open_case()
    await EventRecord.filter(case=case, sequence=0).update(note=b"garbage")
    answer = await room.get("amina", f"/cases/{case}")
    assert answer.status_code == 409 and "can’t be opened" in answer.text


async def test_every_list_has_the_boundary(office: Office) -> None:
    """A template that loops over rows of strangers and members draws each one inside ``ui.stands``."""
    kit: PageKit = office.app.state.kit
    loader = kit.environments["en"].loader
    assert loader is not None
    for name in (
        "queue",
        "cases",
        "report",
        "case_people",
        "case_notes",
        "case_parties",
        "finding",
        "members",
        "found_draft",
    ):
        source = loader.get_source(kit.environments["en"], f"{name}.html")[0]
        assert "call ui.stands(" in source, name
