# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is said and done when one value that something depends on is damaged."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from portal.storage.records import FollowUpRecord, MailboxRecord, ReplyRecord, SubmissionRecord
from portal.storage.shares import Kind
from tests.damaged_values import Value, damage
from tests.portal.intake.test_sweeper import GRACE_DAYS, collect, kept_files
from tests.portal.threads import Thread, blind_change, blind_follow_up, receipt, shown_state, start_thread, waiting
from tests.portal.world import (
    DATABASE,
    RunningPortal,
    error_code,
    fresh_report,
)

DAMAGED = (409, "damaged")


@contextmanager
def damaged(portal: RunningPortal, column: str, submission: str, garbage: str) -> Iterator[None]:
    """Garbage in a column of the row of a submission."""
    file = portal.data / DATABASE
    table, _, name = column.partition(".")
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(f"SELECT rowid FROM [{table}] WHERE submission = ?", (submission,)).fetchone()
    with damage(file, Value(table, name, found[0], garbage)):
        yield


@pytest.fixture
async def thread(portal: RunningPortal) -> Thread:
    return await start_thread(portal)


@pytest.mark.parametrize(
    ("column", "garbage"),
    [
        ("mailbox.control", "'x'"),
        ("mailbox.control", "printf('%064d', 0)"),
        ("mailbox.submission", "'x'"),
        ("submission.slug", "'x'"),
        ("submission.slug", "''"),
        ("submission.charter", "printf('%064d', 1)"),
    ],
)
async def test_no_message_is_taken_that_nobody_would_be_handed(
    portal: RunningPortal, thread: Thread, column: str, garbage: str
) -> None:
    shown = await shown_state(portal, thread.secrets)
    change = blind_change(thread.secrets, shown, blind_follow_up())
    before = portal.assembly.shares.used(Kind.FOLLOW_UPS)
    with damaged(portal, column, thread.sealed.manifest.submission, garbage):
        assert error_code(await portal.change(change)) == DAMAGED
        with portal.database.use():
            assert await FollowUpRecord.all().count() == 0
    assert portal.assembly.shares.used(Kind.FOLLOW_UPS) == before
    assert (await portal.change(change)).status_code == 202
    assert len(await waiting(portal)) == 1


async def test_a_state_is_replaced_by_its_own_hash_when_the_one_beside_it_is_damaged(
    portal: RunningPortal, thread: Thread
) -> None:
    shown = await shown_state(portal, thread.secrets)
    with damaged(portal, "mailbox.state_sha256", thread.sealed.manifest.submission, "'x'"):
        other = blind_change(thread.secrets, b"another state", blind_follow_up())
        assert error_code(await portal.change(other)) == (409, "state-conflict")
        change = blind_change(thread.secrets, shown, blind_follow_up())
        assert (await portal.change(change)).status_code == 202
        assert await shown_state(portal, thread.secrets) == change.state


@pytest.mark.parametrize("garbage", ["X''", "''", "X'ff'", "7"])
async def test_a_state_that_is_damaged_is_replaced_by_whoever_says_which_it_is(
    portal: RunningPortal, thread: Thread, garbage: str
) -> None:
    submission = thread.sealed.manifest.submission
    with damaged(portal, "mailbox.state", submission, garbage):
        shown = await shown_state(portal, thread.secrets)
        change = blind_change(thread.secrets, shown, blind_follow_up())
        assert (await portal.change(change)).status_code == 202
        assert await shown_state(portal, thread.secrets) == change.state


async def test_a_closed_mailbox_has_no_state_to_be_replaced(portal: RunningPortal, thread: Thread) -> None:
    """Nor has one that is closed while a change of it is on its way."""
    closing = blind_change(thread.secrets, await shown_state(portal, thread.secrets), close=True)
    late = blind_change(thread.secrets, b"", blind_follow_up())
    closed, refused = await asyncio.gather(portal.change(closing), portal.change(late))
    assert closed.status_code == 202
    assert error_code(refused) == (409, "state-conflict")
    with portal.database.use():
        assert bytes((await MailboxRecord.get(submission=thread.sealed.manifest.submission)).state) == b""


@pytest.mark.parametrize("garbage", ["'garbage'", "2", "X'ff'"])
async def test_whether_a_mailbox_is_closed_is_known_from_its_state_when_nothing_else_says_it(
    portal: RunningPortal, thread: Thread, garbage: str
) -> None:
    submission = thread.sealed.manifest.submission
    with damaged(portal, "mailbox.closed", submission, garbage):
        assert (await thread.post(1, thread.reply())).status_code == 201
        await thread.command(close=True)
        stranger = await shown_state(portal, thread.secrets)
        with portal.database.use():
            assert await ReplyRecord.all().count() == 0
            assert bytes((await MailboxRecord.get(submission=submission)).state) == b""
    await thread.command(close=True)
    with damaged(portal, "mailbox.closed", submission, garbage):
        assert await shown_state(portal, thread.secrets) == stranger
        assert error_code(await thread.post(2, thread.reply("More."), last=0)) == (404, "mailbox-closed")


@pytest.mark.parametrize("garbage", ["'garbage'", "2"])
async def test_a_report_of_which_nobody_knows_whether_it_was_deleted_is_handed_over(
    portal: RunningPortal, thread: Thread, garbage: str
) -> None:
    submission = thread.sealed.manifest.submission
    with damaged(portal, "submission.deleted", submission, garbage):
        listed = (await portal.office("GET", "/submissions?after=0")).json()["submissions"]
        assert [entry["submission"] for entry in listed] == [submission]
        file = await portal.office("GET", f"{thread.path}/files/report.age")
        assert file.content == thread.sealed.files["report.age"]


@pytest.mark.parametrize("garbage", ["''", "'!'", "0", "'0001-01-01'"])
async def test_nothing_is_deleted_by_a_day_that_can_not_be(portal: RunningPortal, garbage: str) -> None:
    """Though all of these come before today for a database that compares them."""
    sealed = fresh_report(10)
    assert (await portal.submit(sealed.bundle())).status_code == 201
    await collect(portal, sealed)
    thread = await start_thread(portal)
    await thread.send()
    await thread.post_next()
    await portal.office("POST", "/follow-ups/collection", receipt(await waiting(portal), portal.world.office_key))
    before = kept_files(portal)
    for table, submission in (
        ("submission", sealed.manifest.submission),
        ("follow_up", thread.sealed.manifest.submission),
        ("reply", thread.sealed.manifest.submission),
    ):
        with damaged(portal, f"{table}.delete_from", submission, garbage):
            await portal.sweep()
            with portal.database.use():
                assert await FollowUpRecord.filter(slug=portal.world.slug).count() == 1
                assert await ReplyRecord.all().count() == 1
                assert await SubmissionRecord.filter(deleted=True).count() == 0
            assert kept_files(portal) == before
    portal.clock.pass_days(max(GRACE_DAYS, 400))
    await portal.sweep()
    assert kept_files(portal) != before


@pytest.mark.parametrize("garbage", ["'../../..'", "CAST(X'00' AS TEXT)", "printf('%09999d', 7)", "''"])
async def test_no_file_is_looked_for_under_an_id_that_is_none_and_other_reports_go(
    portal: RunningPortal, garbage: str
) -> None:
    one, other = fresh_report(10), fresh_report(10)
    for sealed in (one, other):
        assert (await portal.submit(sealed.bundle())).status_code == 201
        await collect(portal, sealed)
    portal.clock.pass_days(GRACE_DAYS)
    with damaged(portal, "submission.submission", one.manifest.submission, garbage):
        with pytest.raises(Exception, match="can't be read"):
            await portal.sweep()
        with portal.database.use():
            assert await SubmissionRecord.filter(submission=other.manifest.submission, deleted=True).exists()
    assert portal.data.is_dir()


@pytest.mark.parametrize("garbage", ["9223372036854775807", "-9223372036854775807", "1.5", "1e300", "X'ff'", "'x'"])
@pytest.mark.parametrize("column", ["row_bytes", "attachment_bytes"])
async def test_a_damaged_weight_counts_as_none_and_all_others_as_they_are(
    portal: RunningPortal, column: str, garbage: str
) -> None:
    kind = Kind.REPORTS if column == "row_bytes" else Kind.ATTACHMENTS
    kept = fresh_report(10)
    assert (await portal.submit(kept.bundle())).status_code == 201
    await portal.sweep()
    held = portal.assembly.shares.used(kind)
    assert held > 0
    other = fresh_report(10)
    assert (await portal.submit(other.bundle())).status_code == 201
    with damaged(portal, f"submission.{column}", other.manifest.submission, garbage):
        await portal.sweep()
        assert portal.assembly.shares.used(kind) - held in (0, 1)
        assert (await portal.submit(fresh_report(10).bundle())).status_code == 201


@pytest.mark.parametrize("garbage", ["'x'", "9223372036854775807", "-1", "0"])
async def test_no_number_of_a_reply_is_given_twice_when_the_last_one_is_damaged(
    portal: RunningPortal, thread: Thread, garbage: str
) -> None:
    await thread.post_next(2)
    with damaged(portal, "thread.last_reply", thread.sealed.manifest.submission, garbage):
        assert (await portal.office("GET", f"{thread.path}/thread")).json()["last"] == 2
        assert error_code(await thread.post(1, thread.reply("Again."), thread=3, last=0)) == (409, "reply-number")
        assert (await thread.post(3, thread.reply("The third."))).status_code == 201


@pytest.mark.parametrize("garbage", ["'x'", "9223372036854775807"])
async def test_a_reporter_deletes_replies_though_what_says_how_many_were_deleted_is_damaged(
    portal: RunningPortal, thread: Thread, garbage: str
) -> None:
    await thread.post_next(2)
    with damaged(portal, "thread.deleted_to", thread.sealed.manifest.submission, garbage):
        await thread.command(delete=1)
        assert len((await thread.read()).messages) == 1
        assert (await portal.submit(fresh_report().bundle())).status_code == 201
