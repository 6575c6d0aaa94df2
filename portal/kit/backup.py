# SPDX-License-Identifier: AGPL-3.0-or-later
"""One sealed file of everything that a program keeps, made while it runs, and everything back from it.

Of the database a snapshot is taken first, then the files are read that its rows name: one that is named and gone was
deleted meanwhile (``expired``), or is ``lost``. A file is restored only after all of it was read once and found whole.
Who made a file nobody can tell from it: its SHA-256, noted when it was made, says that it is the same.

What is sealed, and to whom, is given by the program: ``Work`` that seals, ``Work`` that opens.
"""

import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Protocol

from portal.kit.backup_file import OutgoingFile
from portal.kit.backup_form import (
    PIECE_BYTES,
    BackupContents,
    BackupError,
    BackupHead,
    BackupReader,
    BackupWriter,
    Readable,
)
from portal.kit.files import UnfinishedFile, sync_folder
from portal.kit.free_space import free_bytes
from portal.kit.piped import Work, read_through, written_through
from portal.kit.snapshots import POSTGRESQL_KIND, SQLITE_KIND, Row, StoredDatabase

SNAPSHOT = ".backup-snapshot"
RESTORING = ".restoring"
SECRETS = "secrets/"
FREE_BYTES_LEFT = 64 * 1024 * 1024
"""As much room as the copy of a database leaves the program, at least."""


@dataclass(frozen=True)
class NamedBlobs:
    """The files that a row names, by their paths in a backup, and the day from which they may be gone (ISO)."""

    paths: tuple[str, ...]
    gone_from: str | None = None


class BlobPlaces(Protocol):
    """The sealed files of a program, by their paths in a backup."""

    async def open(self, path: str) -> tuple[int, BinaryIO]:
        """Size and bytes of a file, which stay readable when it is deleted. FileNotFoundError, OSError."""

    async def put(self, path: str, size: int, source: Readable) -> None:
        """Store a file. Raises BackupError, OSError."""

    async def undo(self) -> None:
        """Remove what was put."""

    async def check_empty(self) -> None:
        """Raise BackupError if there are files already."""


@dataclass(frozen=True)
class Kept:
    """What a program keeps, and where.

    ``secrets`` are the files of the folder ``secrets`` that go along; each has to be there. ``naming`` is the statement
    whose rows ``read_row`` reads; ``migrations`` the names of the steps to the form of the database that this program
    knows; ``is_blob`` tells whether a sealed file may have this path.
    """

    program: str
    data: Path
    stored: StoredDatabase
    secrets: tuple[str, ...]
    naming: str
    read_row: Callable[[Row], NamedBlobs]
    migrations: frozenset[str]
    is_blob: Callable[[str], bool]
    open_blobs: Callable[[], AbstractAsyncContextManager[BlobPlaces]]

    def always(self, database: str) -> tuple[str, ...]:
        """The paths that are in each backup: first that of a ``database`` of this kind, then the secrets."""
        ending = "sqlite3" if database == SQLITE_KIND else "pgdump"
        return (f"{self.program}.{ending}", *(SECRETS + name for name in self.secrets))


@dataclass(frozen=True)
class Made:
    """A backup that was made: its contents, its size in bytes and its SHA-256 in hex."""

    contents: BackupContents
    size: int
    sha256: str


async def make_backup(kept: Kept, path: Path, seal: Work, today: date) -> Made:
    """Write a backup to ``path``, which must not exist, and read it back. Raises BackupError, OSError, and as ``seal``.

    After an error there is no file of that name.
    """
    if not kept.data.is_dir():
        raise BackupError(f"there is no folder {kept.data}")
    with _only_one(kept.data / SNAPSHOT) as snapshot:
        if free_bytes(kept.data) < kept.stored.copy_bytes() + FREE_BYTES_LEFT:
            raise BackupError(f"{kept.data} has no room for a copy of the database beside it")
        outgoing = OutgoingFile(path)
        try:
            with written_through(seal, outgoing) as pipe:  # type: ignore[arg-type]
                contents = await _write(kept, snapshot, pipe, today)
            return Made(contents, outgoing.size, outgoing.keep())
        finally:
            outgoing.discard()


async def _write(kept: Kept, copy: Path, sink: BinaryIO, today: date) -> BackupContents:
    snapshot = await kept.stored.snapshot(copy, kept.naming)
    writer = BackupWriter(sink, BackupHead(kept.program, today.isoformat(), kept.stored.kind, snapshot.migration))
    database, *secrets = kept.always(kept.stored.kind)
    for path, place in {database: copy, **{path: kept.data / path for path in secrets}}.items():
        with place.open("rb") as file:
            writer.add(path, os.fstat(file.fileno()).st_size, file)
    before = len(writer.files)
    async with kept.open_blobs() as blobs:
        missing = await _add_blobs(writer, blobs, [kept.read_row(row) for row in snapshot.rows])
    lost = await _lost(kept, missing, today)
    if lost and len(writer.files) == before:
        raise BackupError("not one of the files is there that rows name: the store is away, or was emptied")
    return writer.finish(snapshot.reports, [path for path in missing if path not in lost], lost)


async def _add_blobs(writer: BackupWriter, blobs: BlobPlaces, rows: list[NamedBlobs]) -> dict[str, NamedBlobs]:
    """Add the files that these rows name; those that are not there, with their rows."""
    missing = {}
    for row in rows:
        for path in row.paths:
            try:
                size, source = await blobs.open(path)
            except FileNotFoundError:
                missing[path] = row
                continue
            with source:
                writer.add(path, size, source)
    return missing


async def _lost(kept: Kept, missing: dict[str, NamedBlobs], today: date) -> list[str]:
    """Those of the missing files that no sweep has deleted: rows name them still, and not until this day."""
    if not missing:
        return []
    async with kept.stored.reader() as read:
        still = {path for row in await read(kept.naming) for path in kept.read_row(row).paths}
    due = {path for path, row in missing.items() if row.gone_from is not None and row.gone_from <= today.isoformat()}
    return [path for path in missing if path in still and path not in due]


def verify(kept: Kept, path: Path, unseal: Work) -> tuple[BackupHead, BackupContents]:
    """Read all of a backup and write nothing. Raises BackupError, OSError, and as ``unseal``."""
    with path.open("rb") as file, read_through(unseal, file) as source:
        reader = BackupReader(source)
        head = reader.head
        if head.program != kept.program:
            raise BackupError(f"this is a backup of the {head.program!a:.40}, not of the {kept.program}")
        if head.migration not in kept.migrations:
            raise BackupError("the backup is of a later version of the program")
        if head.database not in (SQLITE_KIND, POSTGRESQL_KIND):
            raise BackupError("the backup is of a kind of database that this program does not know")
        always = set(kept.always(head.database))
        for name, _, _ in reader.members():
            if name not in always and not kept.is_blob(name):
                raise BackupError("the backup holds a file that no backup of this program holds")
            always.discard(name)
        if always:
            raise BackupError(f"the backup lacks {sorted(always)[0]}")
        assert reader.contents is not None
        return head, reader.contents


async def restore(kept: Kept, unfinished: Kept, path: Path, unseal: Work) -> BackupContents:
    """Bring a backup into the empty places of ``kept``; all of it or nothing. Raises as ``verify``.

    ``unfinished`` is the same with ``RESTORING`` in the data folder as its data folder: everything is gathered there.
    """
    _check_folder(kept.data)
    head, contents = verify(kept, path, unseal)
    if head.database != kept.stored.kind:
        raise BackupError(f"the backup is of a {head.database!a:.40} database, and the settings name another kind")
    await kept.stored.check_empty()
    kept.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.data.chmod(0o700)
    gathered = kept.data / RESTORING
    shutil.rmtree(gathered, ignore_errors=True)
    gathered.mkdir(mode=0o700)
    try:
        async with filled(unfinished, path, unseal):
            _move(gathered, kept.data)
    finally:
        shutil.rmtree(gathered, ignore_errors=True)
    return contents


def _move(gathered: Path, data: Path) -> None:
    """Everything, or nothing: also when a program was started there meanwhile, whose files stay."""
    moved: list[Path] = []
    try:
        for each in sorted(gathered.iterdir()):
            if (data / each.name).exists():
                raise BackupError(f"{data / each.name} was made meanwhile: stop the program")
            moved.append(each.rename(data / each.name))
        sync_folder(data)
    except BaseException:
        for each in moved:
            each.rename(gathered / each.name)
        raise


@asynccontextmanager
async def filled(kept: Kept, path: Path, unseal: Work) -> AsyncIterator[None]:
    """Write everything in a verified backup to the places of ``kept``, which are empty.

    After an error, of the body too, what lies outside of the data folder is removed again.
    """
    dump = kept.stored.dump_in(kept.data)
    async with kept.open_blobs() as blobs:
        await blobs.check_empty()
        try:
            with path.open("rb") as file, read_through(unseal, file) as source:
                reader = BackupReader(source)
                for name, size, data in reader.members():
                    if kept.is_blob(name):
                        await blobs.put(name, size, data)
                    else:
                        _write_file(dump if name == kept.always(reader.head.database)[0] else kept.data / name, data)
            async with kept.stored.loaded(dump):
                yield
        except BaseException:
            await blobs.undo()
            raise
        finally:
            dump.unlink(missing_ok=True)


def _write_file(path: Path, source: Readable) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = UnfinishedFile(path)
    try:
        while piece := source.read(PIECE_BYTES):
            file.write(piece)
        file.finish()
    except BaseException:
        file.discard()
        raise
    sync_folder(path.parent)


def _check_folder(data: Path) -> None:
    # What a restore that was killed has left is no data.
    if data.exists() and (not data.is_dir() or any(each.name != RESTORING for each in data.iterdir())):
        raise BackupError(f"{data} is not an empty folder; a restore needs one")


@contextmanager
def _only_one(path: Path) -> Iterator[Path]:
    """An empty file beside the data that nobody else uses; removed at the end, or by the next backup."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("another backup is being made") from None
        os.ftruncate(descriptor, 0)
        try:
            yield path
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    finally:
        os.close(descriptor)
