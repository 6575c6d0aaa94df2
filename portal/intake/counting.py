# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts what strangers fill, and what the disks have: at the start, and after every sweep."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crypto.ids import SubmissionId
from portal.intake.uploads import Uploads
from portal.kit.columns import sum_below
from portal.kit.free_space import free_bytes
from portal.kit.postgresql import unhurried
from portal.storage.blobs import BlobStore
from portal.storage.database import freed_bytes
from portal.storage.records import FollowUpRecord, MailboxRecord, SubmissionRecord, UnclaimedRecord
from portal.storage.shares import IN_BLOBS, LONG, SMALL_ROW_BYTES, Kind, Portion, Shares
from portal.storage.submissions import accepted_weights, reply_weights
from portal.storage.weights import FOLLOW_UP_BYTES, MAILBOX_BYTES, ROW_BYTES, WEIGHT_MAX

ROWS_FREE_PART = 4
"""Rows are taken as long as this part of the bytes that attachments leave free is there: a fourth of them."""

_weight = partial(sum_below, limit=WEIGHT_MAX)


@dataclass(frozen=True)
class Counter:
    """``folder`` lies on the disk of the rows. ``store_bytes``: what strangers may fill in all; 0 for what the disks
    have. ``free_bytes_min``: what stays free."""

    blobs: BlobStore
    shares: Shares
    uploads: Uploads
    folder: Path
    store_bytes: int
    free_bytes_min: int

    async def count(self) -> None:
        """Tell the shares what is held now. Attachments are known by their rows, uploads by all other parts."""
        as_of = self.uploads.order.begin_count()
        self.shares.begin_count()
        # As long as it takes: without a count nothing is taken in.
        with unhurried():
            held, portions = await _held_in_rows(), await _held_by_portions()
            held[Kind.REPLIES] = sum(size for (kind, _), size in portions.items() if kind is Kind.REPLIES)
            unfinished = await self._unfinished()
        rows = sum(size for kind, size in held.items() if kind not in IN_BLOBS)
        blobs = held[Kind.ATTACHMENTS] + sum(unfinished.values())
        rooms = await self._rooms(rows, blobs)
        held[Kind.UPLOADS] = self.uploads.end_count(unfinished, as_of)
        self.shares.end_count(held, portions, *rooms)

    def is_low(self) -> bool:
        """Whether the disk of the rows is nearly full, whoever filled it."""
        return free_bytes(self.folder) < self._rows_free_min

    @property
    def _rows_free_min(self) -> int:
        return self.free_bytes_min // ROWS_FREE_PART

    async def _unfinished(self) -> dict[SubmissionId, int]:
        """What the parts weigh that no accepted submission names."""
        stored = await self.blobs.stored()
        accepted = await accepted_weights()
        left = {submission: each.weight - accepted.get(submission, 0) for submission, each in stored.items()}
        return {submission: weight for submission, weight in left.items() if weight > 0}

    async def _rooms(self, rows: int, blobs: int) -> tuple[int, int]:
        """How many bytes of parts and of rows there can be in all: what is held, and what is free on that disk.

        A store that does not say is taken to have as much left as the disk of the rows.
        """
        if self.store_bytes:
            return self.store_bytes, self.store_bytes
        room = await self.blobs.room()
        rows_free = max(0, free_bytes(self.folder) - self._rows_free_min)
        # What was deleted is room for rows, whose share it was, though the disk does not get it back.
        rows += await freed_bytes()
        blobs_free = max(0, room.free_bytes - self.free_bytes_min) if room else rows_free
        if room and room.device == self.folder.stat().st_dev:
            return blobs_free + blobs + rows, rows_free + blobs + rows
        return blobs_free + blobs, rows_free + rows


async def _held_in_rows() -> dict[Kind, int]:
    sums = SubmissionRecord.annotate(rows=_weight("row_bytes"), files=_weight("attachment_bytes"))
    [summed] = await sums.values("rows", "files")
    return {
        Kind.REPORTS: int(summed["rows"] or 0),
        Kind.ATTACHMENTS: int(summed["files"] or 0),
        Kind.FOLLOW_UPS: await _held_in_follow_ups(),
        Kind.MAILBOXES: await _held_in_mailboxes(),
    }


async def _held_in_follow_ups() -> int:
    """An unclaimed one has a state beside it."""
    unclaimed = await UnclaimedRecord.all().count()
    return await FollowUpRecord.all().count() * FOLLOW_UP_BYTES + unclaimed * (FOLLOW_UP_BYTES + MAILBOX_BYTES)


async def _held_by_portions() -> dict[Portion, int]:
    """What long reports fill, and the replies of each commission."""
    [long] = (
        await SubmissionRecord.filter(row_bytes__gt=SMALL_ROW_BYTES).annotate(all=_weight("row_bytes")).values("all")
    )
    replies = {(Kind.REPLIES, slug): weight for slug, weight in (await reply_weights()).items()}
    return {(Kind.REPORTS, LONG): int(long["all"] or 0), **replies}


async def _held_in_mailboxes() -> int:
    closed = await MailboxRecord.filter(closed=True).count()
    return (await MailboxRecord.all().count() - closed) * MAILBOX_BYTES + closed * ROW_BYTES
