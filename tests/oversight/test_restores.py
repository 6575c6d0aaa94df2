# SPDX-License-Identifier: AGPL-3.0-or-later
"""Portal and office from backups of different days, in every pair: they find out by themselves, and what either of them
still has is where it belongs (docs/protocol.md §10.2)."""

import re
import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from random import Random

import httpx
import pytest

from crypto.finding import Finding, read_finding
from oversight.collector.turn import name_of_process
from oversight.commission.records import CharterRecord
from oversight.findings.numbering import next_id
from oversight.findings.records import PublicationRecord
from oversight.letters.records import FollowUpRecord, PostingRecord, ReplyRecord
from oversight.reports.beyond_help import FINDING, REPORT, TEXT
from oversight.reports.records import STATE_ROW, BeyondHelpRecord, CollectorStateRecord, SubmissionRecord
from oversight.wire.portal_errors import PortalRefused
from portal.storage.records import SubmissionRecord as PortalSubmission
from tests.endurance.reporters import seal
from tests.findings import correction_of, publish_finding, sign_finding, successor_charter, withdrawal_of
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.letters.test_letters_journey import send_reply
from tests.oversight.restores import Folders, Pair
from tests.oversight.sealed_reports import Wire, attachment
from tests.portal.threads import Thread
from tests.portal.world import commission, running_portal

BACKUPS = ("first", "second", "third")


@pytest.fixture
def folders(tmp_path: Path, empty_database: Path, static_folder: Path) -> Folders:
    return Folders(tmp_path, empty_database, static_folder)


async def live(folders: Folders) -> None:
    """Three days of work, with a copy of both sides after each."""
    async with folders.running() as pair:
        for name in ("old", "closing", "deleting"):
            await pair.report(name)
        await pair.collect()
        await pair.letter("deleting", 1, "read and deleted")
        await pair.collect()
    folders.copy("first")
    async with folders.running() as pair:
        await pair.report("new")
        await pair.threads["old"].send("first message")
        await pair.threads["closing"].command(close=True)
        await pair.threads["deleting"].command(delete=1)
        await pair.letter("old", 2, "first answer")
        await pair.collect()
    folders.copy("second")
    async with folders.running() as pair:
        await pair.report("newest")
        await pair.threads["old"].send("second message")
        await pair.threads["new"].send("a message of the new one")
        await pair.letter("old", 3, "second answer")
        await pair.letter("new", 4, "an answer to the new one")
        await pair.collect()
        await pair.report("waiting")
    folders.copy("third")


async def held(pair: Pair) -> dict[str, set[str]]:
    """The follow-ups that the office holds, by reports' names."""
    with pair.office.database.use():
        rows = await FollowUpRecord.all().values_list("submission", "id")
        reports = {row.id for row in await SubmissionRecord.all().only("id")}
    names = {thread.sealed.manifest.submission: name for name, thread in pair.threads.items()}
    found: dict[str, set[str]] = {names[report]: set() for report in reports if report in names}
    for submission, message in rows:
        found[names[submission]].add(message)
    return found


def sent(thread: Thread) -> str:
    return thread.sealed.manifest.submission


MESSAGES = {"first": {}, "second": {"old": 1}, "third": {"old": 2, "new": 1}}
REPORTS = {
    "first": {"old", "closing", "deleting"},
    "second": {"old", "closing", "deleting", "new"},
    "third": {"old", "closing", "deleting", "new", "newest", "waiting"},
}
ANSWERS = {
    "first": {},
    "second": {"old": ["first answer"]},
    "third": {"old": ["first answer", "second answer"], "new": ["an answer to the new one"]},
}
LATER = {"first": 0, "second": 1, "third": 2}


async def test_whatever_pair_of_backups_comes_back_each_side_gets_what_the_other_has(folders: Folders) -> None:
    await live(folders)
    for portal, office in product(BACKUPS, BACKUPS):
        newer = max(portal, office, key=LATER.__getitem__)
        async with folders.running(portal, office) as pair:
            await pair.collect(visits=2)
            known = await held(pair)
            # The last report had come to the portal alone, and there is no copy of the office that ever saw it.
            assert set(known) == REPORTS[newer] - ({"waiting"} if portal != "third" else set()), (portal, office)
            counts = {name: len(messages) for name, messages in known.items() if messages}
            assert counts == MESSAGES[newer], (portal, office)
            for name in known:
                await check_mailbox(pair, name, portal, office, newer)


async def check_mailbox(pair: Pair, name: str, portal: str, office: str, newer: str) -> None:
    """As its reporter sees it."""
    where = (name, portal, office)
    seen = await pair.seen(name)
    if name == "closing" and newer != "first":
        assert seen is None, where
        return
    assert seen is not None, where
    assert seen.alarms == (), where
    assert seen.collected is not None, where
    assert seen.confirmed is not None and not seen.older and seen.missing == (), where
    bodies = [reply.body for reply in seen.replies]
    expected = ["read and deleted"] if name == "deleting" and newer == "first" else ANSWERS[newer].get(name, [])
    assert bodies == expected, where


async def test_files_and_a_case_from_after_the_backup_of_either_side(folders: Folders, rng: Random) -> None:
    async with folders.running() as pair:
        await pair.collect()
    folders.copy("before")
    async with folders.running() as pair:
        reporter = seal(pair.portal, commission().charter, rng, attachment(b"a photograph" * 5_000))
        assert (await reporter.send()).status_code == 201
        await pair.collect()
        room, report = CaseRoom(pair.office), f"/reports/{reporter.submission}"
        with pair.office.database.use():
            case = await room.open_case(reporter.submission)
        assert (await send_reply(await room.browser("amina"), reporter.submission, "We look into it.")).is_redirect
        await pair.collect()
    # A code of a member is taken once.
    folders.clock.now += timedelta(minutes=10)
    async with folders.running(office="before") as pair:
        # A case is in the office's ledger alone; its reports come again, with all that was sent with them.
        await pair.collect(visits=2)
        reader = CaseRoom(pair.office)
        assert (await reader.get("amina", f"/cases/{case}")).status_code == 404
        with pair.office.database.use():
            assert await BeyondHelpRecord.filter(kind=TEXT, submission=reporter.submission).exists()
        await check_file(reader, report)
        seen = await replace(reporter, portal=pair.portal).look()
        assert [reply.body for reply in seen.replies] == ["We look into it."]
    folders.clock.now += timedelta(minutes=10)
    async with folders.running(portal="before") as pair:
        # The portal gets the mailbox, the letter and what it said of them again; the files stay where they are.
        await pair.collect(visits=2)
        keeper = CaseRoom(pair.office)
        assert (await keeper.get("amina", f"/cases/{case}")).status_code == 200
        await check_file(keeper, report)
        seen = await replace(reporter, portal=pair.portal).look()
        assert [reply.body for reply in seen.replies] == ["We look into it."]


async def check_file(room: CaseRoom, report: str) -> None:
    """The attachment of a report opens, whole."""
    page = (await room.get("amina", report)).text
    [address] = set(re.findall(rf'{report}/files/[^"]*', page))
    assert (await room.get("amina", address)).content == b"a photograph" * 5_000


async def test_a_running_office_notices_at_its_next_visit_that_the_portal_was_restored(folders: Folders) -> None:
    """Nobody restarts the office, and it is far from the visit in which it reads everything anew."""
    await live(folders)
    shutil.rmtree(folders.root / "portal" / "now")
    shutil.copytree(folders.root / "portal" / "third", folders.root / "portal" / "now")
    async with folders.running("now", "third") as pair:
        collector = pair.wire.collector()
        with pair.office.database.use():
            for _ in range(3):
                await collector.run()
            async with running_portal(folders.root / "portal" / "first", clock=folders.clock) as restored:
                there = replace(pair, portal=restored)
                there.threads = {name: replace(thread, portal=restored) for name, thread in pair.threads.items()}
                fresh = await there.report("sent to the restored one")
                collector.client._connection = there.wire.client()._connection
                await collector.run()
                assert (await SubmissionRecord.get(id=sent(fresh))).confirmed
                await collector.run()
                for name in ("old", "new", "newest", "waiting"):
                    assert (await there.seen(name)) is not None, name
                seen = await there.seen("old")
                assert seen is not None
                assert [reply.body for reply in seen.replies] == ANSWERS["third"]["old"]
        await collector.close()


async def test_of_two_copies_of_an_office_one_works_and_the_other_waits_and_gets_all(folders: Folders) -> None:
    async with folders.running() as pair:
        await pair.report("old")
        await pair.collect()
    folders.copy("backup")
    async with folders.running() as pair:
        first = pair.wire.collector()
        with pair.office.database.use():
            await first.run()
        async with folders.running_office("backup") as twin:
            second = Wire(twin, httpx.ASGITransport(pair.portal.app, raise_app_exceptions=False)).collector()
            for number in range(4):
                await pair.threads["old"].send(f"message {number}")
            with twin.database.use():
                with pytest.raises(PortalRefused, match="office-elsewhere"):
                    await second.run()
                state = await CollectorStateRecord.get(id=STATE_ROW)
                assert (state.problem, state.step) == ("office-elsewhere", "charters")
                assert await FollowUpRecord.all().count() == 0
            with pair.office.database.use():
                await first.run()
                assert await FollowUpRecord.all().count() == 4
            await first.close()
            with twin.database.use():
                await second.run()
                assert await FollowUpRecord.all().count() == 4
                assert (await CollectorStateRecord.get(id=STATE_ROW)).problem is None
            await second.close()


async def test_an_office_that_was_killed_has_its_turn_again_and_a_copy_of_it_has_not(tmp_path: Path) -> None:
    lock = tmp_path / "collector.lock"
    with lock.open("a+") as opened:
        name = name_of_process(opened)
    with lock.open("a+") as opened:
        assert name_of_process(opened) == name
    shutil.copy(lock, tmp_path / "copy")
    with (tmp_path / "copy").open("a+") as opened:
        assert name_of_process(opened) != name
    for garbage in ("", "x", "x\n" * 200, lock.read_text()[:-9]):
        lock.write_text(garbage)
        with lock.open("a+") as opened:
            other = name_of_process(opened)
            assert other != name and name_of_process(opened) == other


async def test_what_neither_side_has_is_listed_to_members_with_what_to_do(folders: Folders) -> None:
    """The office comes back from before a report that the portal has deleted since, and from before a reply."""
    async with folders.running() as pair:
        await pair.report("old")
        await pair.collect()
    folders.copy("backup")
    async with folders.running() as pair:
        await pair.report("lost")
        await pair.letter("old", 1, "its text is lost")
        await pair.collect()
    async with folders.running() as pair:
        folders.clock.pass_days(commission().charter.grace_days + 1)
        pair.office.clock.now = folders.clock.now
        await pair.collect()
        await pair.portal.sweep()
    async with folders.running("now", "backup") as pair:
        await pair.collect(visits=2)
        with pair.office.database.use():
            rows = {(row.kind, row.item) for row in await BeyondHelpRecord.all()}
            [posting] = await PostingRecord.all()
            submissions = {row.id for row in await SubmissionRecord.all()}
        assert rows == {(REPORT, sent(pair.threads["lost"])), (TEXT, posting.message)}
        assert submissions == {sent(pair.threads["old"])}
        browser = await pair.office.browser_of("amina")
        assert "2 things were lost for good" in (await browser.get("/queue")).text
        page = (await browser.get("/queue/lost")).text
        for shown in (
            "Reports that this office has lost",
            sent(pair.threads["lost"])[:8],
            "R-0001",
            posting.message[:8],
        ):
            assert shown in page
    # A newer backup has it all: the list is empty again.
    async with folders.running("now", "now") as pair:
        await pair.collect()
        with pair.office.database.use():
            assert await BeyondHelpRecord.all().count() == 0


async def test_a_portal_that_invents_what_this_office_lost_is_not_believed(folders: Folders) -> None:
    async with folders.running() as pair:
        await pair.report("old")
        await pair.collect()
        with pair.portal.database.use():
            row = await PortalSubmission.all().first()
            assert row is not None
            for number in range(3):
                invented = PortalSubmission(**{name: getattr(row, name) for name in row._meta.fields_map})
                invented.sequence, invented.submission, invented.deleted = 100 + number, f"{number:032x}", True
                await invented.save(force_create=True)
        await pair.collect(visits=2)
        with pair.office.database.use():
            assert await BeyondHelpRecord.all().count() == 0


async def test_a_register_that_went_back_gets_its_findings_corrections_and_withdrawals_again(folders: Folders) -> None:
    world = commission()
    first, other = publish_finding(world), publish_finding(world, 2)
    correction = read_finding(sign_finding(world, correction_of(first)), world.charter)
    withdrawal = read_finding(sign_finding(world, withdrawal_of(other)), world.charter)
    async with folders.running() as pair:
        await publish(pair, first, other)
        await pair.collect(visits=2)
    folders.copy("before")
    async with folders.running() as pair:
        await publish(pair, correction, withdrawal)
        await pair.collect(visits=2)
    folders.clock.pass_days(100)
    async with folders.running("before", "now") as pair:
        client = pair.wire.client()
        with pair.office.database.use():
            # Its number is free there, and given to nobody.
            assert await next_id(client) is not None
            await pair.collect(visits=2)
            assert await PublicationRecord.filter(posted_on=None).count() == 0
            listed = [entry.hash for entry in (await client.findings(0)).entries]
        await client.close()
        assert listed == [first.hash, other.hash, correction.hash, withdrawal.hash]
    async with folders.running("now", "before") as pair:
        await pair.collect()
        with pair.office.database.use():
            lost = [(row.kind, row.item) for row in await BeyondHelpRecord.filter(kind=FINDING)]
        assert sorted(lost) == sorted([(FINDING, first.id), (FINDING, other.id)])


async def test_a_portal_from_before_a_charter_gets_it_again_and_no_letter_is_given_up(folders: Folders) -> None:
    async with folders.running() as pair:
        await pair.report("old")
        await pair.collect()
    folders.copy("before")
    successor = successor_charter(commission())
    async with folders.running() as pair:
        answer = await pair.portal.client.post("/api/v1/charters", content=successor.note)
        assert answer.status_code == 201
        with pair.office.database.use():
            await CharterRecord.create(hash=successor.hash, number=2, note=successor.note, published=True)
        await pair.collect()
    async with folders.running("before", "now") as pair:
        await pair.letter("old", 1, "under the second charter")
        await pair.collect()
        with pair.office.database.use():
            assert await ReplyRecord.exclude(posted_on=None).count() == 1
        assert pair.portal.assembly.charters.newest(successor.slug).number == 2


async def publish(pair: Pair, *findings: Finding) -> None:
    """What members have signed and decided waits to go out."""
    with pair.office.database.use():
        for finding in findings:
            number = await PublicationRecord.all().count() + 1
            about = {"hash": finding.hash, "finding": finding.id, "note": finding.note}
            await PublicationRecord.create(number=number, case="ca" * 16, **about)
