# SPDX-License-Identifier: AGPL-3.0-or-later
"""Any number of reports may go to one mailbox: whoever knows a code can send them. What a visit or closing costs is not
up to them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.sqlite.client import SqliteTransactionWrapper

from portal.storage import closing
from portal.storage.records import ClosingRecord, MailboxRecord, ReplyRecord, ThreadRecord
from tests.portal.threads import Thread, post_notes, shown_state, start_thread
from tests.portal.world import RunningPortal, another, error_code, running_portal

REPORTS = 12


async def send_more(thread: Thread, count: int) -> list[Thread]:
    """Further reports to the thread's mailbox."""
    reports = [another(thread.sealed) for _ in range(count)]
    answers = await asyncio.gather(*(thread.portal.submit(sealed.bundle()) for sealed in reports))
    assert {answer.status_code for answer in answers} == {201}
    return [Thread(thread.portal, thread.secrets, sealed) for sealed in reports]


@contextmanager
def counted_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MailboxRecord]]:
    """The rows of mailboxes that are read meanwhile."""
    read: list[MailboxRecord] = []
    original = MailboxRecord._init_from_db.__func__  # type: ignore[attr-defined]

    def noted(cls: type[MailboxRecord], **values: Any) -> MailboxRecord:
        row: MailboxRecord = original(cls, **values)
        read.append(row)
        return row

    with monkeypatch.context() as patched:
        patched.setattr(MailboxRecord, "_init_from_db", classmethod(noted))
        yield read


async def test_a_visit_reads_one_row_of_a_mailbox_whatever_was_sent_to_it(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await start_thread(portal)
    await send_more(thread, REPORTS)
    with counted_rows(monkeypatch) as read:
        shown = await thread.read()
    assert len(read) == 1
    assert shown.state == thread.sealed.files["state.age"]


async def test_a_visit_to_a_closed_mailbox_reads_one_row_too(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await start_thread(portal)
    await send_more(thread, REPORTS)
    await thread.command(close=True)
    await portal.sweep()
    with counted_rows(monkeypatch) as read:
        await shown_state(portal, thread.secrets)
    assert len(read) == 1


async def test_closing_writes_one_row_of_a_mailbox_and_sweeps_close_the_rest(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await send_more(thread, REPORTS)
    await thread.command(close=True)
    assert await closed_rows(portal_on, thread) == 1
    await portal_on.sweep()
    assert await closed_rows(portal_on, thread) == 1 + REPORTS


async def test_closing_takes_as_many_statements_whatever_was_sent_to_it(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, crowded = await start_thread(portal), await start_thread(portal)
    await send_more(few, 1)
    await send_more(crowded, REPORTS)
    counts = [len(await statements_of_closing(each, monkeypatch)) for each in (few, crowded)]
    assert counts[0] == counts[1] > 0


async def test_each_transaction_of_a_sweep_closes_few_of_those_that_were_sent_to_a_mailbox(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "BATCH", 5)
    thread = await start_thread(portal)
    await send_more(thread, REPORTS)
    await thread.command(close=True)
    counts = []
    close_more = closing.close_more

    async def counted(mailbox: str, after: int) -> int | None:
        done_to = await close_more(mailbox, after)
        counts.append(await MailboxRecord.filter(closed=True).count())
        return done_to

    monkeypatch.setattr(closing, "close_more", counted)
    await portal.sweep()
    # The sweep of the start may be doing the same.
    assert sorted(set(counts)) == [5, 10, 13]


async def test_closing_that_a_restart_interrupts_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "BATCH", 5)
    async with running_portal(tmp_path) as portal:
        thread = await start_thread(portal)
        await send_more(thread, REPORTS)
        await thread.command(close=True)
        with portal.database.use():
            await closing.close_more(thread.secrets.mailbox_id, 0)
    async with running_portal(tmp_path) as portal:
        assert await shown_state(portal, thread.secrets) != thread.sealed.files["state.age"]
        await portal.sweep()
        assert await closed_rows(portal, thread) == 1 + REPORTS
        with portal.database.use():
            assert await ClosingRecord.all().count() == 0


async def test_a_mailbox_that_can_not_be_closed_keeps_no_other_one(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [await start_thread(portal) for _ in range(3)]
    for thread in threads:
        await send_more(thread, 1)
        await thread.command(close=True)
    broken = min(thread.secrets.mailbox_id for thread in threads)
    close_more = closing.close_more

    async def failing(mailbox: str, after: int) -> int | None:
        if mailbox == broken:
            raise OSError("a damaged page")
        return await close_more(mailbox, after)

    monkeypatch.setattr(closing, "close_more", failing)
    with pytest.raises(OSError, match="damaged"):
        await portal.sweep()
    assert sorted([await closed_rows(portal, thread) for thread in threads]) == [1, 2, 2]


async def test_a_report_to_a_closed_mailbox_is_taken_and_opens_it_for_nobody(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await thread.command(close=True)
    [late] = await send_more(thread, 1)
    shown = await thread.read()
    assert (shown.acknowledgement, shown.state != late.sealed.files["state.age"]) == (None, True)
    assert error_code(await late.post(1, late.reply())) == (404, "mailbox-closed")
    refused = await post_notes(portal_on, (late, 1, late.note(1)))
    assert refused == [late.sealed.manifest.submission]
    fetched = await portal_on.office("GET", f"{late.path}/files/report.age")
    assert fetched.content == late.sealed.files["report.age"]


async def test_closing_ends_every_submission_to_the_mailbox_and_no_other(portal_on: RunningPortal) -> None:
    thread, other = await start_thread(portal_on), await start_thread(portal_on)
    threads = [thread, *await send_more(thread, 2)]
    for each in (*threads, other):
        await each.post_next(1)
    await thread.command(close=True)
    assert (await thread.read()).acknowledgement is None
    for each in threads:
        again = await each.post(2, each.reply("second"))
        assert error_code(again) == (404, "mailbox-closed")
    refused = await post_notes(portal_on, *((each, 2, each.note(2)) for each in (*threads, other)))
    assert refused == [each.sealed.manifest.submission for each in threads]
    await portal_on.sweep()
    with portal_on.database.use():
        rows = await MailboxRecord.filter(mailbox=thread.secrets.mailbox_id)
        assert [(row.closed, bytes(row.state)) for row in rows] == [(True, b"")] * 3
        assert await ReplyRecord.all().values_list("submission", flat=True) == [other.sealed.manifest.submission]
        notes = {note.submission for note in await ThreadRecord.all() if note.note}
        assert notes == {other.sealed.manifest.submission}
    assert len((await other.read()).messages) == 1


async def closed_rows(portal: RunningPortal, thread: Thread) -> int:
    """Those of the thread's mailbox that are closed and hold no state."""
    with portal.database.use():
        rows = await MailboxRecord.filter(mailbox=thread.secrets.mailbox_id, closed=True)
    assert {(bytes(row.state), row.state_sha256) for row in rows} <= {(b"", "")}
    return len(rows)


async def statements_of_closing(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database is told in transactions while a mailbox is closed."""
    told: list[str] = []
    original = SqliteTransactionWrapper.execute_query

    async def noted(self: SqliteTransactionWrapper, query: str, values: list[Any] | None = None) -> Any:
        told.append(query)
        return await original(self, query, values)

    with monkeypatch.context() as patched:
        patched.setattr(SqliteTransactionWrapper, "execute_query", noted)
        await thread.command(close=True)
    return told
