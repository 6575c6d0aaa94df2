# SPDX-License-Identifier: AGPL-3.0-or-later
"""SHA-256 of attachments over their stored parts. Each is read once, however often and by whatever bundles it is named:
a bundle of 50 KB may name hundreds of megabytes, and what one reads for a stranger must not be more than they sent.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.ids import SubmissionId
from portal.api.sealed_form import PREFIX_BYTES
from portal.storage.blobs import PartStore

AT_ONCE = 2
KNOWN_MAX = 4096


@dataclass(frozen=True)
class FileHash:
    """The hash (hex) of a file, and the bytes that it begins with."""

    sha256: str
    prefix: bytes


class FileReader:
    """Reads files through, and remembers the hashes of those that were named last.

    They hold for good: parts never change, and their names have their own hashes in them.
    """

    def __init__(self, blobs: PartStore, known_max: int = KNOWN_MAX) -> None:
        self._blobs = blobs
        self._known_max = known_max
        self._known: dict[bytes, FileHash] = {}
        self._under_way: dict[bytes, asyncio.Task[FileHash]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hash_of(self, submission: SubmissionId, file: str, names: Sequence[str]) -> FileHash:
        """That of the file with parts of these names. Raises BlobMissingError, OSError."""
        key = hashlib.sha256("/".join((submission, file, *names)).encode()).digest()
        if (known := self._known.get(key)) is not None:
            return known
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._read(submission, file, names))
            task.add_done_callback(lambda done: self._remember(key, done))
        # Somebody else may wait for it when this request is over.
        return await asyncio.shield(task)

    async def _read(self, submission: SubmissionId, file: str, names: Sequence[str]) -> FileHash:
        async with self._turn:
            digest, prefix = hashlib.sha256(), b""
            for name in names:
                async for piece in self._blobs.read(submission, file, name):
                    prefix = prefix or piece[:PREFIX_BYTES]
                    await asyncio.to_thread(digest.update, piece)
            return FileHash(digest.hexdigest(), prefix)

    def _remember(self, key: bytes, done: "asyncio.Task[FileHash]") -> None:
        del self._under_way[key]
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= self._known_max:
            del self._known[next(iter(self._known))]
        self._known[key] = done.result()
