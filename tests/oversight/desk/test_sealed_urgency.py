# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office's own key reads of how urgent reports are, before any member has opened one."""

import asyncio
import hashlib

import pytest

from crypto.age import PqIdentity, seal
from crypto.padding import URGENCY_SIZE, pad_document
from crypto.submission import SealedSubmission
from crypto.urgency import encode_urgency
from oversight.collector.urgency import read_urgency_while_serving
from oversight.commission.keys import OfficeKeys
from oversight.desk.index import continue_index
from oversight.desk.queue import Filters, read_queue
from oversight.reports import sealed_urgency
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from oversight.reports.sealed_urgency import Unread, count_unread, read_waiting
from oversight.reports.urgency import Level
from tests.oversight.desk.test_queue import unlock
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, sealed_report, with_files
from tests.people import REALM

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
def wire(office: Office, portal: PortalSimulator) -> Wire:
    return Wire(office, portal.transport())


def with_urgency(sealed: SealedSubmission, data: bytes) -> SealedSubmission:
    return with_files(sealed, {**sealed.files, "urgency.age": data})


async def levels() -> dict[str, str | None]:
    return {row.id: row.urgency for row in await SubmissionRecord.all()}


async def test_the_office_reads_each_level_and_no_member_has_to_be_there(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    sent = {level: sealed_report(office.world, urgency=level) for level in ("now", "soon", "none")}
    for sealed in sent.values():
        portal.add(sealed)
    await wire.collect()
    assert set((await levels()).values()) == {None}
    assert await read_waiting(office.world.urgency_identity) == 3
    assert await levels() == {sealed.manifest.submission: level for level, sealed in sent.items()}
    assert await count_unread() == Unread(now=1, soon=1)
    assert await read_waiting(office.world.urgency_identity) == 0


async def test_one_bad_file_holds_up_no_other_and_is_told(
    office: Office, portal: PortalSimulator, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_urgency, "BATCH", 2)
    world, [recipient] = office.world, office.world.charter.urgency
    urgent = sealed_report(world)
    stranger = PqIdentity.generate().recipient()
    bad = {
        "of another report": urgent.files["urgency.age"],
        "for others": seal(pad_document(encode_urgency("now", urgent.manifest.submission), URGENCY_SIZE), [stranger]),
        "no such level": seal(pad_document(b'{"level":"later"}', URGENCY_SIZE), [recipient]),
        "garbage": b"garbage",
    }
    reports = {what: with_urgency(sealed_report(world), data) for what, data in bad.items()}
    for sealed in (*reports.values(), urgent):
        portal.add(sealed)
    await wire.collect()
    lost = sealed_report(world)
    portal.add(lost)
    await wire.collect()
    await SealedFileRecord.filter(submission_id=lost.manifest.submission, name="urgency.age").delete()
    await read_waiting(world.urgency_identity)
    found = await levels()
    assert found.pop(urgent.manifest.submission) == "now"
    assert list(found.values()) == ["unknown"] * 5
    assert await count_unread() == Unread(now=1, soon=0)


async def test_a_portal_that_swaps_the_urgency_of_two_reports_is_not_believed(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    urgent, calm = sealed_report(office.world), sealed_report(office.world, urgency="none")
    for sealed, other in ((urgent, calm), (calm, urgent)):
        portal.add(sealed, urgency_age=other.files["urgency.age"])
    await wire.collect()
    assert await SubmissionRecord.all().count() == 0


async def test_reports_that_came_while_the_keys_were_closed_are_read_once_they_open(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    portal.add(sealed_report(office.world))
    await wire.collect()
    safe = office.app.state.office_safe
    assert not safe.is_open
    turns = 0
    seeds = hashlib.sha256(b"signing").digest(), hashlib.sha256(b"record").digest()

    async def sleep(_: float) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            assert set((await levels()).values()) == {None}
            safe.keep(OfficeKeys(*seeds, office.world.urgency_identity.seed))
        else:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await read_urgency_while_serving(safe, sleep)
    assert set((await levels()).values()) == {"now"}


async def test_urgent_reports_are_put_into_a_members_list_first(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    reports = [sealed_report(office.world, urgency=level) for level in ("soon", "now", "none")]
    for sealed in reports:
        portal.add(sealed)
        await wire.collect()
    await read_waiting(office.world.urgency_identity)
    session, times = await unlock(office, "bruno"), iter((0.0, 0.0, 99.0))
    charters = {office.world.charter.hash: office.world.charter}
    await continue_index(session, charters, REALM, 1.0, lambda: next(times))
    [row] = (await read_queue(session, Filters())).rows
    assert row.submission.id == reports[1].manifest.submission


async def test_of_a_report_that_does_not_open_the_queue_says_what_the_office_read(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    sealed = sealed_report(office.world)
    other = sealed_report(office.world, urgency="none")
    for each in (other, with_files(sealed, {**sealed.files, "report.age": other.files["report.age"]})):
        portal.add(each)
        await wire.collect()
    await read_waiting(office.world.urgency_identity)
    session = await unlock(office, "bruno")
    await continue_index(session, {office.world.charter.hash: office.world.charter}, REALM)
    rows = {row.summary.access: row.level for row in (await read_queue(session, Filters())).rows}
    # What a member reads in the report counts for more than what was sealed for the office.
    assert rows == {"broken": Level.NOW, "open": Level.NOW}


async def test_every_member_is_told_and_strangers_are_not(office: Office, portal: PortalSimulator, wire: Wire) -> None:
    for level in ("now", "soon", "none"):
        portal.add(sealed_report(office.world, urgency=level))
    await wire.collect()
    await read_waiting(office.world.urgency_identity)
    assert "Urgent:" not in (await office.browser().get("/login")).text
    for label, reads in (("amina", True), ("elif", True)):
        page = (await (await office.browser_of(label)).get("/account")).text
        assert "Urgent: 2 not yet read" in page and "In 1 of them hours count" in page
        assert ("/queue?state=new" in page) == reads
    await SubmissionRecord.all().update(opened_on=office.clock.now.date())
    assert "Urgent:" not in (await (await office.browser_of("bruno")).get("/account")).text
