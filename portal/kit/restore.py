# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything back from a backup, into empty places; ``kit.backup`` makes it.

A file is restored only after all of it was read once and found whole: until then nothing is written. Who made a file
nobody can tell from it: its SHA-256, noted when it was made, says that it is the same.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from portal.kit.alone import lock
from portal.kit.backup import Kept
from portal.kit.backup_form import PIECE_BYTES, BackupContents, BackupError, BackupHead, BackupReader, Readable
from portal.kit.files import UnfinishedFile, sync_folder
from portal.kit.piped import Work, read_through
from portal.kit.snapshots import POSTGRESQL_KIND, SQLITE_KIND

RESTORING = ".restoring"


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
    with _only_one(kept.data):
        shutil.rmtree(gathered, ignore_errors=True)
        gathered.mkdir(mode=0o700)
        try:
            async with filled(unfinished, path, unseal):
                _move(gathered, kept.data)
        finally:
            shutil.rmtree(gathered, ignore_errors=True)
    return contents


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """While this goes on no other restore clears this folder up. Raises BackupError."""
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not lock(descriptor):
            raise BackupError(f"another restore into {data} is under way")
        yield
    finally:
        os.close(descriptor)


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
