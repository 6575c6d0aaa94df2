# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever a portal does for a while: what is true comes in once it is shown, and nothing invented fills the office."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import pytest

from crypto.ids import SubmissionId
from oversight.collector.downloads import SMALL_BYTES_MAX
from oversight.collector.submissions import ATTEMPTS_AT_ONCE, Submissions
from oversight.collector.visit import WHOLE_EVERY_VISITS, Collector
from oversight.letters.records import FollowUpRecord
from oversight.reports import stuck
from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord, SubmissionRecord
from oversight.wire.patience import Patience
from oversight.wire.portal_errors import PortalError
from tests.chance import fresh_bytes
from tests.oversight.collector.hostile_portal import LIES, HostilePortal
from tests.oversight.office import Office
from tests.oversight.portal_simulator import answer, refusal
from tests.oversight.sealed_reports import Wire, attachment, sealed_report, under_new_id

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def portal() -> HostilePortal:
    return HostilePortal(random=Random(fresh_bytes(8)))


@pytest.fixture
async def collector(office: Office, portal: HostilePortal):  # type: ignore[no-untyped-def]
    """A collector whose patience runs on the portal's clock."""
    collector = Wire(office, portal.transport(), portal.seconds).collector()
    yield collector
    await collector.close()


async def visit(collector: Collector, office: Office, times: int = 1) -> None:
    """So many visits, a minute apart, whatever comes of them."""
    for _ in range(times):
        with suppress(PortalError):
            await collector.run()
        office.clock.forward(minutes=1)


def add_reports(portal: HostilePortal, office: Office, count: int) -> list[SubmissionId]:
    sealed = sealed_report(office.world)
    made = [under_new_id(sealed) for _ in range(count)]
    for each in made:
        portal.add(each)
    return [each.manifest.submission for each in made]


async def held() -> set[SubmissionId]:
    return {row.id for row in await SubmissionRecord.filter(confirmed=True).only("id")}


@pytest.mark.parametrize("lie", sorted(LIES))
async def test_after_any_lie_every_true_report_and_message_is_taken(
    collector: Collector, portal: HostilePortal, office: Office, lie: str
) -> None:
    first = add_reports(portal, office, 1)
    portal.lies = (lie,)
    await visit(collector, office, 2)
    true = {*first, *add_reports(portal, office, 2)}
    portal.add_follow_up(first[0], b"sealed one")
    await visit(collector, office, 1)
    portal.be_honest()
    await visit(collector, office, 1)
    office.clock.forward(minutes=71)
    await visit(collector, office, WHOLE_EVERY_VISITS)
    assert await held() == true
    assert await FollowUpRecord.filter(sealed=b"sealed one", confirmed=True).count() == 1
    state = await CollectorStateRecord.get()
    assert state.problem is None and state.last_success == office.clock.now - timedelta(minutes=1)
    assert await StuckArrivalRecord.all().count() == 0


async def test_lies_of_all_kinds_together_delay_what_is_true_by_a_bounded_number_of_visits(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    """A third of all requests is lied to, each in another way, and the portal is never honest again."""
    true = set(add_reports(portal, office, 3))
    for submission in true:
        portal.add_follow_up(submission, f"sealed {submission}".encode())
    portal.lies, portal.share = tuple(sorted(LIES)), 0.3
    for _ in range(40):
        await visit(collector, office, 10)
        # What failed often is tried again once a day.
        office.clock.forward(hours=6)
        if await held() == true and await FollowUpRecord.all().count() == 3:
            break
    assert await held() == true
    assert await FollowUpRecord.all().count() == 3


async def test_one_entry_of_a_malformed_id_hides_no_other_and_is_counted(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    true = set(add_reports(portal, office, 2))

    def malformed(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/office/submissions"):
            return None
        page = portal.honest_list(request)
        assert page is not None
        return answer(200, {**page, "submissions": [*page["submissions"], {"sequence": 9, "submission": "no id"}]})

    portal.faults.insert(0, malformed)
    await visit(collector, office)
    assert await held() == true
    row = await StuckArrivalRecord.get()
    assert (row.item, row.problem, row.count) == ("*unreadable", "unreadable", 1)
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "1 item at the portal can’t be collected" in page
    portal.faults.remove(malformed)
    await visit(collector, office, WHOLE_EVERY_VISITS)
    assert await StuckArrivalRecord.all().count() == 0


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_file_that_is_always_refused_holds_up_no_later_report(
    collector: Collector, portal: HostilePortal, office: Office, status: int
) -> None:
    first, *later = add_reports(portal, office, 3)
    portal.faults.insert(0, _of(f"{first}/files/report.age", lambda: refusal(status, "internal")))
    await visit(collector, office)
    assert await held() == set(later)
    assert (await StuckArrivalRecord.get()).item == first
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "the portal answers with an error for this one" in page and "can’t be reached" not in page
    assert "Everything else was last collected" in page


async def test_a_file_of_one_byte_a_second_is_given_up_and_holds_up_no_other(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    portal.lies, portal.spared = ("slow",), lambda request: "/files/" not in request.url.path
    add_reports(portal, office, 1)
    for _ in range(ATTEMPTS_AT_ONCE["slow"]):
        await visit(collector, office)
    portal.be_honest()
    later = add_reports(portal, office, 1)
    await visit(collector, office)
    assert portal.seconds.now < 60 * ATTEMPTS_AT_ONCE["slow"]
    assert await held() == set(later)
    assert (await StuckArrivalRecord.get()).problem == "slow"


async def test_a_list_without_an_end_ends_a_visit_and_is_not_said_to_be_collected(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    true = set(add_reports(portal, office, 2))
    portal.lies, portal.spared = ("endless",), lambda request: "/follow-ups" in request.url.path
    await visit(collector, office, 3)
    assert await held() == true, "what is true among it is taken"
    assert (await CollectorStateRecord.get()).last_success is None
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "Last collected" not in page


async def test_invented_entries_without_a_signature_take_no_number_and_few_rows(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    sealed = sealed_report(office.world)
    for _ in range(stuck.UNPROVEN_ROWS_MAX + 70):
        portal.add(under_new_id(sealed), acknowledgement="none")
    [true] = add_reports(portal, office, 1)
    await visit(collector, office)
    assert [(row.id, row.number) for row in await SubmissionRecord.all()] == [(true, 1)]
    assert await StuckArrivalRecord.all().count() == stuck.UNPROVEN_ROWS_MAX + 1
    assert (await StuckArrivalRecord.get(item="*no-row")).count == 70


async def test_invented_entries_that_the_portal_signed_wait_for_another_day_and_nothing_is_lost(
    collector: Collector, portal: HostilePortal, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversight.collector.submissions.ARRIVALS_PER_DAY_MAX", 20)
    true = set(add_reports(portal, office, 50))
    await visit(collector, office, 3)
    assert await SubmissionRecord.all().count() == 20
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "30 reports wait at the portal until tomorrow" in page and "Take as many again today" in page
    for day in (1, 2):
        office.clock.forward(days=1)
        await visit(collector, office)
        assert await SubmissionRecord.all().count() == min(20 + day * 20, 50), "at the first visit of the day"
    assert await held() == true


async def test_a_member_can_have_as_many_again_taken_on_the_same_day(
    collector: Collector, portal: HostilePortal, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversight.collector.submissions.ARRIVALS_PER_DAY_MAX", 5)
    monkeypatch.setattr("oversight.letters.follow_up_arrival.PER_DAY_MAX", 3)
    collector.pages = office.app.state.portal_visits
    true = add_reports(portal, office, 8)
    for number in range(6):
        portal.add_follow_up(true[0], b"sealed %d" % number)
    await visit(collector, office, 3)
    assert (await SubmissionRecord.all().count(), await FollowUpRecord.all().count()) == (5, 3)
    browser = await office.browser_of("bruno")
    page = (await browser.get("/queue")).text
    assert "3 reports wait at the portal until tomorrow" in page and "3 wait at the portal until tomorrow" in page
    assert (await browser.post("/queue/collect/more")).headers["location"] == "/queue"
    assert office.app.state.portal_visits.begin_now.is_set()
    await visit(collector, office)
    assert (await held(), await FollowUpRecord.all().count()) == (set(true), 6)
    page = (await browser.get("/queue")).text
    assert "until tomorrow" not in page and "Take as many again" not in page
    monkeypatch.setattr("oversight.desk.queue_pages.may", lambda roles, action: False)
    assert (await browser.post("/queue/collect/more")).status_code == 403, "who reads no reports decides on none"


async def test_follow_ups_that_are_too_large_or_of_no_report_are_not_stored(
    collector: Collector, portal: HostilePortal, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversight.letters.follow_up_arrival.MAILBOX_PER_DAY_MAX", 4)
    [submission] = add_reports(portal, office, 1)
    for number in range(10):
        portal.add_follow_up(submission, b"sealed %d" % number)
    portal.lies = ("other_follow_ups",)
    await visit(collector, office)
    assert await FollowUpRecord.all().count() == 4
    portal.be_honest()
    for _ in range(2):
        office.clock.forward(days=1)
        await visit(collector, office, WHOLE_EVERY_VISITS)
    assert {row.sealed for row in await FollowUpRecord.filter(confirmed=True)} == {b"sealed %d" % n for n in range(10)}


async def test_a_follow_up_that_came_before_its_report_is_taken_with_it(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    [submission] = add_reports(portal, office, 1)
    portal.add_follow_up(submission, b"sealed")
    refuses = _of("/files/report.age", lambda: refusal(500, "internal"))
    portal.faults.insert(0, refuses)
    await visit(collector, office)
    assert await FollowUpRecord.all().count() == 0 and not portal.receipted
    portal.faults.remove(refuses)
    office.clock.forward(minutes=71)
    await visit(collector, office)
    assert await FollowUpRecord.filter(confirmed=True).count() == 1


async def test_a_member_can_have_everything_tried_again_at_once(
    collector: Collector, portal: HostilePortal, office: Office
) -> None:
    refuses = _of("/files/report.age", lambda: refusal(500, "internal"))
    portal.faults.insert(0, refuses)
    true = set(add_reports(portal, office, 1))
    await visit(collector, office)
    portal.faults.remove(refuses)
    await visit(collector, office)
    assert await held() == set()
    answered = await (await office.browser_of("bruno")).post("/queue/collect")
    assert answered.headers["location"] == "/queue" and office.app.state.portal_visits.begin_now.is_set()
    await visit(collector, office)
    assert await held() == true


def _of(path: str, give: Callable[[], httpx.Response]) -> Callable[[httpx.Request], httpx.Response | None]:
    return lambda request: give() if request.url.path.endswith(path) else None


async def test_a_large_file_that_hangs_holds_up_neither_a_visit_nor_a_small_report(
    portal: HostilePortal, office: Office
) -> None:
    large = sealed_report(office.world, attachments=[attachment(fresh_bytes(SMALL_BYTES_MAX))])
    portal.add(large)
    small = set(add_reports(portal, office, 20))
    came = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(f"{large.manifest.submission}/files/attachment-1.age"):
            await came.wait()
        return portal._answer(request)

    wire = Wire(office, httpx.MockTransport(hang))
    collector = wire.collector()
    collector._fetch_seconds = 1
    await visit(collector, office, 2)
    assert await held() == small
    state = await CollectorStateRecord.get()
    assert (state.waiting, state.problem, state.last_success) == (1, None, None)
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "1 new report is being fetched." in page
    came.set()
    collector._fetch_seconds = 60
    await visit(collector, office)
    assert await held() == {*small, large.manifest.submission}
    assert (await CollectorStateRecord.get()).last_success is not None
    await collector.close()


async def test_a_disk_without_room_is_said_and_the_report_stays_at_the_portal(
    collector: Collector, portal: HostilePortal, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = set(add_reports(portal, office, 1))
    with monkeypatch.context() as patch:
        patch.setattr("oversight.reports.blobs.KEPT_FREE_BYTES", 2**62)
        await visit(collector, office)
    assert not portal.collected
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "there is not enough room for it on the office’s disk" in page
    office.clock.forward(minutes=71)
    await visit(collector, office)
    assert await held() == true


async def test_reports_that_were_put_off_as_slow_are_met_again_and_taken(
    collector: Collector, portal: HostilePortal, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oversight.collector.downloads._Lane.patience", _hurried)
    monkeypatch.setattr("oversight.collector.downloads.SLOW_WAITING_MAX", 5)
    collector.submissions = Submissions(collector.client, collector.submissions._receiver, office.clock)
    true = set(add_reports(portal, office, 30))
    portal.lies, portal.spared = ("slow",), lambda request: "/files/" not in request.url.path
    await visit(collector, office)
    state = await CollectorStateRecord.get()
    assert (await held(), state.last_success, state.problem) == (set(), None, None)
    assert state.waiting >= 20, "they are said to be on their way"
    portal.be_honest()
    office.clock.forward(minutes=71)
    await visit(collector, office, 30)
    assert await held() == true
    assert (await CollectorStateRecord.get()).last_success is not None


def _hurried(lane: Any) -> Patience:
    return Patience(2.0) if lane.slow else Patience()
