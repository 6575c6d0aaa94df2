# SPDX-License-Identifier: AGPL-3.0-or-later
"""Any number of reports may go to one mailbox: whoever knows a code can send them. What a visit costs is not up to
them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tortoise.backends.sqlite.client import SqliteTransactionWrapper

from portal.storage.records import MailboxRecord, ReplyRecord
from tests.portal.threads import Thread, start_thread
from tests.portal.world import RunningPortal, another, error_code

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


async def test_closing_takes_as_many_statements_whatever_was_sent_to_it(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, crowded = await start_thread(portal), await start_thread(portal)
    await send_more(crowded, REPORTS)
    counts = [len(await statements_of_closing(each, monkeypatch)) for each in (thread, crowded)]
    assert counts[0] == counts[1] > 0


async def test_closing_ends_every_submission_to_the_mailbox_and_no_other(portal_on: RunningPortal) -> None:
    thread, other = await start_thread(portal_on), await start_thread(portal_on)
    threads = [thread, *await send_more(thread, 2)]
    for each in (*threads, other):
        await each.post_next(1)
    await thread.command(close=True)
    again = await thread.post(2, thread.reply("second"))
    assert error_code(again) == (404, "mailbox-closed")
    with portal_on.database.use():
        rows = await MailboxRecord.filter(mailbox=thread.secrets.mailbox_id)
        assert [(row.closed, bytes(row.state)) for row in rows] == [(True, b"")] * 3
        assert await ReplyRecord.all().values_list("submission", flat=True) == [other.sealed.manifest.submission]
    assert len((await other.read()).messages) == 1


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
