# SPDX-License-Identifier: AGPL-3.0-or-later
"""Parts of attachments, uploaded before the submission that names them (docs/protocol.md §7.1).

A part begins at a multiple of 64 KiB and has at most 4 MiB, and all of a file but the last end at one: on a slow line
they are short, and each counts for what it takes of a disk.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from crypto.ids import SubmissionId
from crypto.manifest import SealedFile
from portal.api.refusals import Refusal
from portal.api.sealed_form import PREFIX_BYTES, check_sealed
from portal.intake.file_reader import FileReader
from portal.storage.blobs import BLOCK_BYTES, PART_BYTES, Part, PartStore
from portal.storage.submissions import is_accepted

# A part can be used on the day of its upload and three days after. It is deleted at least a day later, less the hour
# in which a submission that uses it must be complete.
PART_DAYS = 3
FINISH_TIME = timedelta(hours=1)
# As many as a listing shows: 4 GiB.
LISTED_MAX = 1024


class Parts:
    """Stores parts, lists them, and finds those that make up a file."""

    def __init__(self, blobs: PartStore, clock: Callable[[], datetime]) -> None:
        self._blobs = blobs
        self._reader = FileReader(blobs)
        self._clock = clock

    async def take(
        self, submission: SubmissionId, file: str, index: int, sha256: str, body: AsyncIterator[bytes]
    ) -> bool:
        """Keep a part of hash ``sha256``; False when it was there before.

        Raises Refusal: ``part-conflict`` when it lies over another one or behind the last; ``already-accepted``,
        ``too-large``, ``malformed-request`` for an empty part, ``digest-mismatch``, ``not-sealed``. Raises
        StorageFullError, and BusyError while the upload gives way to others.
        """
        there = [part for part in await self._current(submission, file) if part.index == index]
        if any(part.sha256 != sha256 for part in there):
            raise Refusal("part-conflict", file)
        if there:
            await _discard(body)
            return False
        if await is_accepted(submission):
            raise Refusal("already-accepted")
        return await self._keep(submission, file, index, sha256, body)

    async def listing(self, submission: SubmissionId) -> list[Part]:
        """The first LISTED_MAX of the parts that a submission can count on, each once."""
        parts = {(part.file, part.index): part for part in await self._current(submission)}
        return list(parts.values())[:LISTED_MAX]

    async def check(self, submission: SubmissionId, file: SealedFile, names: Sequence[str]) -> None:
        """Raise Refusal ``file-missing`` unless parts of these names are still there."""
        if not {part.name for part in await self._current(submission, file.name)}.issuperset(names):
            raise Refusal("file-missing", file.name)

    async def find(self, submission: SubmissionId, file: SealedFile) -> list[str]:
        """Names of the stored parts that make up a file of the manifest, as far as can be told without reading them.

        Raises Refusal ``file-missing``, or ``file-size-mismatch``, also when there are more parts than it has.
        """
        by_index = {part.index: part for part in await self._current(submission, file.name)}
        parts, end = [by_index[index] for index in sorted(by_index)], 0
        for part in parts:
            if end < min(part.index * BLOCK_BYTES, file.size):
                raise Refusal("file-missing", file.name)
            end = part.index * BLOCK_BYTES + part.size
        if end < file.size and end % BLOCK_BYTES == 0:
            raise Refusal("file-missing", file.name)
        if end != file.size or sum(part.size for part in parts) != file.size:
            raise Refusal("file-size-mismatch", file.name)
        return [part.name for part in parts]

    async def check_hash(self, submission: SubmissionId, file: SealedFile, names: Sequence[str]) -> None:
        """Raise Refusal ``file-hash-mismatch`` unless parts of these names make up the file. Reads them through.

        Raises BusyError when too many files wait to be read.
        """
        if await self._reader.hash_of(submission, file.name, names) != file.sha256:
            raise Refusal("file-hash-mismatch", file.name)

    async def _keep(
        self, submission: SubmissionId, file: str, index: int, sha256: str, body: AsyncIterator[bytes]
    ) -> bool:
        writer = self._blobs.new_part(submission)
        try:
            prefix = b""
            async for chunk in body:
                if writer.size + len(chunk) > PART_BYTES:
                    raise Refusal("too-large", file)
                if index == 0 and len(prefix) < PREFIX_BYTES:
                    prefix += chunk[: PREFIX_BYTES - len(prefix)]
                await writer.write(chunk)
            if not writer.size:
                raise Refusal("malformed-request", file)
            if await writer.digest() != sha256:
                raise Refusal("digest-mismatch", file)
            if index == 0:
                check_sealed(file, prefix)
            there = await self._current(submission, file)
            if any((part.index, part.sha256) == (index, sha256) for part in there):
                # Another request brought it meanwhile.
                return False
            _check_place(there, file, index, writer.size)
            await writer.keep(file, index, self._clock().date())
            return True
        finally:
            await asyncio.shield(writer.discard())

    async def _current(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        oldest = (self._clock() + FINISH_TIME).date() - timedelta(days=PART_DAYS)
        return [part for part in await self._blobs.parts(submission, file) if part.day >= oldest]


def _check_place(there: Sequence[Part], file: str, index: int, size: int) -> None:
    """Refuse a part that lies over another one, and any part behind one that ends within a block: that is the last."""
    places = sorted([(part.index, part.size) for part in there] + [(index, size)])
    for (start, length), (after, _) in pairwise(places):
        if length % BLOCK_BYTES or start + length // BLOCK_BYTES > after:
            raise Refusal("part-conflict", file)


async def _discard(body: AsyncIterator[bytes]) -> None:
    """Read and discard the body, so that a client that is still sending can read the answer."""
    size = 0
    async for chunk in body:
        size += len(chunk)
        if size > PART_BYTES:
            raise Refusal("too-large")
