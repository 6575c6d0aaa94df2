# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector against a portal that misbehaves: nothing is lost, nothing confirmed too early, nothing hidden."""

import asyncio
import fcntl
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.collection import read_collection
from crypto.manifest import manifest_hash
from crypto.message import message_id
from crypto.submission import SealedSubmission
from oversight.collector import visit
from oversight.collector.loop import collect_forever
from oversight.collector.submissions import ATTEMPTS_AT_ONCE, Submissions
from oversight.collector.visit import WHOLE_EVERY_VISITS, Collector, CollectorBusy
from oversight.letters.records import FollowUpRecord, ReplyRecord
from oversight.reports import arrival
from oversight.reports.blobs import FREE_BYTES_MIN
from oversight.reports.records import CollectorStateRecord, SealedFileRecord, StuckArrivalRecord, SubmissionRecord
from oversight.wire.portal_errors import PortalRefused, PortalUnreachable
from tests.oversight.case_desk import store, store_at_both
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator, answer, cut_connection, nobody_answers, refusal
from tests.oversight.sealed_reports import Wire, attachment, sealed_report, under_new_id, waiting_letter
from tests.people import REALM, TODAY

pytestmark = pytest.mark.usefixtures("in_database")


async def test_what_waits_is_stored_whole_and_then_confirmed(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    sealed = sealed_report(office.world, attachments=[attachment(b"note" * 10_000)])
    portal.add(sealed)
    await wire.collect()
    submission = await SubmissionRecord.get()
    assert (submission.id, submission.number, submission.confirmed) == (sealed.manifest.submission, 1, True)
    stored = {row.name: row.sealed for row in await SealedFileRecord.all()}
    small = {name: sealed.files[name] for name in ("report.age", "grant.age", "urgency.age")}
    assert stored == {**small, "attachment-1.age": None}
    blob = office.settings.data / "blobs" / submission.id / "attachment-1.age"
    assert blob.read_bytes() == sealed.files["attachment-1.age"]
    note = read_collection(portal.collected[submission.id], office.world.charter.office)
    note.check(realm=REALM, submission=submission.id, manifest_hash=manifest_hash(sealed.manifest_bytes))
    assert note.collected == TODAY
    last_fetched = max(index for index, request in enumerate(portal.requests) if "/files/" in request)
    assert last_fetched < portal.requests.index(f"POST /api/v1/office/submissions/{submission.id}/collection")


async def test_a_file_that_the_portal_has_lost_is_written_down_and_all_else_goes_on(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    lacking = sealed_report(office.world, attachments=[attachment(b"note" * 10_000)])
    whole = sealed_report(office.world)
    portal.add(lacking)
    portal.add(whole)
    del portal.submissions[0].files["attachment-1.age"]
    await wire.collect()
    assert [row.id for row in await SubmissionRecord.all()] == [whole.manifest.submission]
    row = await StuckArrivalRecord.get()
    assert (row.item, row.problem, row.file) == (lacking.manifest.submission, "file-missing", "attachment-1.age")
    page = await (await office.browser_of("bruno")).get("/queue")
    assert "a file is missing at the portal" in page.text
    assert "can’t be reached" not in page.text


async def test_a_second_visit_changes_nothing(wire: Wire, portal: PortalSimulator, office: Office) -> None:
    portal.add(sealed_report(office.world))
    await wire.collect()
    portal.requests.clear()
    await wire.collect()
    assert not [request for request in portal.requests if "/files/" in request or request.endswith("/collection")]
    assert await SubmissionRecord.all().count() == 1


async def test_a_portal_that_counts_from_the_beginning_again_is_read_whole_before_long(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    """As after it was restored from a backup: what comes then has a number that was given before."""
    portal.add(sealed_report(office.world))
    collector = wire.collector()
    with office.database.use():
        await collector.run()
        portal.submissions.clear()
        portal.add(sealed_report(office.world))
        for _ in range(WHOLE_EVERY_VISITS):
            await collector.run()
        assert await SubmissionRecord.all().count() == 2
    await collector.close()


@pytest.mark.parametrize("file", ["report.age", "grant.age", "urgency.age", "attachment-1.age", "attachment-2.age"])
async def test_a_connection_cut_at_any_file_leads_to_the_same_end(
    wire: Wire, portal: PortalSimulator, office: Office, file: str
) -> None:
    files = [attachment(b"first" * 9000), attachment(b"second" * 9000)]
    sealed = sealed_report(office.world, attachments=files)
    portal.add(sealed)
    portal.faults.append(cut_connection(path=f"/files/{file}$"))
    await wire.collect()
    assert not portal.collected
    assert await SubmissionRecord.all().count() == 0
    portal.faults.clear()
    office.clock.forward(minutes=71)
    await wire.collect()
    assert list(portal.collected) == [sealed.manifest.submission]
    assert await StuckArrivalRecord.all().count() == 0
    folder = office.settings.data / "blobs" / sealed.manifest.submission
    assert sorted(path.name for path in folder.iterdir()) == ["attachment-1.age", "attachment-2.age"]


async def test_a_crash_before_the_rows_are_committed_confirms_nothing(
    wire: Wire, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = sealed_report(office.world, attachments=[attachment(b"x" * 50_000)])
    portal.add(sealed)
    with monkeypatch.context() as patch:
        patch.setattr(arrival, "_store", _crash)
        with pytest.raises(Crash):
            await wire.collect()
    assert not portal.collected
    portal.requests.clear()
    await wire.collect()
    assert list(portal.collected) == [sealed.manifest.submission]
    # The attachment was durable before the crash and is not fetched again.
    assert not [request for request in portal.requests if request.endswith("attachment-1.age")]


async def test_a_crash_between_storing_and_confirming_is_made_good(
    wire: Wire, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.add(sealed_report(office.world))
    with monkeypatch.context() as patch:
        patch.setattr(Submissions, "_confirm", _crash)
        with pytest.raises(Crash):
            await wire.collect()
    assert (await SubmissionRecord.get()).confirmed is False
    portal.requests.clear()
    await wire.collect()
    assert (await SubmissionRecord.get()).confirmed is True
    assert len(portal.collected) == 1
    assert not [request for request in portal.requests if "/files/" in request]


async def test_a_lost_answer_to_the_confirmation_is_made_good(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    portal.add(sealed_report(office.world))
    portal.lost_answers.append(cut_connection(path="/collection$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    portal.lost_answers.clear()
    portal.submissions.clear()
    portal.faults.append(
        lambda request: refusal(404, "not-found") if request.url.path.endswith("/collection") else None
    )
    await wire.collect()
    assert (await SubmissionRecord.get()).confirmed is True


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"report_age": b"other bytes"}, "file-size"),
        ({"grant_age": b""}, "file-size"),
        ({"grant_age": None}, "file-hash"),
    ],
)
async def test_a_damaged_submission_is_written_down_and_hides_nothing(
    wire: Wire, portal: PortalSimulator, office: Office, changed: dict[str, bytes | None], problem: str
) -> None:
    damaged, whole = sealed_report(office.world), sealed_report(office.world)
    flipped = bytes([damaged.files["grant.age"][0] ^ 1]) + damaged.files["grant.age"][1:]
    portal.add(damaged, **{name: flipped if data is None else data for name, data in changed.items()})
    portal.add(whole)
    await wire.collect()
    row = await StuckArrivalRecord.get()
    assert (row.item, row.problem) == (damaged.manifest.submission, problem)
    assert list(portal.collected) == [whole.manifest.submission]
    assert [row.id for row in await SubmissionRecord.all()] == [whole.manifest.submission]


async def test_a_damaged_submission_that_is_mended_arrives_later(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    sealed = sealed_report(office.world)
    portal.add(sealed, report_age=b"x")
    await wire.collect()
    portal.submissions.clear()
    portal.add(sealed)
    await wire.collect()
    assert not portal.collected, "it is not tried again at once"
    office.clock.forward(minutes=71)
    await wire.collect()
    assert list(portal.collected) == [sealed.manifest.submission]
    assert await StuckArrivalRecord.all().count() == 0


async def test_when_a_damaged_submission_is_tried_again_does_not_tell_when_it_came(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    office.clock.forward(minutes=7)
    portal.add(sealed_report(office.world), report_age=b"x")
    await wire.collect()
    due = (await StuckArrivalRecord.get()).try_again
    assert (due.minute, due.second, due.microsecond) == (0, 0, 0)


async def test_a_submission_under_an_unknown_charter_is_not_taken(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    stranger = under_charter(sealed_report(office.world), "f" * 64)
    portal.add(stranger)
    await wire.collect()
    assert (await StuckArrivalRecord.get()).problem == "charter"
    assert not portal.collected


async def test_another_manifest_under_a_known_id_is_never_confirmed(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    first, second = sealed_report(office.world), sealed_report(office.world)
    portal.add(first)
    await wire.collect()
    portal.collected.clear()
    impostor = under_id(second, first.manifest.submission)
    portal.submissions.clear()
    portal.add(impostor)
    await wire.collect()
    assert (await StuckArrivalRecord.get()).problem == "conflict"
    assert not portal.collected
    assert (await SubmissionRecord.get()).manifest == first.manifest_bytes


@pytest.mark.parametrize("is_shown", [True, False])
async def test_what_is_held_waits_no_longer_once_the_portal_shows_no_other_under_its_id(
    wire: Wire, portal: PortalSimulator, office: Office, is_shown: bool
) -> None:
    true = sealed_report(office.world)
    portal.add(true)
    await wire.collect()
    portal.add(under_id(sealed_report(office.world), true.manifest.submission))
    shown = portal.submissions.pop(0)
    await wire.collect()
    assert (await StuckArrivalRecord.get()).problem == "conflict"
    portal.submissions[:] = [shown] if is_shown else []
    office.clock.forward(hours=2)
    await wire.collect()
    assert not await StuckArrivalRecord.exists()


async def test_one_download_that_always_breaks_off_does_not_stop_the_others(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    broken, whole = sealed_report(office.world), sealed_report(office.world)
    portal.add(broken)
    portal.add(whole)
    portal.faults.append(cut_connection(path=f"/{broken.manifest.submission}/files/"))
    collector = wire.collector()
    for _ in range(ATTEMPTS_AT_ONCE["interrupted"]):
        await collector.run()
    await collector.close()
    assert list(portal.collected) == [whole.manifest.submission]
    assert (await StuckArrivalRecord.get()).problem == "interrupted"


async def test_more_submissions_than_a_page_holds_all_come_in(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    sealed = sealed_report(office.world)
    for _ in range(120):
        portal.add(under_new_id(sealed))
    await wire.collect()
    assert len(portal.collected) == 120
    assert {row.number for row in await SubmissionRecord.all()} == set(range(1, 121))


@pytest.mark.parametrize("path", ["/submissions", "/follow-ups", "/controls"])
async def test_a_list_that_never_gets_on_ends_all_the_same(wire: Wire, portal: PortalSimulator, path: str) -> None:
    """A portal that shows the same page again and again, and says each time that there is more."""
    listed = {"submissions": [], "follow_ups": [], "controls": []}
    portal.faults.append(
        lambda request: answer(200, {**listed, "more": True}) if request.url.path.endswith(f"office{path}") else None
    )
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    assert len([request for request in portal.requests if request.endswith(f"office{path}")]) == 1
    assert (await CollectorStateRecord.get()).last_success is None


async def test_a_page_that_comes_again_ends_the_list(wire: Wire, portal: PortalSimulator, office: Office) -> None:
    portal.add(sealed_report(office.world))
    page = portal._list(0).read()
    again = json.dumps({**json.loads(page), "more": True}).encode()
    portal.faults.append(
        lambda request: answer(200, again) if request.url.path.endswith("office/submissions") else None
    )
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    assert len(portal.collected) == 1


async def test_a_submission_whose_confirmation_is_refused_does_not_stop_the_others(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    refused, whole = sealed_report(office.world), sealed_report(office.world)
    portal.add(refused)
    portal.add(whole)
    portal.faults.append(
        lambda request: (
            refusal(400, "malformed-request")
            if request.url.path.endswith(f"{refused.manifest.submission}/collection")
            else None
        )
    )
    with pytest.raises(PortalRefused):
        await wire.collect()
    assert list(portal.collected) == [whole.manifest.submission]
    assert await SubmissionRecord.filter(confirmed=False).values_list("id", flat=True) == [refused.manifest.submission]


async def test_follow_ups_are_durable_before_they_are_confirmed(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    thread = (await store(sealed_report(office.world), TODAY)).id
    portal.add_follow_up(thread, b"sealed one")
    portal.add_follow_up(thread, b"sealed two")
    portal.faults.append(cut_connection(path="/follow-ups/collection$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    assert await FollowUpRecord.filter(confirmed=False).count() == 2
    portal.faults.clear()
    portal.add_follow_up(thread, b"sealed two")
    await wire.collect()
    assert await FollowUpRecord.filter(confirmed=True).count() == 2
    assert portal.receipted == {message_id(b"sealed one"), message_id(b"sealed two")}


async def test_a_waiting_reply_is_posted_once_the_portal_is_back(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    submission = await store_at_both(portal, sealed_report(office.world), TODAY)
    await waiting_letter(office.world, submission.id)
    portal.lost_answers.append(cut_connection(path="/replies$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    assert (await ReplyRecord.get()).posted_on is None
    portal.lost_answers.clear()
    await wire.collect()
    assert (await ReplyRecord.get()).posted_on == TODAY
    assert list(portal.replies.values()) == [b"letter 1"]


async def test_a_reply_that_is_refused_for_good_does_not_hold_up_the_others(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    first, second = [(await store_at_both(portal, sealed_report(office.world), TODAY)).id for _ in range(2)]
    await waiting_letter(office.world, first, 1)
    await waiting_letter(office.world, second, 2)
    portal.faults.append(
        lambda request: refusal(413, "too-large") if request.url.path.endswith(f"/{first}/replies") else None
    )
    await wire.collect()
    assert (await ReplyRecord.get(number=1)).refused == "too-large"
    assert (await ReplyRecord.get(number=2)).posted_on == TODAY


async def test_the_status_says_since_when_the_portal_is_away(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    await wire.collect()
    portal.faults.append(nobody_answers)
    office.clock.forward(minutes=5)
    since = office.clock.now
    for _ in range(2):
        with pytest.raises(PortalUnreachable):
            await wire.collect()
        office.clock.forward(minutes=5)
    state = await CollectorStateRecord.get()
    assert (state.failing_since, state.problem) == (since, "unreachable")
    portal.faults.clear()
    await wire.collect()
    state = await CollectorStateRecord.get()
    assert (state.failing_since, state.last_success) == (None, office.clock.now)


async def test_a_refusal_of_the_office_is_named(wire: Wire, portal: PortalSimulator) -> None:
    portal.faults.append(lambda request: refusal(401, "signature-invalid"))
    with pytest.raises(PortalRefused):
        await wire.collect()
    assert (await CollectorStateRecord.get()).problem == "signature-invalid"


async def test_an_error_page_of_a_proxy_is_an_unreachable_portal(wire: Wire, portal: PortalSimulator) -> None:
    portal.faults.append(lambda request: answer(403, b"<html>blocked</html>"))
    with pytest.raises(PortalUnreachable):
        await wire.collect()


async def test_two_collectors_never_work_at_once(wire: Wire, portal: PortalSimulator) -> None:
    collector = wire.collector()
    with _held(collector.lock_file), pytest.raises(CollectorBusy):
        await collector.run()
    assert not portal.requests


async def test_failures_make_the_visits_rarer_and_success_makes_them_regular(
    wire: Wire, portal: PortalSimulator
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 4:
            portal.faults.clear()
        if len(waits) == 6:
            raise asyncio.CancelledError

    collector = wire.collector()
    portal.faults.append(nobody_answers)
    with pytest.raises(asyncio.CancelledError):
        await collect_forever(_ready(collector), 60, sleep)
    await collector.close()
    assert waits == [120, 240, 480, 960, 60, 60]


async def test_a_portal_that_answered_in_a_visit_is_visited_as_often_as_ever(
    wire: Wire, portal: PortalSimulator
) -> None:
    """Under a flood one connection or another is refused in every visit; the steps after it have their turn."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise asyncio.CancelledError

    collector = wire.collector()
    portal.faults.append(lambda request: nobody_answers(request) if "/follow-ups" in request.url.path else None)
    with pytest.raises(asyncio.CancelledError):
        await collect_forever(_ready(collector), 60, sleep)
    await collector.close()
    assert waits == [60, 60, 60]
    assert any("/office/problems" in request for request in portal.requests)
    state = await CollectorStateRecord.get()
    assert (state.problem, state.step) == ("unreachable", "follow-ups")


async def test_no_fault_ends_the_visits(wire: Wire, portal: PortalSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            monkeypatch.undo()
        if len(waits) == 3:
            raise asyncio.CancelledError

    async def fail(*arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Submissions, "read_list", fail)
    collector = wire.collector()
    with pytest.raises(asyncio.CancelledError):
        await collect_forever(_ready(collector), 60, sleep)
    await collector.close()
    assert waits == [120, 240, 60]
    assert (await CollectorStateRecord.get()).problem is None


async def test_a_database_that_takes_nothing_does_not_make_the_visits_rarer(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise asyncio.CancelledError

    async def fail(*arguments: object, **more: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(CollectorStateRecord, "get_or_create", fail)
    collector = wire.collector()
    with pytest.raises(asyncio.CancelledError):
        await collect_forever(_ready(collector), 60, sleep)
    await collector.close()
    assert waits == [60, 60, 60]


async def test_messages_stay_at_the_portal_while_the_disk_is_nearly_full(
    wire: Wire, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is for what members write, and for logins. The queue says so."""
    thread = (await store(sealed_report(office.world), TODAY)).id
    portal.add_follow_up(thread, b"sealed one")
    with monkeypatch.context() as low:
        low.setattr(visit, "free_bytes", lambda folder: FREE_BYTES_MIN - 1)
        with pytest.raises(OSError, match="must stay free"):
            await wire.collect()
        assert await FollowUpRecord.all().count() == 0
        page = (await (await office.browser_of("bruno")).get("/queue")).text
        assert "The office’s own disk is nearly full: what is new stays at the portal<" in page and ">Since " in page
    await wire.collect()
    assert await FollowUpRecord.all().count() == 1


async def test_the_queue_says_since_when_the_portal_is_away(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    portal.faults.append(nobody_answers)
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "The portal can’t be reached</p>" in page
    assert 'Since <bdi class="digits" dir="ltr">2026-11-22 09:30 UTC</bdi>. It is tried again by itself.' in page


class Crash(BaseException):
    """The program dies: nothing may catch it."""


async def _crash(*arguments: object) -> None:
    raise Crash


def _ready(collector: Collector) -> Callable[[], Awaitable[Collector]]:
    async def prepare() -> Collector:
        return collector

    return prepare


def under_charter(sealed: SealedSubmission, charter: str) -> SealedSubmission:
    manifest = replace(sealed.manifest, charter=charter)
    return replace(sealed, manifest=manifest, manifest_bytes=manifest.encode())


def under_id(sealed: SealedSubmission, submission: str) -> SealedSubmission:
    manifest = replace(sealed.manifest, submission=submission)
    return replace(sealed, manifest=manifest, manifest_bytes=manifest.encode())


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
