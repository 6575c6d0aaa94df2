# SPDX-License-Identifier: AGPL-3.0-or-later
"""SHA-256 of attachments over their stored parts. Each part is read once, however often and by whatever bundles it is
named: a bundle of 50 KB may name hundreds of megabytes, and also their beginning, longer every time.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True)
class _Run:
    """What was read of a file from its first part on. ``digest`` is copied, never updated."""

    digest: "hashlib._Hash"
    prefix: bytes


class FileReader:
    """Reads files through, and remembers those that were named last.

    That holds for good: parts never change, and their names have their own hashes in them.
    """

    def __init__(self, blobs: PartStore, known_max: int = KNOWN_MAX) -> None:
        self._blobs = blobs
        self._known_max = known_max
        self._known: dict[bytes, _Run] = {}
        self._under_way: dict[bytes, asyncio.Task[_Run]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def hash_of(self, submission: SubmissionId, file: str, names: Sequence[str]) -> FileHash:
        """That of the file with parts of these names. Raises BlobMissingError, OSError."""
        keys = list(_keys(submission, file, names))
        key = keys[-1]
        if (run := self._known.get(key)) is None:
            task = self._under_way.get(key)
            if task is None:
                task = self._under_way[key] = asyncio.create_task(self._read(submission, file, names, keys))
                task.add_done_callback(lambda done: self._remember(key, done))
            # Somebody else may wait for it when this request is over.
            run = await asyncio.shield(task)
        return FileHash(run.digest.hexdigest(), run.prefix)

    async def _read(self, submission: SubmissionId, file: str, names: Sequence[str], keys: Sequence[bytes]) -> _Run:
        async with self._turn:
            done = next((count for count in range(len(names), -1, -1) if keys[count] in self._known), 0)
            begun = self._known.get(keys[done], _Run(hashlib.sha256(), b""))
            digest, prefix = begun.digest.copy(), begun.prefix
            for name in names[done:]:
                async for piece in self._blobs.read(submission, file, name):
                    prefix = prefix or piece[:PREFIX_BYTES]
                    await asyncio.to_thread(digest.update, piece)
            return _Run(digest, prefix)

    def _remember(self, key: bytes, done: "asyncio.Task[_Run]") -> None:
        del self._under_way[key]
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= self._known_max:
            del self._known[next(iter(self._known))]
        self._known[key] = done.result()


def _keys(submission: SubmissionId, file: str, names: Sequence[str]) -> Iterator[bytes]:
    """One for no part, one for the first, one for the first two, and so on."""
    named = hashlib.sha256(f"{submission}/{file}".encode())
    yield named.digest()
    for name in names:
        named.update(f"/{name}".encode())
        yield named.digest()
