# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue: its reports, their order, and what its table reveals."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import oversight
from crypto.answers import Answers, Moment
from crypto.keyring import seal_bytes
from crypto.questionnaire import read_questionnaire
from crypto.report import Report
from oversight.desk.index import continue_index
from oversight.desk.queue import PAGE_ROWS, Filters, read_queue
from oversight.desk.queue_pages import first_day_of_week
from oversight.findings.records import PublicationRecord
from oversight.letters.records import ReplyRecord, ThreadNoteRecord
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.sessions import OpenSession
from oversight.reports.records import IndexEntryRecord, SealedFileRecord, StuckArrivalRecord, SubmissionRecord
from oversight.reports.summary import ENTRY_BYTES, Summary, open_summary, seal_summary, summarise
from oversight.reports.urgency import Level
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import ANSWERS, Wire, mailbox, sealed_report, waiting_letter
from tests.people import LANGUAGES, REALM, TODAY, found_test_commission

pytestmark = pytest.mark.usefixtures("in_database")

DEFAULT = Path(oversight.__file__).parent / "questionnaires" / "default.json"


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
def wire(office: Office, portal: PortalSimulator) -> Wire:
    return Wire(office, portal.transport())


async def unlock(office: Office, label: str) -> OpenSession:
    return OpenSession(await MemberRecord.get(label=label), office.world[label].keyring, SessionRecord())


async def put_rows(session: OpenSession, summaries: list[Summary]) -> None:
    """Submissions that are already in this member's index, numbered from 1."""
    for number, summary in enumerate(summaries, 1):
        identifier = f"{number:032x}"
        await SubmissionRecord.create(
            id=identifier,
            number=number,
            charter="0" * 64,
            manifest=b"",
            acknowledgement=b"",
            commitment="0" * 64,
            received=date(2026, 11, 20),
            collected=date(2026, 11, 20),
        )
        row = Summary("open", number, summary.language, summary.country, summary.urgency)
        sealed = seal_summary(row, session.keyring.index_key, session.member.label, identifier)
        await IndexEntryRecord.create(member=session.member.label, submission_id=identifier, sealed=sealed)


async def test_urgency_comes_first_in_it_surrender_and_then_the_newest(office: Office) -> None:
    session = await unlock(office, "bruno")
    codes: list[tuple[str, ...]] = [
        (),
        ("UR-MED",),
        ("UR-SURR-14D",),
        ("UR-SURR-72H",),
        ("UR-LIFE",),
        ("UR-SOMETHING-NEW",),
        (),
    ]
    await put_rows(session, [Summary("open", urgency=urgency) for urgency in codes])
    page = await read_queue(session, Filters())
    assert [row.submission.number for row in page.rows] == [4, 5, 3, 2, 6, 7, 1]


async def test_pages_follow_each_other_without_a_gap_or_a_repeat(office: Office) -> None:
    session = await unlock(office, "bruno")
    urgency: list[tuple[str, ...]] = [("UR-LIFE",), ("UR-SURR-72H",), (), ("UR-MED",)]
    await put_rows(session, [Summary("open", urgency=urgency[number % 4]) for number in range(130)])
    seen: list[int] = []
    after: str | None = ""
    while after is not None:
        page = await read_queue(session, Filters(), after)
        assert len(page.rows) <= PAGE_ROWS and page.matching == 130
        seen += [row.submission.number for row in page.rows]
        after = page.following
    assert sorted(seen) == list(range(1, 131)) and len(seen) == 130


async def test_filters_narrow_by_country_urgency_and_state(office: Office) -> None:
    session = await unlock(office, "bruno")
    await put_rows(
        session,
        [
            Summary("open", country="TR", urgency=("UR-LIFE",)),
            Summary("open", country="DE", urgency=("UR-LIFE",)),
            Summary("open", country="TR"),
        ],
    )
    await SubmissionRecord.filter(number=1).update(opened_on=date(2026, 11, 21))
    await SubmissionRecord.filter(number=2).update(answered_on=date(2026, 11, 21))

    async def numbers(**filters: str) -> list[int]:
        page = await read_queue(session, Filters.read(filters))
        assert page.countries == {"TR", "DE"}
        return [row.submission.number for row in page.rows]

    assert await numbers(country="TR") == [1, 3]
    assert await numbers(urgency="now") == [2, 1]
    assert await numbers(state="new") == [3]
    assert await numbers(state="opened") == [1]
    assert await numbers(state="answered") == [2]
    assert await numbers(country="TR", urgency="none", state="new") == [3]
    assert await numbers(country="'; DROP", urgency="x", state="y") == [2, 1, 3]


async def test_the_index_table_does_not_tell_whom_a_reporter_excluded(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    portal.add(sealed_report(office.world, exclude=["bruno"]))
    portal.add(sealed_report(office.world))
    await wire.collect()
    charters = {office.world.charter.hash: office.world.charter}
    for label in ("bruno", "chiara"):
        progress = await continue_index(await unlock(office, label), charters, REALM)
        assert (progress.done, progress.total) == (2, 2)
    entries = await IndexEntryRecord.all()
    assert len(entries) == 4
    assert {len(entry.sealed) for entry in entries} == {ENTRY_BYTES + 24 + 16}
    assert len((await read_queue(await unlock(office, "bruno"), Filters())).rows) == 1
    assert len((await read_queue(await unlock(office, "chiara"), Filters())).rows) == 2


async def test_the_index_goes_on_where_the_time_was_over(office: Office, portal: PortalSimulator, wire: Wire) -> None:
    for _ in range(3):
        portal.add(sealed_report(office.world))
    await wire.collect()
    session = await unlock(office, "bruno")
    charters = {office.world.charter.hash: office.world.charter}
    none = await continue_index(session, charters, REALM, seconds_max=0)
    assert (none.done, none.total, none.finished) == (0, 3, False)
    browser = await office.browser_of("bruno")
    assert "3 reports" in (await browser.get("/queue")).text
    assert await IndexEntryRecord.filter(member="bruno").count() == 3


async def test_a_report_that_is_not_what_it_should_be_is_listed_as_broken(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    first, second = sealed_report(office.world), sealed_report(office.world)
    portal.add(first)
    portal.add(second)
    await wire.collect()
    # What a dishonest portal could have put together: the report of one with the grant of the other.
    await SealedFileRecord.filter(submission_id=first.manifest.submission, name="report.age").update(
        sealed=second.files["report.age"]
    )
    browser = await office.browser_of("bruno")
    queue = (await browser.get("/queue")).text
    assert "2 reports" in queue and queue.count("This report can’t be opened") == 1
    page = await browser.get(f"/reports/{first.manifest.submission}")
    assert page.status_code == 409 and "This report can’t be opened" in page.text
    assert (await browser.get(f"/reports/{second.manifest.submission}")).status_code == 200


async def test_index_entries_that_do_not_open_are_built_anew(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    portal.add(sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    assert "1 report</p>" in (await browser.get("/queue")).text
    await IndexEntryRecord.all().update(sealed=seal_bytes(b"x" * 32, b"x", b""))
    await browser.get("/queue")
    assert "1 report</p>" in (await browser.get("/queue")).text


async def test_a_report_whose_sealed_files_are_gone_is_listed_as_broken(office: Office) -> None:
    await put_rows(await unlock(office, "bruno"), [Summary("open")])
    await IndexEntryRecord.all().delete()
    assert "This report can’t be opened" in (await (await office.browser_of("bruno")).get("/queue")).text


async def test_what_arrived_damaged_is_shown_above_the_queue(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    portal.add(sealed_report(office.world), report_age=b"x")
    portal.add(sealed_report(office.world))
    await wire.collect()
    assert (await StuckArrivalRecord.get()).file == "report.age"
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "1 item at the portal can’t be collected" in page and "a file has another size than it should" in page
    assert "1 report</p>" in page


async def test_the_queue_says_how_the_visits_to_the_portal_go(office: Office, wire: Wire) -> None:
    browser = await office.browser_of("bruno")
    assert "The portal was not visited yet." in (await browser.get("/queue")).text
    await wire.collect()
    office.clock.forward(minutes=3)
    assert "Last collected 3 minutes ago." in (await browser.get("/queue")).text


async def test_what_does_not_go_out_is_tried_again_when_a_member_says_so(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    portal.add(sealed_report(office.world))
    await wire.collect()
    submission = await SubmissionRecord.get()
    await waiting_letter(office.world, submission.id)
    await PublicationRecord.create(hash="1" * 64, number=1, case="2" * 32, finding="F", note=b"note")
    kinds = (ReplyRecord, PublicationRecord, ThreadNoteRecord)
    now = office.clock()
    for rows in kinds:
        row = await rows.get()
        row.fail("slow", now, now + timedelta(hours=1))
        await row.save()
    await (await office.browser_of("bruno")).post("/queue/collect")
    assert [((await rows.get()).rests(now), (await rows.get()).attempts) for rows in kinds] == [(False, 1)] * 3


async def test_what_the_portal_no_longer_shows_is_not_said_to_stay_there(office: Office) -> None:
    await StuckArrivalRecord.create(kind="submission", item="a" * 32, problem="gone", failing_since=TODAY, attempts=1)
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "does not show it any more" in page and "They stay at the portal" not in page


async def test_the_queue_needs_a_login(office: Office) -> None:
    answer = await office.browser().get("/queue")
    assert answer.headers["location"] == "/login?next=/queue"


async def test_the_queue_tells_the_week_and_no_day(office: Office, portal: PortalSimulator, wire: Wire) -> None:
    portal.add(sealed_report(office.world))
    await wire.collect()
    queue = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "16 November 2026" in queue and "20 November 2026" not in queue


def test_every_day_of_a_week_begins_it_on_the_same_monday() -> None:
    monday = date(2026, 11, 16)
    assert {first_day_of_week(monday + timedelta(days=day)) for day in range(7)} == {monday}


def test_a_summary_opens_for_its_member_and_its_submission_alone() -> None:
    key, summary = b"k" * 32, Summary("open", 7, "ar", "TR")
    sealed = seal_summary(summary, key, "bruno", "a" * 32)
    assert open_summary(sealed, key, "bruno", "a" * 32) == summary
    for member, submission in (("chiara", "a" * 32), ("bruno", "b" * 32)):
        with pytest.raises(Exception, match="another key"):
            open_summary(sealed, key, member, submission)


def report_with(office: Office, answers: Answers) -> Report:
    return Report(
        submission="a" * 32,
        realm=REALM,
        charter=office.world.charter.hash,
        questionnaire=("test", 1),
        language="zh-Hans-x-private",
        answers=answers,
        attachments=(),
        excluded=(),
        mailbox=mailbox().recipient,
        control=mailbox().control,
        message_mac=b"m" * 32,
        leaf_nonce=b"n" * 32,
        sealed_by="browser",
    )


def test_no_word_of_a_reporter_comes_into_a_summary_and_hostile_codes_stay_within_its_size(office: Office) -> None:
    long_codes = tuple(f"UR-{letter * 37}" for letter in "ABCDEFGHIJ")
    other = tuple(f"EXT-{letter * 36}" for letter in "ABCDEFGHIJ")
    answers = {
        "urgency": long_codes,
        "what": (*other, "lower case words", "ü" * 60),
        "story": "words",
        "country": "Turkey!",
    }
    report = report_with(office, answers)
    summary = summarise(123_456, report, office.world.charter)
    assert len(seal_summary(summary, b"k" * 32, "bruno", "a" * 32)) == ENTRY_BYTES + 40
    assert summary.country == "" and summary.what_more == 7
    assert not re.search("words|ü", repr(summary))
    honest = summarise(1, replace(report, answers=ANSWERS), office.world.charter)
    assert (honest.country, honest.urgency, honest.what) == ("TR", ("UR-TORT-NOW",), ("EXT-NR-TORT", "INV-INT-COERCE"))
    vague = summarise(1, replace(report, answers={"situation": "OTHER", "what": ("OTHER",)}), office.world.charter)
    assert vague.what == ("OTHER",)
    assert summarise(1, replace(report, answers={"situation": "OTHER"}), office.world.charter).what == ()


def test_a_moment_of_surrender_is_urgent_and_the_country_is_that_where_it_happened(office: Office) -> None:
    value = json.loads(DEFAULT.read_text("utf-8"))
    world = found_test_commission(questionnaire=read_questionnaire(value, LANGUAGES))
    surrender = {"handover": Moment(2026, 3, 5, about=True, hour=None), "asking": "TR", "holding": "DE"}
    report = report_with(office, surrender)
    summary = summarise(1, report, world.charter)
    assert (summary.urgency, summary.level, summary.country) == (("UR-SURR",), Level.SOON, "DE")
    answers = {**surrender, "country": "FR", "urgency": ("UR-SURR", "UR-LIFE")}
    summary = summarise(1, replace(report, answers=answers), world.charter)
    assert (summary.urgency, summary.country) == (("UR-LIFE", "UR-SURR"), "FR")
