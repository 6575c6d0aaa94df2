# SPDX-License-Identifier: AGPL-3.0-or-later
"""The store of parts as strangers fill it: every byte is counted as it comes, before it is written."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from weakref import WeakValueDictionary

from crypto.ids import SubmissionId
from portal.intake.uploads import Uploads
from portal.storage.blobs import Part, PartStore, PartWriter
from portal.storage.weights import part_weight


class SharedBlobs:
    """A ``PartStore`` over another one."""

    def __init__(self, blobs: PartStore, uploads: Uploads) -> None:
        self._blobs = blobs
        self._uploads = uploads
        # As long as somebody writes to the upload.
        self._placing: WeakValueDictionary[SubmissionId, asyncio.Lock] = WeakValueDictionary()

    def new_part(self, submission: SubmissionId) -> PartWriter:
        placing = self._placing.setdefault(submission, asyncio.Lock())
        return SharedPartWriter(self._blobs, submission, self._uploads, placing)

    async def parts(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        return await self._blobs.parts(submission, file)

    def read(self, submission: SubmissionId, file: str, name: str) -> AsyncIterator[bytes]:
        return self._blobs.read(submission, file, name)


class SharedPartWriter:
    """Counts a part for what it weighs as soon as its first byte comes, and for more as it grows."""

    def __init__(self, blobs: PartStore, submission: SubmissionId, uploads: Uploads, placing: asyncio.Lock) -> None:
        self._blobs = blobs
        self._writer = blobs.new_part(submission)
        self._placing = placing
        self._submission = submission
        self._uploads = uploads
        self._counted = 0
        self._turn = asyncio.Lock()
        self.size = 0

    async def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._uploads.order.come(self._submission, len(chunk))
        more = part_weight(self.size) - self._counted
        if more > 0:
            await self._uploads.take(self._submission, more)
            self._counted += more
        await self._writer.write(chunk)

    async def digest(self) -> str:
        return await self._writer.digest()

    async def keep(self, file: str, index: int, day: date) -> str:
        # What the store has begun it ends, also when the request is over: then the part is there, and counts.
        return await asyncio.shield(self._keep(file, index, day))

    async def discard(self) -> None:
        async with self._turn:
            self._uploads.give_back(self._counted)
            self._counted = 0
            await self._writer.discard()

    async def _keep(self, file: str, index: int, day: date) -> str:
        async with self._turn, self._placing:
            with self._uploads.claims.used(self._submission):
                there = await self._blobs.parts(self._submission, file)
                name = await self._writer.keep(file, index, day)
                # One that stood there before, whoever brought it, is counted already.
                if any(part.name == name for part in there):
                    self._uploads.give_back(self._counted)
                else:
                    self._uploads.keep(self._submission, self._counted, self.size)
                self._counted = 0
            return name
