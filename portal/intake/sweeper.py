# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deletes expired data: parts that no submission named; collected submissions and confirmed follow-ups after their
grace; replies after the charter's days.

A new submission cannot use an expired part (``Parts``), and the name of a part is never reused (``blobs``). So no part
that is deleted here can belong to a submission that is being accepted meanwhile.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal.intake.parts import PART_DAYS
from portal.storage.blobs import BlobStore
from portal.storage.database import transaction
from portal.storage.records import FollowUpRecord, NonceRecord, ReplyRecord, SubmissionRecord
from portal.storage.submissions import due_for_deletion, is_accepted

BATCH = 100


@dataclass(frozen=True)
class Sweeper:
    """Each of its steps can be interrupted anywhere and repeated."""

    blobs: BlobStore

    async def sweep(self, today: date) -> None:
        """Delete everything that has expired on this day."""
        await self._delete_collected(today)
        await self._delete_expired_parts(today)
        await self.blobs.sweep(today)
        for messages in (ReplyRecord, FollowUpRecord):
            await messages.filter(delete_from__lte=today).delete()
        midnight = datetime.combine(today, time(), UTC)
        await NonceRecord.filter(expires__lt=int(midnight.timestamp())).delete()

    async def _delete_collected(self, today: date) -> None:
        while rows := await due_for_deletion(today, BATCH):
            for row in rows:
                # Blobs first: as long as the row lists them, the next sweep finds those that are left.
                await self.blobs.delete(row.submission, await self.blobs.parts(row.submission))
                await _empty(row)

    async def _delete_expired_parts(self, today: date) -> None:
        oldest = today - timedelta(days=PART_DAYS)
        for submission in await self.blobs.submissions():
            expired = [part for part in await self.blobs.parts(submission) if part.day < oldest]
            if expired and not await is_accepted(submission):
                await self.blobs.delete(submission, expired)
            await asyncio.sleep(0)


async def _empty(row: SubmissionRecord) -> None:
    """Empty the sealed columns. The rest is needed for a repeat and for the reporter's return."""
    async with transaction():
        await SubmissionRecord.filter(sequence=row.sequence).update(
            deleted=True, manifest=b"", parts=b"{}", report=b"", grant=b""
        )
