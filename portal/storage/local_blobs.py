# SPDX-License-Identifier: AGPL-3.0-or-later
"""Parts in a local folder: written under a temporary name, synced, renamed, the folders synced."""

import asyncio
import errno
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from crypto.ids import SubmissionId
from portal.kit.files import UnfinishedFile, sync_folder
from portal.storage import weights
from portal.storage.blobs import PIECE_BYTES, Part, PartWriter, Room, Stored, parse_part, part_name, part_order
from portal.storage.errors import BlobMissingError, BusyError, StorageFullError

THREADS = 4
# No upload of one part takes this long.
INCOMING_DAYS = 2
# New parts are refused when less than this part of all files that the disk can have is left.
FILES_FREE_PART = 20
P = ParamSpec("P")
T = TypeVar("T")


class LocalBlobs:
    """A folder with ``incoming/`` for parts being written and ``parts/`` for stored ones.

    ``free_bytes_min``: a new part is refused when the disk has less space than this. Blocking work runs in a few
    threads of its own.
    """

    def __init__(self, folder: Path, free_bytes_min: int = 0) -> None:
        self.incoming = folder / "incoming"
        self.kept = folder / "parts"
        self.free_bytes_min = free_bytes_min
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        for each in (self.incoming, self.kept):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(folder)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work in a thread; a full disk becomes StorageFullError."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StorageFullError from error
            raise

    def new_part(self, submission: SubmissionId) -> PartWriter:
        return LocalPartWriter(self, self.kept / submission)

    async def parts(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        return await self.run(self._list, submission, file)

    async def read(self, submission: SubmissionId, file: str, name: str) -> AsyncIterator[bytes]:
        path, start = self.kept / submission / file / name, 0
        while piece := await self.run(_read_piece, path, start):
            yield piece
            start += len(piece)

    async def stored(self) -> dict[SubmissionId, Stored]:
        return await self.run(self._stored)

    async def room(self) -> Room | None:
        return await self.run(_room, self.incoming)

    async def delete(self, submission: SubmissionId, parts: Sequence[Part]) -> None:
        await self.run(self._delete, submission, parts)

    async def sweep(self, today: date) -> None:
        await self.run(self._sweep_incoming, today - timedelta(days=INCOMING_DAYS))

    async def close(self) -> None:
        self._threads.shutdown(wait=True)

    def _list(self, submission: SubmissionId, file: str | None) -> list[Part]:
        found = []
        for name in [file] if file else _names(self.kept / submission):
            for entry in _entries(self.kept / submission / name):
                # What gives way meanwhile is not there.
                with suppress(FileNotFoundError):
                    part = parse_part(name, entry.name, entry.stat().st_size)
                    if part:
                        found.append(part)
        return sorted(found, key=part_order)

    def _stored(self) -> dict[SubmissionId, Stored]:
        names = [SubmissionId(name) for name in sorted(_names(self.kept))]
        found = {name: weights.stored(self._list(name, None)) for name in names}
        return {name: stored for name, stored in found.items() if stored is not None}

    def _delete(self, submission: SubmissionId, parts: Sequence[Part]) -> None:
        folder = self.kept / submission
        for part in parts:
            (folder / part.file / part.name).unlink(missing_ok=True)
        _remove_emptied(*(folder / name for name in {part.file for part in parts}), folder)
        sync_folder(self.kept)

    def _sweep_incoming(self, before: date) -> None:
        for entry in _entries(self.incoming):
            with suppress(FileNotFoundError):
                if _day(entry.stat().st_mtime) < before:
                    Path(entry.path).unlink(missing_ok=True)


class LocalPartWriter:
    """Writes one part into ``incoming/``, hashes it, and moves it to its place."""

    def __init__(self, store: LocalBlobs, folder: Path) -> None:
        self.size = 0
        self._store = store
        self._folder = folder
        self._path = store.incoming / secrets.token_hex(16)
        self._file: UnfinishedFile | None = None
        self._under_way: asyncio.Future[None] | None = None
        self._hash = hashlib.sha256()
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0

    async def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._gathered.append(chunk)
        self._gathered_bytes += len(chunk)
        if self._gathered_bytes >= PIECE_BYTES:
            await self._run(self._flush)

    async def digest(self) -> str:
        await self._run(self._flush)
        return self._hash.hexdigest()

    async def keep(self, file: str, index: int, day: date) -> str:
        name = part_name(index, self._hash.hexdigest(), day)
        await self._run(self._keep, self._folder / file, name, day)
        return name

    async def discard(self) -> None:
        if self._under_way is not None:
            # A thread ends what it has begun, also when the request is over.
            await asyncio.wait([self._under_way])
        if self._file is not None:
            await self._store.run(self._discard)

    async def _run(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        self._under_way = asyncio.ensure_future(self._store.run(work, *args, **kwargs))
        await asyncio.shield(self._under_way)

    def _flush(self) -> None:
        if self._file is None:
            _check_room(self._store)
            self._file = UnfinishedFile(self._path)
        for chunk in self._gathered:
            self._hash.update(chunk)
            self._file.write(chunk)
        self._gathered.clear()
        self._gathered_bytes = 0

    def _keep(self, folder: Path, name: str, day: date) -> None:
        assert self._file is not None
        # A file bears the day of its upload and no more exact time; so do the folders that it changes.
        midnight = datetime.combine(day, time(), UTC).timestamp()
        self._file.finish(midnight)
        try:
            self._move(folder, name)
            # All three, always: another request may have made a parent folder and not synced it yet.
            for changed in (folder, folder.parent, folder.parent.parent):
                sync_folder(changed, midnight)
        except FileNotFoundError:
            # Another process swept or deleted meanwhile, and what was written is gone: it is to be sent again.
            _remove_emptied(folder, folder.parent)
            raise BusyError from None
        except OSError:
            _remove_emptied(folder, folder.parent)
            raise
        self._file = None
        os.utime(self._store.incoming, (midnight, midnight))

    def _move(self, folder: Path, name: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.rename(folder / name)
        except FileNotFoundError:
            # The folder was emptied of expired parts and removed in between.
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.rename(folder / name)

    def _discard(self) -> None:
        if self._file is not None:
            self._file.discard()
            self._file = None


def _check_room(store: LocalBlobs) -> None:
    room = _room(store.incoming)
    if room.free_bytes < store.free_bytes_min or room.few_files:
        raise OSError(errno.ENOSPC, "less space left than must stay free")


def _room(folder: Path) -> Room:
    status = os.statvfs(folder)
    # Some file systems make files as they need them, and count none.
    few_files = status.f_files > 0 and status.f_favail * FILES_FREE_PART < status.f_files
    return Room(status.f_bavail * status.f_frsize, folder.stat().st_dev, few_files)


def _read_piece(path: Path, start: int) -> bytes:
    """The next bytes of a file from ``start`` on; none at its end."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(PIECE_BYTES)
    except FileNotFoundError:
        raise BlobMissingError from None


def _remove_emptied(*folders: Path) -> None:
    """Those that hold nothing, and are there."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in _entries(folder)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _day(timestamp: float) -> date:
    return datetime.fromtimestamp(timestamp, UTC).date()
