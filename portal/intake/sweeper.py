# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deletes expired data: parts that no submission named; collected submissions and confirmed follow-ups after their
grace; replies after the charter's days; the rest of what is in closed mailboxes.

A new submission cannot use an expired part (``Parts``), and parts that one is using are left to the next sweep
(``Uploads``).

What belongs to a commission goes by two days, the portal's and the one that its office signed last (``office_days``),
and nothing goes by a clock that can't be believed (``clock_watch``): docs/protocol.md §10.1.

What frees most goes first, and what can't be deleted keeps nothing else from it. No transaction grows with what is to
be deleted.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tortoise.expressions import Subquery

from portal.intake.parts import PART_DAYS
from portal.intake.uploads import Uploads
from portal.kit.columns import UnreadableError
from portal.storage.batches import MESSAGES_AT_ONCE, delete_rows, is_over
from portal.storage.blobs import BlobStore
from portal.storage.clock_watch import ClockWatch
from portal.storage.closing import close_rest, closings
from portal.storage.database import transaction
from portal.storage.office_days import add_missing, days_of_both
from portal.storage.records import FollowUpRecord, NonceRecord, ReplyRecord, SubmissionRecord
from portal.storage.submissions import accepted_weights, due_for_deletion, is_id
from portal.storage.unclaimed import expired as expired_unclaimed

BATCH = 100
NONCES_AT_ONCE = 1000


@dataclass(frozen=True)
class Sweeper:
    """Each of its steps can be interrupted anywhere and repeated."""

    blobs: BlobStore
    uploads: Uploads
    watch: ClockWatch

    async def sweep(self) -> None:
        """Delete everything that has expired.

        Raises the first error when all that can be deleted is: what is left is for the next sweep.
        """
        today = await self.watch.believed_day()
        sweep = _Sweep(self.blobs, self.uploads)
        if today is not None:
            await sweep.try_to(sweep.delete_expired_parts(today))
            await sweep.try_to(self.blobs.sweep(today))
            await sweep.try_to(self.watch.note(today))
            await sweep.try_to(add_missing(today))
            await sweep.try_to(sweep.delete_of_commissions(today))
            await sweep.try_to(_delete_nonces(today))
        await sweep.try_to(sweep.close_mailboxes())
        if sweep.error is not None:
            raise sweep.error


@dataclass
class _Sweep:
    """One sweep, and what went wrong in it first."""

    blobs: BlobStore
    uploads: Uploads
    error: Exception | None = None

    async def try_to(self, step: Awaitable[object]) -> None:
        try:
            await step
        except Exception as error:
            self.error = self.error or error

    async def delete_of_commissions(self, today: date) -> None:
        days = await days_of_both(today)
        for slug, day in days.items():
            await self.try_to(self.delete_collected(slug, day))
        for slug, day in days.items():
            confirmed = FollowUpRecord.filter(is_over(day), slug=slug)
            await self.try_to(delete_rows(confirmed, MESSAGES_AT_ONCE))
            own = Subquery(SubmissionRecord.filter(slug=slug).values("submission"))
            expired = ReplyRecord.filter(is_over(day), submission__in=own)
            await self.try_to(delete_rows(expired, MESSAGES_AT_ONCE))
        if days:
            # Nobody can tell whose these are.
            await self.try_to(delete_rows(expired_unclaimed(min(days.values())), MESSAGES_AT_ONCE))

    async def delete_collected(self, slug: str, day: date) -> None:
        done_to = 0
        while rows := await due_for_deletion(slug, day, done_to, BATCH):
            for row in rows:
                await self.try_to(self._delete(row))
            done_to = rows[-1].sequence

    async def close_mailboxes(self) -> None:
        done_to = ""
        while mailboxes := await closings(done_to):
            for mailbox in mailboxes:
                await self.try_to(close_rest(mailbox))
            done_to = mailboxes[-1]

    async def delete_expired_parts(self, today: date) -> None:
        oldest = today - timedelta(days=PART_DAYS)
        accepted = await accepted_weights()
        for submission, stored in (await self.blobs.stored()).items():
            if stored.oldest < oldest and stored.weight != accepted.get(submission, 0):
                await self.try_to(self.uploads.drop_expired(submission, oldest))
            await asyncio.sleep(0)

    async def _delete(self, row: SubmissionRecord) -> None:
        if not is_id(row.submission):
            raise UnreadableError
        # Blobs first: as long as the row lists them, the next sweep finds those that are left.
        await self.blobs.delete(row.submission, await self.blobs.parts(row.submission))
        await _empty(row)


async def _delete_nonces(today: date) -> None:
    midnight = datetime.combine(today, time(), UTC)
    await delete_rows(NonceRecord.filter(expires__lt=int(midnight.timestamp())), NONCES_AT_ONCE)


async def _empty(row: SubmissionRecord) -> None:
    """Empty the sealed columns. The rest is needed for a repeat and for the reporter's return."""
    emptied = {
        "manifest": b"",
        "parts": b"{}",
        "report": b"",
        "grant": b"",
        "urgency": b"",
        "row_bytes": 0,
        "attachment_bytes": 0,
    }
    async with transaction():
        await SubmissionRecord.filter(sequence=row.sequence).update(deleted=True, **emptied)
