# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unfinished uploads, and how they give way when their share is full.

- An upload is all parts of a submission that was not accepted. The one that has not moved for longest goes first.
- One that is used right now never goes: while a part of it is written, and from the moment a bundle names it until that
  submission is durable or refused (``Claims``). So no part is ever taken from under a submission that is accepted.
- Which moved when is in memory alone, since no time more exact than a day is stored. After a restart the days tell.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from crypto.ids import SubmissionId
from portal.storage.blobs import BlobStore
from portal.storage.claims import Claims
from portal.storage.errors import StorageFullError
from portal.storage.shares import Arrivals, Kind, Shares
from portal.storage.submissions import unnamed

UPLOADS_MAX = 16_384
"""Unfinished uploads at once, however small."""


@dataclass
class _Upload:
    """Bytes that an upload counts for; ``move`` is the number of its last move."""

    size: int
    move: int


class Uploads:
    """The unfinished uploads that this process knows of, the one that moved longest ago first."""

    def __init__(self, blobs: BlobStore, shares: Shares, claims: Claims, uploads_max: int = UPLOADS_MAX) -> None:
        self.claims = claims
        self._blobs = blobs
        self._shares = shares
        self._uploads_max = uploads_max
        self._uploads: OrderedDict[SubmissionId, _Upload] = OrderedDict()
        self._begun = Arrivals()
        self._being_written = 0
        self._moves = 0
        self._one_at_a_time = asyncio.Lock()

    async def take(self, size: int) -> None:
        """Count ``size`` bytes of a part that is being written. Raises StorageFullError when nothing can give way."""
        while not self._shares.has_room(Kind.UPLOADS, size) or len(self._uploads) >= self._uploads_max:
            async with self._one_at_a_time:
                full = not self._shares.has_room(Kind.UPLOADS, size) or len(self._uploads) >= self._uploads_max
                # Once begun it is ended, also when this request is over: until then nobody may use what goes.
                if full and not await asyncio.shield(self._give_way()):
                    self._shares.has_refused = True
                    raise StorageFullError
        self._shares.take(Kind.UPLOADS, size)
        self._being_written += size

    def give_back(self, size: int) -> None:
        """A part of ``size`` bytes is not kept."""
        self._being_written -= size
        self._shares.give_back(Kind.UPLOADS, size)

    def keep(self, submission: SubmissionId, size: int) -> None:
        """A part that was counted by ``take`` is stored: the upload has moved."""
        self._being_written -= size
        self._moves += 1
        if submission not in self._uploads:
            self._begun.add(1, self._shares.clock())
        upload = self._uploads.setdefault(submission, _Upload(0, 0))
        upload.size, upload.move = upload.size + size, self._moves
        self._uploads.move_to_end(submission)

    def accept(self, submission: SubmissionId, size: int) -> None:
        """``size`` bytes of this upload's parts are an accepted submission's from now on."""
        upload = self._uploads.get(submission)
        if upload is None:
            return
        size = min(size, upload.size)
        upload.size -= size
        self._shares.give_back(Kind.UPLOADS, size)
        if not upload.size:
            del self._uploads[submission]

    def pressure(self) -> float:
        """How fast uploads push each other out by their number, from 0 to 1: however small, so many have no room."""
        return self._begun.pressure_by_turnover(self._shares.clock(), self._uploads_max)

    @property
    def moves(self) -> int:
        """How often any upload has moved: what is counted now is as of this move."""
        return self._moves

    def counted(self, held: Mapping[SubmissionId, int], as_of: int) -> int:
        """Take over what a count found; return what unfinished uploads fill in all.

        What moved after the move ``as_of`` may have been seen or not: the greater of both counts.
        """
        for submission in [each for each in self._uploads if each not in held]:
            if self._uploads[submission].move <= as_of:
                del self._uploads[submission]
        for submission, size in held.items():
            known = self._uploads.get(submission)
            if known is None:
                self._uploads[submission] = _Upload(size, 0)
                self._uploads.move_to_end(submission, last=False)
            else:
                known.size = max(size, known.size) if known.move > as_of else size
        return self._being_written + sum(upload.size for upload in self._uploads.values())

    async def _give_way(self) -> bool:
        """Delete the first upload that nobody uses; False when there is none."""
        for submission in list(self._uploads):
            with self.claims.alone(submission) as is_free:
                if not is_free:
                    continue
                parts = await self._blobs.parts(submission)
                await self._blobs.delete(submission, await unnamed(submission, parts))
                gone = self._uploads.pop(submission, None)
            self._shares.give_back(Kind.UPLOADS, gone.size if gone else 0)
            return True
        return False
