# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unfinished uploads, and how they give way when their share is full.

- An upload is all parts of a submission that was not accepted. First goes the one for which most has come since it
  moved last, its own size added: what lies still gives way to what moves, and what is large to what is small.
- It moves once a 64th of its size has come for it: to keep a share costs about as much as all others send. Who is about
  to send, by a part or by a bundle that names it and comes, is judged as if it had moved, and no longer.
- None of this holds it, or one that trickles would hold the whole share. What does is short: putting a part in its
  place, and accepting a bundle that is there (``Claims``). So no part is ever taken from under a submission that is
  accepted.
- Which moved when is in memory alone, and is counted in bytes that have come, not in time: no time more exact than a
  day is stored.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from heapq import heapify, heappop, heappush, heapreplace

from crypto.ids import SubmissionId
from portal.storage.blobs import BlobStore, Part
from portal.storage.claims import Claims
from portal.storage.errors import StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.shares import Arrivals, Kind, Shares
from portal.storage.submissions import unnamed
from portal.storage.weights import PART_BYTES_MIN, stored

UPLOADS_MAX = 16_384
"""Unfinished uploads at once, however small."""
MOVE_PART = 64
"""An upload moves when this part of its size has come for it, and 64 KiB at least."""
ORDER_SPARE = 64
FAILED_MAX = 3


@dataclass
class _Upload:
    """``size``: bytes that it counts for; ``moved``: how many had come in all when it moved last; ``since``: how many
    have come for it since then; ``kept``: how many had come in all when a part was kept last."""

    size: int
    moved: int
    since: int = 0
    kept: int = 0

    @property
    def place(self) -> int:
        """The lowest goes first. It rises as the upload moves, and falls when its size turns out to be larger."""
        return self.moved - self.size

    def grow(self, size: int, came: int) -> None:
        """Another process has kept parts of it."""
        more, self.size = size - self.size, size
        self.come(more, came)

    def come(self, size: int, came: int) -> None:
        """``size`` bytes have come for it; ``came``: in all."""
        self.since += size
        if self.since >= max(PART_BYTES_MIN, self.size // MOVE_PART):
            self.moved, self.since = max(self.moved, came), 0


class Uploads:
    """The unfinished uploads that this process knows of."""

    def __init__(
        self, blobs: BlobStore, shares: Shares, claims: Claims, commits: GroupCommit, uploads_max: int = UPLOADS_MAX
    ) -> None:
        self.claims = claims
        self._blobs = blobs
        self._commits = commits
        self._shares = shares
        self._uploads_max = uploads_max
        self._uploads: dict[SubmissionId, _Upload] = {}
        # With the place that each had when a part was kept, or later: the first is looked at until it has not risen.
        self._order: list[tuple[int, SubmissionId]] = []
        self._named: Counter[SubmissionId] = Counter()
        self._begun = Arrivals()
        self._being_written = 0
        self._came = 0
        self._counted_at = 0
        # Of what goes during a count, which may have been seen.
        self._gone: set[SubmissionId] | None = None
        self._one_at_a_time = asyncio.Lock()

    def come(self, submission: SubmissionId, size: int) -> None:
        """``size`` bytes have come for this upload, whether they are kept or not."""
        self._came += size
        upload = self._uploads.get(submission)
        if upload is not None:
            upload.come(size, self._came)

    async def take(self, submission: SubmissionId, size: int) -> None:
        """Count ``size`` bytes of a part of this upload, which is being written.

        Raises StorageFullError when nothing can give way: when this upload itself, had it moved now, would be the first
        to go. Raises BusyError when too many writes wait.
        """
        while self._is_full(submission, size):
            # Once begun it is ended, also when this request is over: until then nobody may use what goes.
            if not await asyncio.shield(self._make_room(submission, size)):
                self._shares.has_refused = True
                raise StorageFullError
        self._shares.take(Kind.UPLOADS, size)
        self._being_written += size

    def give_back(self, size: int) -> None:
        """A part of ``size`` bytes is not kept."""
        self._being_written -= size
        self._shares.give_back(Kind.UPLOADS, size)

    def keep(self, submission: SubmissionId, size: int, came: int) -> None:
        """A part that was counted by ``take`` is stored; ``came``: what ``come`` was told of it."""
        self._being_written -= size
        # One more, so that a count that began before this one was kept is known to have done so.
        self.come(submission, size - came + 1)
        upload = self._uploads.get(submission)
        if upload is None:
            self._begun.add(1, self._shares.clock())
            upload = self._uploads[submission] = _Upload(0, self._came)
        upload.size += size
        upload.kept = self._came
        self._enter(submission)

    @contextmanager
    def named(self, submission: SubmissionId) -> Iterator[None]:
        """A bundle that names this upload comes within the block: meanwhile it is judged as if it moved on and on."""
        self._named[submission] += 1
        try:
            yield
        finally:
            self._named[submission] -= 1
            if not self._named[submission]:
                del self._named[submission]
                self._enter(submission)

    def accept(self, submission: SubmissionId, size: int) -> None:
        """``size`` bytes of this upload's parts are an accepted submission's from now on."""
        upload = self._uploads.get(submission)
        if upload is None:
            return
        size = min(size, upload.size)
        upload.size -= size
        self._shares.give_back(Kind.UPLOADS, size)
        self._note_gone(submission)
        if not upload.size:
            del self._uploads[submission]

    async def drop(self, submission: SubmissionId) -> None:
        """Delete this upload, unless somebody else uses it: its parts are not what its sender says."""
        async with self._one_at_a_time:
            with self.claims.alone(submission) as is_free:
                if is_free:
                    there = await self._blobs.parts(submission)
                    await self._remove(submission, there, await self._unnamed(submission, there))

    async def drop_expired(self, submission: SubmissionId, oldest: date) -> None:
        """Delete the parts of before this day, unless somebody uses the upload; the next count takes it over."""
        with self.claims.alone(submission) as is_free:
            if is_free:
                expired = [part for part in await self._blobs.parts(submission) if part.day < oldest]
                await self._blobs.delete(submission, await self._unnamed(submission, expired))

    def pressure(self) -> float:
        """How fast uploads push each other out by their number, from 0 to 1: however small, so many have no room."""
        return self._begun.pressure_by_turnover(self._shares.clock(), self._uploads_max)

    def begin_count(self) -> int:
        """Return how many bytes have come: what is counted from now on is as of then."""
        self._gone = set()
        return self._came

    def counted(self, held: Mapping[SubmissionId, int], as_of: int) -> int:
        """Take over what a count found; return what unfinished uploads fill in all.

        What was kept after ``as_of`` may have been seen or not: the greater of both counts; what has gone since then
        may have been seen, and is as it is known here. What another process has taken in came by the count before.
        """
        gone, self._gone = self._gone or set(), None
        for submission in [each for each in self._uploads if each not in held]:
            if self._uploads[submission].kept <= as_of:
                del self._uploads[submission]
        for submission, size in held.items():
            if submission in gone:
                continue
            upload = self._uploads.setdefault(submission, _Upload(0, self._counted_at))
            if size > upload.size:
                upload.grow(size, self._counted_at)
            elif upload.kept <= as_of:
                upload.size = size
        self._counted_at = as_of
        self._put_in_order()
        return self._being_written + sum(upload.size for upload in self._uploads.values())

    def _is_full(self, submission: SubmissionId, size: int) -> bool:
        too_many = submission not in self._uploads and len(self._uploads) >= self._uploads_max
        return too_many or not self._shares.has_room(Kind.UPLOADS, size)

    def _enter(self, submission: SubmissionId) -> None:
        """Note its place, which may be lower than the one that it was noted with."""
        if submission in self._uploads:
            heappush(self._order, (self._uploads[submission].place, submission))
        if len(self._order) > 2 * len(self._uploads) + ORDER_SPARE:
            self._put_in_order()

    def _note_gone(self, submission: SubmissionId) -> None:
        if self._gone is not None:
            self._gone.add(submission)

    def _put_in_order(self) -> None:
        """Anew, without those that are no more."""
        self._order = [(upload.place, submission) for submission, upload in self._uploads.items()]
        heapify(self._order)

    async def _make_room(self, submission: SubmissionId, size: int) -> bool:
        async with self._one_at_a_time:
            return not self._is_full(submission, size) or await self._give_way(submission)

    async def _give_way(self, asking: SubmissionId) -> bool:
        """Delete the first upload that nobody uses; False when there is none before the one that asks.

        Raises OSError when a few can't be deleted.
        """
        passed, failed = [], 0
        try:
            while (first := self._first(asking)) is not None and first != asking:
                passed.append(heappop(self._order))
                with self.claims.alone(first) as is_free:
                    try:
                        if is_free and await self._delete(first):
                            return True
                    except OSError:
                        # One that can't be deleted is not in the way of the others.
                        failed += 1
                        if failed == FAILED_MAX:
                            raise
        finally:
            for each in passed:
                heappush(self._order, each)
            self._enter(asking)
        return False

    def _first(self, asking: SubmissionId) -> SubmissionId | None:
        while self._order:
            noted, submission = self._order[0]
            upload = self._uploads.get(submission)
            if upload is None:
                heappop(self._order)
                continue
            is_moving = submission == asking or submission in self._named
            place = self._came - upload.size if is_moving else upload.place
            if place <= noted:
                return submission
            heapreplace(self._order, (place, submission))
        return None

    async def _delete(self, submission: SubmissionId) -> bool:
        """False for an upload that has grown: another process has taken parts of it in."""
        there = await self._blobs.parts(submission)
        parts = await self._unnamed(submission, there)
        upload, found = self._uploads[submission], stored(parts)
        if found is not None and found.weight > upload.size:
            upload.grow(found.weight, self._came)
            self._enter(submission)
            return False
        await self._remove(submission, there, parts)
        return True

    async def _unnamed(self, submission: SubmissionId, parts: Sequence[Part]) -> list[Part]:
        # In turn with all who write: rows that are on their way, also of a process that has died, are there or never.
        return await self._commits.apply(lambda: unnamed(submission, parts))

    async def _remove(self, submission: SubmissionId, there: Sequence[Part], parts: Sequence[Part]) -> None:
        await self._blobs.delete(submission, parts)
        upload = self._uploads.pop(submission, None)
        self._note_gone(submission)
        # Nothing for one that another process has deleted: there the room is counted as free.
        self._shares.give_back(Kind.UPLOADS, upload.size if upload is not None and there else 0)
