# SPDX-License-Identifier: AGPL-3.0-or-later
"""However much has to be deleted on one day: others write and read in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.models import Model

from crypto.ids import MessageId, SubmissionId
from portal.intake import sweeper
from portal.storage import closing
from portal.storage.records import FollowUpRecord, NonceRecord, ReplyRecord
from tests.chance import fresh_id
from tests.people import NOW
from tests.portal.mailbox.test_crowded_mailbox import send_more
from tests.portal.office_api.test_follow_ups import confirm
from tests.portal.threads import start_thread
from tests.portal.world import RunningPortal, commission, fresh_report

ROWS = 7
AT_ONCE = 3


@contextmanager
def counted(word: str) -> Iterator[list[int]]:
    """How many rows each statement changes meanwhile that begins with this word."""
    changed: list[int] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SqliteClient, "execute_query", noting(SqliteClient.execute_query, word, changed))
        yield changed


def noting(original: Any, word: str, changed: list[int]) -> Any:
    async def noted(self: object, query: str, values: list[Any] | None = None) -> Any:
        count, rows = await original(self, query, values)
        changed.extend([count] if query.startswith(word) and count else [])
        return count, rows

    return noted


def follow_up(delete_from: date | None, message: str = "") -> FollowUpRecord:
    own = {"submission": SubmissionId(fresh_id()), "message": MessageId(message or fresh_id())}
    return FollowUpRecord(slug=commission().slug, day=NOW.date(), delete_from=delete_from, sealed=b"sealed", **own)


def reply(submission: SubmissionId, number: int, delete_from: date) -> ReplyRecord:
    own = {"submission": submission, "message": MessageId(fresh_id())}
    return ReplyRecord(number=number, posting="", delete_from=delete_from, sealed=b"sealed", **own)


@pytest.mark.parametrize("kind", [FollowUpRecord, ReplyRecord, NonceRecord])
async def test_a_sweep_deletes_all_that_is_due_and_few_rows_in_one_transaction(
    kind: type[Model], portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MESSAGES_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(sweeper, "NONCES_AT_ONCE", AT_ONCE)
    report = fresh_report()
    await portal.submit(report.bundle())
    await portal.sign_day()
    own = report.manifest.submission
    today, tomorrow = NOW.date(), NOW.date() + timedelta(days=1)
    soon = int(NOW.timestamp()) + 86_400
    due: list[Model] = {
        FollowUpRecord: [*(follow_up(today) for _ in range(ROWS)), follow_up(tomorrow), follow_up(None)],
        ReplyRecord: [reply(own, number, today if number < ROWS else tomorrow) for number in range(ROWS + 2)],
        NonceRecord: [NonceRecord(nonce=f"{number}", expires=soon if number < 2 else 1) for number in range(ROWS + 2)],
    }[kind]
    with portal.database.use():
        await kind.all().delete()
        await kind.bulk_create(due)
        with counted("DELETE") as deleted:
            await portal.sweep_alone()
        assert (sum(deleted), max(deleted)) == (ROWS, AT_ONCE)
        assert await kind.all().count() == 2


async def test_a_receipt_confirms_a_message_in_any_number_of_mailboxes_and_few_in_one_transaction(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.office_api.follow_ups.PAGE", AT_ONCE)
    message = fresh_id()
    with portal.database.use():
        await FollowUpRecord.bulk_create([follow_up(None, message) for _ in range(ROWS)])
        await FollowUpRecord.bulk_create([follow_up(None)])
        with counted("UPDATE") as updated:
            await confirm(portal, [MessageId(message)])
        assert (sum(updated), max(updated)) == (ROWS, AT_ONCE)
        assert await FollowUpRecord.filter(delete_from=None).count() == 1


async def test_a_sweep_that_closes_a_mailbox_deletes_few_of_its_replies_in_one_transaction(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those to all but the first report that was sent to it, each of which may have as many as a mailbox holds."""
    monkeypatch.setattr(closing, "MESSAGES_AT_ONCE", AT_ONCE)
    thread = await start_thread(portal)
    (other,) = await send_more(thread, 1)
    tomorrow = NOW.date() + timedelta(days=1)
    submission = other.sealed.manifest.submission
    with portal.database.use():
        for number in range(1, ROWS + 1):
            row = reply(SubmissionId(fresh_id()), number, tomorrow)
            row.submission = submission
            await row.save()
        await thread.command(close=True)
        with counted("DELETE") as deleted:
            await portal.sweep()
        assert max(deleted) == AT_ONCE
        assert await ReplyRecord.all().count() == 0
