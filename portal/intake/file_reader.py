# SPDX-License-Identifier: AGPL-3.0-or-later
"""SHA-256 of attachments over their stored parts: a bundle of 50 KB may name hundreds of megabytes."""

import asyncio
import hashlib
from collections.abc import Sequence

from crypto.ids import SubmissionId
from portal.kit.waiting_line import LineFullError, WaitingLine
from portal.storage.blobs import PartStore
from portal.storage.errors import BusyError

AT_ONCE = 2
WAITING_MAX = 64
"""Bundles that wait for their files: all others have the other turns."""
KNOWN_MAX = 4096


class FileReader:
    """Reads files through, and remembers the hashes of those that were named last.

    That holds for good: parts never change, and their names have their own hashes in them.
    """

    def __init__(self, blobs: PartStore, waiting_max: int = WAITING_MAX, known_max: int = KNOWN_MAX) -> None:
        self._blobs = blobs
        self._known_max = known_max
        self._known: dict[bytes, str] = {}
        self._under_way: dict[bytes, asyncio.Task[str]] = {}
        self._line = WaitingLine(AT_ONCE, waiting_max)

    async def hash_of(self, submission: SubmissionId, file: str, names: Sequence[str]) -> str:
        """That of the file with parts of these names, in hex.

        Raises BusyError when too many wait, BlobMissingError, OSError.
        """
        key = hashlib.sha256("/".join((submission, file, *names)).encode()).digest()
        if (known := self._known.get(key)) is not None:
            return known
        try:
            with self._line.place():
                return await self._wait(key, submission, file, names)
        except LineFullError:
            raise BusyError from None

    async def _wait(self, key: bytes, submission: SubmissionId, file: str, names: Sequence[str]) -> str:
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._read(submission, file, names))
            task.add_done_callback(lambda done: self._remember(key, done))
        # Somebody else may wait for it when this request is over.
        return await asyncio.shield(task)

    async def _read(self, submission: SubmissionId, file: str, names: Sequence[str]) -> str:
        async with self._line.turn:
            digest = hashlib.sha256()
            for name in names:
                async for piece in self._blobs.read(submission, file, name):
                    await asyncio.to_thread(digest.update, piece)
            return digest.hexdigest()

    def _remember(self, key: bytes, done: "asyncio.Task[str]") -> None:
        del self._under_way[key]
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= self._known_max:
            del self._known[next(iter(self._known))]
        self._known[key] = done.result()
