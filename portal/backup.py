# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m portal backup``, ``restore``, ``exercise``: what the portal keeps, and whether a backup of it is whole.

Its keys and its realm go along: without them no receipt code opens anything. The nonces of offices' requests and the
turns of offices do not: they hold exact times, and are of no use minutes later. Neither do unfinished uploads, which
are sent again.
"""

import argparse
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from pkgutil import iter_modules
from typing import BinaryIO

from crypto.age import PqRecipient, open_stream, parse_identity_file, seal_stream
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, REPORT_FILE, URGENCY_FILE, SealedFile, read_manifest
from portal.charters.known import Charters
from portal.kit.backup import Kept, NamedBlobs
from portal.kit.backup_command import BackupCommands, FindFaults
from portal.kit.backup_command import run as run_command
from portal.kit.backup_form import BackupError, Readable
from portal.kit.columns import UnreadableError
from portal.kit.piped import Work
from portal.kit.restore import RESTORING
from portal.kit.snapshots import Row, StoredDatabase
from portal.settings import Settings
from portal.storage import migrations
from portal.storage.blobs import PIECE_BYTES, BlobStore, Part, parse_part
from portal.storage.database import SCHEMA, Database
from portal.storage.errors import BlobMissingError, StorageFullError
from portal.storage.keys import DECOY_KEY, REALM, SIGNING_KEY, is_secret, load_decoy_key, load_realm, load_signing_key
from portal.storage.open_blobs import open_blobs
from portal.storage.records import SubmissionRecord
from portal.storage.submissions import decode_parts, is_id

NEXT = "Run check, then start the portal. Its offices notice at their next visit, and bring what they have."
DAY_CHARS = len("2026-01-31")
_BLOBS = "blobs/parts"


async def run(options: argparse.Namespace, settings: Settings, today: date) -> int:
    """Run one of the three commands; returns the exit status.

    Raises BackupError, DatabaseError, OSError, and CryptoError for a recipient, an identity or a seal.
    """

    def moved(data: Path, url: str) -> tuple[Kept, FindFaults]:
        there = replace(settings, data=data, database=url, blobs="")
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
    """What the portal of these settings keeps."""
    return Kept(
        program="portal",
        data=settings.data,
        stored=StoredDatabase(SCHEMA.app, settings.database_url, left_out=("nonce", "visit")),
        secrets=(SIGNING_KEY, DECOY_KEY, REALM),
        is_secret=is_secret,
        naming="SELECT submission, parts, delete_from FROM submission WHERE NOT deleted ORDER BY sequence",
        read_row=_read_row,
        migrations=frozenset(module.name for module in iter_modules(migrations.__path__)),
        is_blob=lambda path: _parse(path, 0) is not None,
        open_blobs=partial(_open_blobs, settings),
    )


async def find_faults(settings: Settings) -> list[str]:
    """What is wrong with the data of these settings, as the portal's own code reads it; files by their paths.

    Every sealed file of a report that is not deleted is read and compared with its manifest.
    """
    load_decoy_key(settings.data)
    key, realm = load_signing_key(settings.data, settings.key_name), load_realm(settings.data)
    database, blobs = await Database.open(settings.database_url), open_blobs(settings.blobs_url, 0)
    try:
        with database.use():
            faults = await StoredDatabase(SCHEMA.app, settings.database_url, ()).find_damage()
            charters = Charters(settings.origin, realm, key.verifier)
            await charters.refresh()
            if charters.all_newest() and all(charter.realm != realm for charter in charters.all_newest()):
                faults.append("secrets/realm: no charter names it")
            for sequence in (
                await SubmissionRecord.filter(deleted=False).order_by("sequence").values_list("sequence", flat=True)
            ):
                faults += await _faults_of(await SubmissionRecord.get(sequence=sequence), blobs)
            return faults
    finally:
        await blobs.close()
        await database.close()


async def _faults_of(row: SubmissionRecord, blobs: BlobStore) -> list[str]:
    try:
        manifest, parts = read_manifest(bytes(row.manifest)), decode_parts(bytes(row.parts))
        small = {
            REPORT_FILE: bytes(row.report),
            GRANT_FILE: bytes(row.grant),
            URGENCY_FILE: bytes(row.urgency or b""),
        }
    except (CryptoError, UnreadableError, TypeError):
        return [f"the row {row.sequence} of the reports can't be read"]
    faults = [
        f"{file.name} of the report in row {row.sequence} is not what its manifest names"
        for file in manifest.files
        if file.name in small and hashlib.sha256(small[file.name]).hexdigest() != file.sha256
    ]
    for file in manifest.attachments:
        faults += await _faults_of_attachment(blobs, manifest.submission, file, parts.get(file.name, []))
    return faults


async def _faults_of_attachment(
    blobs: BlobStore, submission: SubmissionId, file: SealedFile, parts: list[str]
) -> list[str]:
    found, size, missing = hashlib.sha256(), 0, []
    for name in parts:
        try:
            async for piece in blobs.read(submission, file.name, name):
                found.update(piece)
                size += len(piece)
        except BlobMissingError:
            missing.append(f"{_BLOBS}/{submission}/{file.name}/{name}")
    if missing or (size, found.hexdigest()) == (file.size, file.sha256):
        return missing
    return [f"{_BLOBS}/{submission}/{file.name} is not what its manifest names"]


def _read_row(row: Row) -> NamedBlobs:
    """Of a row that can't be read the whole folder is named, which is no file: it counts as lost."""
    submission, parts, delete_from = row
    gone_from = str(delete_from)[:DAY_CHARS] if delete_from is not None else None
    try:
        files = decode_parts(bytes(parts))
    except (UnreadableError, TypeError):
        return NamedBlobs((f"{_BLOBS}/{submission}",), gone_from)
    paths = [f"{_BLOBS}/{submission}/{file}/{name}" for file, names in files.items() for name in names]
    return NamedBlobs(tuple(path for path in paths if _parse(path, 0) is not None), gone_from)


def _parse(path: str, size: int) -> tuple[SubmissionId, Part] | None:
    """The submission and the part of a path; None for any other path."""
    folder, _, rest = path.partition(f"{_BLOBS}/")
    submission, file, name = (*rest.split("/"), "", "", "")[:3]
    try:
        part = parse_part(file, name, size)
    except ValueError:
        return None
    if folder or part is None or not is_id(submission) or rest != f"{submission}/{file}/{name}":
        return None
    return SubmissionId(submission), part


@asynccontextmanager
async def _open_blobs(settings: Settings) -> AsyncIterator["PortalBlobs"]:
    store = open_blobs(settings.blobs_url, 0)
    try:
        yield PortalBlobs(store)
    finally:
        await store.close()


@dataclass
class PortalBlobs:
    """The store of parts, by the paths that they have in the portal's data folder."""

    store: BlobStore
    stored: list[tuple[SubmissionId, Part]] = field(default_factory=list)

    async def open(self, path: str) -> tuple[int, BinaryIO]:
        """A part, all of it in memory. FileNotFoundError also when it is not what its name says: that is damage."""
        parsed = _parse(path, 0)
        if parsed is None:
            raise FileNotFoundError(path)
        submission, part = parsed
        try:
            data = b"".join([piece async for piece in self.store.read(submission, part.file, part.name)])
        except BlobMissingError:
            raise FileNotFoundError(path) from None
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise FileNotFoundError(path)
        return len(data), io.BytesIO(data)

    async def put(self, path: str, size: int, source: Readable) -> None:
        parsed = _parse(path, size)
        assert parsed is not None
        submission, part = parsed
        writer = self.store.new_part(submission)
        try:
            while piece := source.read(PIECE_BYTES):
                await writer.write(piece)
            if await writer.digest() != part.sha256:
                raise BackupError("the backup holds a part that is not what its name says")
            await writer.keep(part.file, part.index, part.day)
            self.stored.append(parsed)
        except StorageFullError:
            raise BackupError("no space left for the attachments; nothing was restored") from None
        finally:
            await writer.discard()

    async def undo(self) -> None:
        for submission, part in self.stored:
            await self.store.delete(submission, [part])

    async def check_empty(self) -> None:
        if await self.store.stored():
            raise BackupError("the store of attachments is not empty; a restore needs an empty one")
