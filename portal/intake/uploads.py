# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unfinished uploads, and how they give way when their share is full.

An upload is all parts of a submission that was not accepted. Which goes first is ``UploadOrder``'s to say. No part that
comes holds its upload, and no bundle, or one that trickles would hold the whole share. What does is short: putting a
part in its place, and accepting a bundle that is there (``Claims``). So no part is ever taken from under a submission
that is accepted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date

from crypto.ids import SubmissionId
from portal.intake.upload_order import UploadOrder
from portal.storage.blobs import BlobStore, Part
from portal.storage.claims import Claims
from portal.storage.errors import StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.shares import Arrivals, Kind, Shares
from portal.storage.submissions import unnamed
from portal.storage.weights import stored

UPLOADS_MAX = 16_384
"""Unfinished uploads at once, however small."""
FAILED_MAX = 3
"""So many that can't be deleted, and it is the disk."""


class Uploads:
    """The unfinished uploads that this process knows of."""

    def __init__(
        self, blobs: BlobStore, shares: Shares, claims: Claims, commits: GroupCommit, uploads_max: int = UPLOADS_MAX
    ) -> None:
        self.claims = claims
        self.order = UploadOrder()
        self._blobs = blobs
        self._commits = commits
        self._shares = shares
        self._uploads_max = uploads_max
        self._begun = Arrivals()
        self._being_written = 0
        self._one_at_a_time = asyncio.Lock()

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
        """A part that was counted by ``take`` is stored; ``came``: what the order was told of it."""
        self._being_written -= size
        if submission not in self.order:
            self._begun.add(1, self._shares.clock())
        self.order.keep(submission, size, came)

    def accept(self, submission: SubmissionId, size: int) -> None:
        """``size`` bytes of this upload's parts are an accepted submission's from now on."""
        self._shares.give_back(Kind.UPLOADS, self.order.take_off(submission, size))

    async def drop(self, submission: SubmissionId) -> bool:
        """Delete this upload, its sender begins anew or says something else of it; False while somebody uses it."""
        async with self._one_at_a_time:
            with self.claims.alone(submission) as is_free:
                if is_free:
                    there = await self._blobs.parts(submission)
                    await self._remove(submission, there, await self._unnamed(submission, there))
                return is_free

    async def drop_expired(self, submission: SubmissionId, oldest: date) -> None:
        """Delete the parts of before this day, unless somebody uses the upload; the next count takes it over."""
        with self.claims.alone(submission) as is_free:
            if is_free:
                expired = [part for part in await self._blobs.parts(submission) if part.day < oldest]
                await self._blobs.delete(submission, await self._unnamed(submission, expired))

    def pressure(self) -> float:
        """How fast uploads push each other out by their number, from 0 to 1: however small, so many have no room."""
        return self._begun.pressure_by_turnover(self._shares.clock(), self._uploads_max)

    def end_count(self, held: Mapping[SubmissionId, int], as_of: int) -> int:
        """As ``UploadOrder.end_count``; return what unfinished uploads fill in all."""
        self.order.end_count(held, as_of)
        return self._being_written + self.order.total()

    def _is_full(self, submission: SubmissionId, size: int) -> bool:
        too_many = submission not in self.order and len(self.order) >= self._uploads_max
        return too_many or not self._shares.has_room(Kind.UPLOADS, size)

    async def _make_room(self, submission: SubmissionId, size: int) -> bool:
        async with self._one_at_a_time:
            return not self._is_full(submission, size) or await self._give_way(submission)

    async def _give_way(self, asking: SubmissionId) -> bool:
        """Delete the first upload that nobody uses; False when there is none before the one that asks.

        Raises OSError when a few can't be deleted.
        """
        passed, failed = [], 0
        try:
            while (first := self.order.first(asking)) is not None and first != asking:
                passed.append(self.order.pass_over())
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
            self.order.note_again(passed)
            self.order.note(asking)
        return False

    async def _delete(self, submission: SubmissionId) -> bool:
        """False for an upload that has grown: another process has taken parts of it in."""
        there = await self._blobs.parts(submission)
        parts = await self._unnamed(submission, there)
        found = stored(parts)
        if found is not None and submission in self.order and found.weight > self.order.size(submission):
            self.order.grow(submission, found.weight)
            return False
        await self._remove(submission, there, parts)
        return True

    async def _unnamed(self, submission: SubmissionId, parts: Sequence[Part]) -> list[Part]:
        # In turn with all who write: rows that are on their way, also of a process that has died, are there or never.
        return await self._commits.apply(lambda: unnamed(submission, parts))

    async def _remove(self, submission: SubmissionId, there: Sequence[Part], parts: Sequence[Part]) -> None:
        await self._blobs.delete(submission, parts)
        size = self.order.take_off(submission, self.order.size(submission))
        # Nothing for one that another process has deleted: there the room is counted as free.
        self._shares.give_back(Kind.UPLOADS, size if there else 0)
