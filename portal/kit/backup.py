# SPDX-License-Identifier: AGPL-3.0-or-later
"""One sealed file of everything that a program keeps, made while it runs. ``kit.restore`` is the way back.

Of the database a snapshot is taken first, then the files are read that its rows name: one that is named and gone was
deleted meanwhile (``expired``), or is ``lost``. To whom it is sealed is the program's matter: it gives the ``Work``.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Protocol

from portal.kit.alone import lock
from portal.kit.backup_file import OutgoingFile
from portal.kit.backup_form import (
    BackupContents,
    BackupError,
    BackupHead,
    BackupWriter,
    Readable,
)
from portal.kit.free_space import free_bytes
from portal.kit.piped import Work, written_through
from portal.kit.snapshots import SQLITE_KIND, Row, StoredDatabase

SNAPSHOT = ".backup-snapshot"
SECRETS = "secrets/"
FREE_BYTES_LEFT = 64 * 1024 * 1024
"""As much room as the copy of a database leaves the program, at least."""
# A bad sector, or what is no file, takes nothing from the other files. A store that is away raises others.
_ONE_IS_BAD = (errno.EIO, errno.EBADMSG, errno.EUCLEAN, errno.EISDIR, errno.ELOOP)


@dataclass(frozen=True)
class NamedBlobs:
    """The files that a row names, by their paths in a backup, and the day from which they may be gone (ISO).

    ``sha256`` (hex) is that of its one file; None where ``BlobPlaces.open`` knows it.
    """

    paths: tuple[str, ...]
    gone_from: str | None = None
    sha256: str | None = None


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

    ``secrets`` are the files of the folder ``secrets`` that go along; each has to be there, and to be one, as
    ``is_secret`` tells from its name and its bytes. ``naming`` is the statement whose rows ``read_row`` reads;
    ``migrations`` the names of the steps to the form of the database that this program knows; ``is_blob`` tells whether
    a sealed file may have this path.
    """

    program: str
    data: Path
    stored: StoredDatabase
    secrets: tuple[str, ...]
    is_secret: Callable[[str, bytes], bool]
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
    for name in kept.secrets:
        if not kept.is_secret(name, (kept.data / SECRETS / name).read_bytes()):
            raise BackupError(f"{SECRETS}{name} is damaged: bring it back from the backup of before")
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
    """Add the files that these rows name; those that are not there, can't be read or are damaged, with their rows.

    A damaged one goes along as it is: most of it may be of use.
    """
    missing = {}
    for row in rows:
        for path in row.paths:
            try:
                size, source = await blobs.open(path)
            except OSError as error:
                if not isinstance(error, FileNotFoundError) and error.errno not in _ONE_IS_BAD:
                    raise
                missing[path] = row
                continue
            with source:
                writer.add(path, size, source)
            if row.sha256 is not None and writer.files[-1].sha256 != row.sha256:
                missing[path] = row
    return missing


async def _lost(kept: Kept, missing: dict[str, NamedBlobs], today: date) -> list[str]:
    """Those of the missing files that no sweep has deleted: rows name them still, and not until this day."""
    if not missing:
        return []
    async with kept.stored.reader() as read:
        still = {path for row in await read(kept.naming) for path in kept.read_row(row).paths}
    due = {path for path, row in missing.items() if row.gone_from is not None and row.gone_from <= today.isoformat()}
    return [path for path in missing if path in still and path not in due]


@contextmanager
def _only_one(path: Path) -> Iterator[Path]:
    """An empty file beside the data that nobody else uses; removed at the end, or by the next backup."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not lock(descriptor):
            raise BackupError("another backup is being made")
        os.ftruncate(descriptor, 0)
        try:
            yield path
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    finally:
        os.close(descriptor)
