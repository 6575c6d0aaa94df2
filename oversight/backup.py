# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight backup``, ``restore``, ``exercise``: what the office keeps, and whether a backup is whole.

The rows of open sessions do not go along: with a browser's cookie they would open a member's keyring. Neither do those
of failed logins, whose times are over. The browsers that members are known by do: their hashes open nothing, and keep
members from being locked out. The office's own keys are sealed to its members; a start identity lies elsewhere, and
stays there.
"""

import argparse
import hashlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from pkgutil import iter_modules
from typing import BinaryIO

from crypto.age import PqRecipient, open_stream, parse_identity_file, seal_stream
from crypto.ids import SubmissionId
from crypto.manifest import SealedFile
from oversight import migrations
from oversight.commission.keys import is_sealed
from oversight.reports.blobs import Blobs
from oversight.reports.records import SealedFileRecord
from oversight.settings import Settings
from oversight.storage import SCHEMA, Database
from portal.kit.backup import Kept, NamedBlobs
from portal.kit.backup_command import BackupCommands, FindFaults
from portal.kit.backup_command import run as run_command
from portal.kit.backup_form import PIECE_BYTES, BackupError, Readable
from portal.kit.columns import UnreadableError
from portal.kit.piped import Work
from portal.kit.restore import RESTORING
from portal.kit.snapshots import Row, StoredDatabase

NEXT = "Start the office. Passphrases, second factors and keys are those of the day of the backup."
KEYS = "office.age"
_PATH = re.compile(r"blobs/([0-9a-f]{32})/(attachment-[1-9][0-9]?\.age)")


async def run(options: argparse.Namespace, settings: Settings, today: date) -> int:
    """Run one of the three commands; returns the exit status.

    Raises BackupError, DatabaseError, OSError, and CryptoError for a recipient, an identity or a seal.
    """

    def moved(data: Path, url: str) -> tuple[Kept, FindFaults]:
        there = replace(settings, data=data, database=url)
        return kept(there), partial(find_faults, there)

    unfinished = kept(replace(settings, data=settings.data / RESTORING))
    program = BackupCommands(kept(settings), unfinished, moved, seal, unseal, NEXT)
    return await run_command(options, program, today)


def seal(recipients: Sequence[str]) -> Work:
    """Raises CryptoError for what is no recipient."""
    return partial(seal_stream, recipients=[PqRecipient.from_string(text) for text in recipients])


def unseal(identities: Path) -> Work:
    """By a file as ``python -m crypto keygen`` writes it. Raises OSError, and CryptoError."""
    text = identities.read_bytes().decode("ascii", "replace")
    return partial(open_stream, identities=parse_identity_file(text))


def kept(settings: Settings) -> Kept:
    """What the office of these settings keeps."""
    return Kept(
        program="office",
        data=settings.data,
        stored=StoredDatabase(SCHEMA.app, settings.database_url, left_out=("session", "failed_login")),
        secrets=(KEYS,),
        is_secret=lambda _, data: is_sealed(data),
        naming="SELECT submission_id, name, sha256 FROM sealed_file WHERE sealed IS NULL ORDER BY id",
        read_row=_read_row,
        migrations=frozenset(module.name for module in iter_modules(migrations.__path__)),
        is_blob=lambda path: _PATH.fullmatch(path) is not None,
        open_blobs=partial(_open_blobs, settings.data / "blobs"),
    )


async def find_faults(settings: Settings) -> list[str]:
    """What is wrong with the data of these settings, as the office's own code reads it; files by their paths.

    Every sealed file is read and compared with its row. The office's own keys open with a member's passphrase alone:
    only that they are a sealed file is looked at.
    """
    faults = await StoredDatabase(SCHEMA.app, settings.database_url, ()).find_damage()
    if not is_sealed((settings.secrets / KEYS).read_bytes()):
        faults.append(f"secrets/{KEYS} is no sealed file")
    blobs = Blobs(settings.data / "blobs")
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            for number in await SealedFileRecord.all().order_by("id").values_list("id", flat=True):
                try:
                    faults += _faults_of(await SealedFileRecord.get(id=number), blobs)
                except (UnreadableError, TypeError):
                    faults.append(f"the file in row {number} can't be read")
            return faults
    finally:
        await database.close()


def _faults_of(row: SealedFileRecord, blobs: Blobs) -> list[str]:
    submission = SubmissionId(row.submission_id)  # type: ignore[attr-defined]
    path = f"blobs/{submission}/{row.name}"
    if row.sealed is not None:
        whole = (len(row.sealed), hashlib.sha256(row.sealed).hexdigest()) == (row.size, row.sha256)
        return [] if whole else [f"the file in row {row.id} is not what the row says"]
    if not blobs.path(submission, row.name).is_file():
        return [path]
    whole = blobs.holds(submission, SealedFile(row.name, row.size, row.sha256))
    return [] if whole else [f"{path} is not what its row says"]


def _read_row(row: Row) -> NamedBlobs:
    submission, name, sha256 = row
    path = f"blobs/{submission}/{name}"
    return NamedBlobs((path,) if _PATH.fullmatch(path) else (), sha256=str(sha256))


@asynccontextmanager
async def _open_blobs(folder: Path) -> AsyncIterator["OfficeBlobs"]:
    yield OfficeBlobs(folder)


@dataclass
class OfficeBlobs:
    """The folder of sealed attachments, by the paths that they have in the office's data folder."""

    folder: Path

    async def open(self, path: str) -> tuple[int, BinaryIO]:
        """An open file. FileNotFoundError."""
        file = (self.folder.parent / path).open("rb")
        return os.fstat(file.fileno()).st_size, file

    async def put(self, path: str, size: int, source: Readable) -> None:
        match = _PATH.fullmatch(path)
        assert match is not None
        writer = Blobs(self.folder).begin(SubmissionId(match[1]), match[2])
        try:
            while piece := source.read(PIECE_BYTES):
                writer.write(piece)
        except BaseException:
            writer.discard()
            raise
        writer.keep()

    async def undo(self) -> None:
        """Do nothing: they lie in the data folder, which is removed."""

    async def check_empty(self) -> None:
        if self.folder.exists():
            raise BackupError(f"{self.folder} is there already; a restore needs an empty place")
