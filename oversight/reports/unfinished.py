# SPDX-License-Identifier: AGPL-3.0-or-later
"""Attachments that came of a submission which could not be taken whole: kept for its next try, within a bound.

Whoever holds the portal can have any number of submissions fail at their last file: they take no number and count for
no day, and their other files would fill the disk for good. So the oldest give way when all of them are too much, and
when the disk has no room for what comes. A restart forgets which they are, and takes none of them away: an office that
was started with an older database by mistake must not clear what the newer one knows.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crypto.ids import SubmissionId
from oversight.reports.blobs import Blobs
from oversight.reports.records import SubmissionRecord

UNFINISHED_BYTES_MAX = 8 * 1024**3
COUNTED_BYTES_MIN = 1024 * 1024
"""Of each, however small, so that there are not too many of them."""


@dataclass
class UnfinishedArrivals:
    """What this process left of submissions that failed: their ids and bytes, the oldest first."""

    blobs: Blobs
    _bytes: dict[SubmissionId, int] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def attempt(self, submission: SubmissionId) -> AsyncIterator[None]:
        """One try to take it: meanwhile nothing of it gives way; when it fails, it is the newest of those that may."""
        async with self._one_at_a_time:
            self._bytes.pop(submission, None)
        try:
            yield
        except Exception:
            left = await asyncio.to_thread(self.blobs.bytes_of, submission)
            if left:
                self._bytes[submission] = max(left, COUNTED_BYTES_MIN)
            async with self._one_at_a_time:
                while sum(self._bytes.values()) > UNFINISHED_BYTES_MAX:
                    await self._drop_oldest()
            raise

    async def give_way(self) -> bool:
        """Delete what is there of the oldest; False when there is none."""
        async with self._one_at_a_time:
            if self._bytes:
                await self._drop_oldest()
                return True
            return False

    async def _drop_oldest(self) -> None:
        oldest = next(iter(self._bytes))
        # An answer of the database may have been lost: then it is stored all the same.
        if not await SubmissionRecord.filter(id=oldest).exists():
            await asyncio.to_thread(self.blobs.forget, oldest)
        del self._bytes[oldest]
