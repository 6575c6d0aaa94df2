# SPDX-License-Identifier: AGPL-3.0-or-later
"""Once what was wrong is over, the next visits make it good: nothing waits for an hour, and no row stays behind."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest

from crypto.errors import CryptoError
from oversight.collector.submissions import ATTEMPTS_AT_ONCE, ROOM_MORE_BYTES, Submissions
from oversight.collector.visit import WHOLE_EVERY_VISITS, Collector
from oversight.letters.records import ReplyRecord, ThreadNoteRecord
from oversight.reports import blobs
from oversight.reports.blobs import KEPT_FREE_BYTES
from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord, SubmissionRecord
from oversight.wire import list_reading
from oversight.wire.portal_errors import REFUSES_ALL, PortalError
from tests.oversight.case_desk import store_at_both
from tests.oversight.collector.test_collector import under_id
from tests.oversight.office import Office
from tests.oversight.portal_simulator import Handler, PortalSimulator, answer, cut_connection, nobody_answers, refusal
from tests.oversight.sealed_reports import Wire, sealed_report, under_new_id, waiting_letter
from tests.people import TODAY

pytestmark = pytest.mark.usefixtures("in_database")


def in_files(how: Callable[[], httpx.Response]) -> Handler:
    return lambda request: how() if "/files/" in request.url.path else None


async def visit(collector: Collector, office: Office, times: int = 1) -> None:
    """So many visits, a minute apart, whatever comes of them."""
    for _ in range(times):
        with suppress(PortalError, OSError):
            await collector.run()
        office.clock.forward(minutes=1)


async def test_a_report_whose_portal_went_away_while_it_was_fetched_comes_with_the_next_visit(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    await visit(collector, office)
    before = (await CollectorStateRecord.get()).last_success
    portal.add(sealed_report(office.world))
    portal.faults.append(lambda request: nobody_answers(request) if "/files/" in request.url.path else None)
    await visit(collector, office)
    state = await CollectorStateRecord.get()
    assert (state.last_success, state.problem, state.waiting) == (before, "unreachable", 1)
    portal.faults.clear()
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1


@pytest.mark.parametrize(
    "fault",
    [
        cut_connection(path="/files/"),
        in_files(lambda: refusal(503, "busy")),
        in_files(lambda: answer(502, "?")),
    ],
    ids=["breaks off", "busy", "only a proxy answers"],
)
@pytest.mark.parametrize("times", [1, 3])
async def test_reports_under_way_when_the_portal_is_started_anew_come_with_the_next_visit(
    collector: Collector, portal: PortalSimulator, office: Office, fault: Handler, times: int
) -> None:
    portal.add(sealed_report(office.world))
    portal.faults.append(fault)
    await visit(collector, office, times)
    assert (await CollectorStateRecord.get()).waiting == 1
    portal.faults.clear()
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
    assert await StuckArrivalRecord.all().count() == 0


@pytest.mark.parametrize("code", sorted(REFUSES_ALL - {"office-elsewhere"}))
async def test_reports_that_the_portal_refused_as_it_did_everything_come_with_the_next_visit(
    collector: Collector, portal: PortalSimulator, office: Office, code: str
) -> None:
    """As when a clock was wrong for an hour."""
    portal.add(sealed_report(office.world))
    portal.faults.append(in_files(lambda: refusal(401, code)))
    await visit(collector, office, 20)
    portal.faults.clear()
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
    assert await StuckArrivalRecord.all().count() == 0


async def test_a_report_that_breaks_off_at_every_visit_is_tried_ever_later(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    portal.add(sealed_report(office.world))
    portal.faults.append(cut_connection(path="/files/"))
    await visit(collector, office, 20)
    asked = len([request for request in portal.requests if "/files/" in request])
    assert asked == ATTEMPTS_AT_ONCE["interrupted"]
    assert (await StuckArrivalRecord.get()).problem == "interrupted"


@pytest.mark.parametrize("is_started_anew", [False, True])
async def test_reports_that_found_no_room_come_as_soon_as_there_is_some(
    wire: Wire, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch, is_started_anew: bool
) -> None:
    free = KEPT_FREE_BYTES - 1
    monkeypatch.setattr(blobs, "free_bytes", lambda folder: free)
    collector = wire.collector()
    portal.add(sealed_report(office.world))
    await visit(collector, office, 3)
    assert (await StuckArrivalRecord.get()).problem == "no-room"
    assert not [request for request in portal.requests if "/files/" in request]
    if is_started_anew:
        await collector.close()
        collector = wire.collector()
    free += ROOM_MORE_BYTES
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
    await collector.close()


async def test_a_report_for_which_the_database_had_not_even_a_row_comes_with_the_next_visit(
    collector: Collector, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: object) -> None:
        raise ConnectionRefusedError

    await visit(collector, office)
    portal.add(sealed_report(office.world))
    with monkeypatch.context() as lost:
        lost.setattr("oversight.reports.arrival._store", fail)
        lost.setattr("oversight.collector.submissions.write_down", fail)
        await visit(collector, office)
    assert (await CollectorStateRecord.get()).waiting == 1
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1


async def test_a_list_of_files_that_was_another_for_a_while_leaves_no_row_behind(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    true, other = sealed_report(office.world), sealed_report(office.world)
    portal.add(true)
    await visit(collector, office)
    listed = portal.submissions[:]
    portal.submissions.clear()
    portal.add(under_id(other, true.manifest.submission))
    await visit(collector, office, WHOLE_EVERY_VISITS)
    assert (await StuckArrivalRecord.get()).problem == "conflict"
    portal.submissions[:] = listed
    await visit(collector, office, WHOLE_EVERY_VISITS)
    assert await StuckArrivalRecord.all().count() == 0


async def test_a_report_that_is_stored_is_not_missed_when_the_portal_has_deleted_it(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    true, other = sealed_report(office.world), sealed_report(office.world)
    portal.add(true)
    await visit(collector, office)
    portal.submissions.clear()
    portal.add(under_id(other, true.manifest.submission))
    await visit(collector, office, WHOLE_EVERY_VISITS)
    portal.submissions.clear()
    office.clock.forward(days=2)
    await visit(collector, office)
    assert await StuckArrivalRecord.all().count() == 0


async def test_an_end_between_storing_a_report_and_saying_so_leaves_no_row_behind(
    collector: Collector, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.add(sealed_report(office.world))
    portal.faults.append(cut_connection(path="/files/report.age"))
    await visit(collector, office, ATTEMPTS_AT_ONCE["interrupted"])
    portal.faults.clear()
    office.clock.forward(minutes=71)
    with monkeypatch.context() as ended:
        ended.setattr(Submissions, "_taken", _nothing)
        await visit(collector, office)
    assert await StuckArrivalRecord.all().count() == 1
    await visit(collector, office, WHOLE_EVERY_VISITS)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
    assert await StuckArrivalRecord.all().count() == 0


async def _nothing(*arguments: object) -> None:
    """The program ended before it came to this."""


async def test_what_was_put_off_while_the_clock_was_a_month_ahead_is_due_when_it_is_right_again(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    """A report, a letter and a thread note; and the notes of the week go out again."""
    thread = await store_at_both(portal, under_new_id(sealed_report(office.world)), TODAY)
    await waiting_letter(office.world, thread.id)
    portal.add(sealed_report(office.world))
    refuses = ("/files/report.age", "/replies", "/threads")
    portal.faults.append(
        lambda request: refusal(500, "internal") if request.url.path.endswith(refuses) else None,
    )
    right = office.clock.now
    office.clock.forward(days=31)
    await visit(collector, office, 5)
    portal.faults.clear()
    office.clock.now = right + timedelta(hours=1)
    await visit(collector, office, 2)
    assert await SubmissionRecord.filter(confirmed=True).count() == 2
    assert await ReplyRecord.filter(posted_on=None).count() == 0
    assert await ThreadNoteRecord.filter(stale=True).count() == 0
    state = await CollectorStateRecord.get()
    assert state.round is not None and state.round <= right.date()


async def test_the_queue_does_not_count_from_a_time_that_is_still_to_come(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    right = office.clock.now
    office.clock.forward(days=31)
    await visit(collector, office)
    office.clock.now = right
    portal.faults.append(nobody_answers)
    await visit(collector, office)
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "less than a minute ago" not in page
    assert "When everything was last collected is not known: the office’s clock ran ahead." in page


async def test_one_damaged_row_holds_up_neither_the_letters_nor_the_notes_of_other_threads(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    reports = [under_new_id(sealed_report(office.world)) for _ in range(2)]
    damaged, whole = [await store_at_both(portal, report, TODAY) for report in reports]
    await waiting_letter(office.world, damaged.id, 1)
    await waiting_letter(office.world, whole.id, 2)
    await SubmissionRecord.filter(id=damaged.id).update(manifest=b"{}", confirmed=True)
    with suppress(CryptoError):
        await collector.run()
    assert [row.submission for row in await ReplyRecord.exclude(posted_on=None)] == [whole.id]
    rows = {row.submission: row for row in await ThreadNoteRecord.all()}
    assert (rows[whole.id].stale, rows[whole.id].problem) == (False, None)
    assert (rows[damaged.id].stale, rows[damaged.id].problem) == (True, "failure")


async def test_what_is_due_behind_the_pages_of_one_visit_keeps_nothing_new_from_coming(
    collector: Collector, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list, of which a round takes several visits, and one download at its end that failed once."""
    monkeypatch.setattr(list_reading, "PAGES_MAX", 1)
    sealed = sealed_report(office.world)
    many = [under_new_id(sealed) for _ in range(250)]
    for each in many:
        portal.add(each)
    fails = [many[-1].manifest.submission]

    def once(request: httpx.Request) -> httpx.Response | None:
        is_it = "/files/" in request.url.path and any(each in request.url.path for each in fails)
        return refusal(500, "internal") if is_it else None

    portal.faults.append(once)
    await visit(collector, office, 8)
    assert await SubmissionRecord.all().count() == len(many) - 1
    fails.clear()
    office.clock.forward(minutes=600)
    portal.add(under_new_id(sealed))
    await visit(collector, office, 8)
    assert await SubmissionRecord.all().count() == len(many) + 1
