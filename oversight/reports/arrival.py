# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking one submission in: check what the portal shows, fetch every file, make all of it durable.

The order matters and every step can be repeated. Attachments become durable files first, then one transaction makes the
submission and its small files durable. Only when that is committed may anyone confirm the collection: from then on the
portal may delete. A crash before the commit leaves files that the next run finds and keeps.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date

from crypto.acknowledgement import Acknowledgement, read_acknowledgement
from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.ids import CharterHash
from crypto.manifest import Manifest, SealedFile, manifest_hash, read_manifest
from oversight.reports.blobs import Blobs
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from oversight.wire.portal_client import DamagedFile, PortalClient, PortalRefused, Sink
from oversight.wire.portal_responses import WaitingSubmission
from portal.kit.database import transaction


class DamagedArrivalError(Exception):
    """What the portal holds under this sequence can't be collected as it is.

    ``problem``: ``manifest`` (unreadable, or of another submission), ``conflict`` (another manifest than before under
    the same id), ``charter`` (not one of this office's), ``acknowledgement`` (none by the portal of this commission for
    these very files), ``file-size``, ``file-hash``, ``file-missing``.
    """

    def __init__(self, problem: str, file: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.file = file


@dataclass(frozen=True)
class Receiver:
    """What taking in needs: the portal, the folder of attachments, and this office's charters by their hashes."""

    client: PortalClient
    blobs: Blobs
    charters: Callable[[], Awaitable[Mapping[CharterHash, Charter]]]

    async def receive(self, waiting: WaitingSubmission, today: date) -> SubmissionRecord:
        """The stored submission; at once when it was stored before.

        Raises DamagedArrivalError, PortalUnreachable, PortalRefused for reasons that are not this submission's, and
        OSError when it can't be stored.
        """
        stored = await SubmissionRecord.get_or_none(id=waiting.submission)
        if stored is not None:
            if stored.manifest != waiting.manifest:
                raise DamagedArrivalError("conflict")
            return stored
        manifest, acknowledged = await self._check(waiting)
        small = [await self._fetch_small(manifest, file) for file in manifest.files if file not in manifest.attachments]
        await asyncio.to_thread(self.blobs.clear_unfinished, manifest.submission)
        for file in manifest.attachments:
            await self._fetch_attachment(manifest, file)
        return await _store(waiting, acknowledged, manifest, small, today)

    async def _check(self, waiting: WaitingSubmission) -> tuple[Manifest, Acknowledgement]:
        try:
            manifest = read_manifest(waiting.manifest)
        except CryptoError:
            raise DamagedArrivalError("manifest") from None
        if manifest.submission != waiting.submission:
            raise DamagedArrivalError("manifest")
        charters = await self.charters()
        if manifest.charter not in charters:
            raise DamagedArrivalError("charter")
        return manifest, _read_acknowledgement(waiting, charters, charters[manifest.charter].realm)

    async def _fetch_small(self, manifest: Manifest, file: SealedFile) -> bytes:
        kept = _Memory()
        await self._fetch(manifest, file, kept)
        return bytes(kept.data)

    async def _fetch_attachment(self, manifest: Manifest, file: SealedFile) -> None:
        if await asyncio.to_thread(self.blobs.has, manifest.submission, file.name, file.size):
            return
        writer = await asyncio.to_thread(self.blobs.begin, manifest.submission, file.name)
        try:
            await self._fetch(manifest, file, writer)
        except BaseException:
            writer.discard()
            raise
        await asyncio.to_thread(writer.keep)

    async def _fetch(self, manifest: Manifest, file: SealedFile, sink: Sink) -> None:
        try:
            await self.client.fetch_file(manifest.submission, file, sink)
        except DamagedFile as error:
            raise DamagedArrivalError(f"file-{error.what}", file.name) from None
        except PortalRefused as error:
            if error.code == "not-found":
                raise DamagedArrivalError("file-missing", file.name) from None
            raise


class _Memory:
    """Keeps a small file in memory; its size was limited by the manifest."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, chunk: bytes, /) -> None:
        self.data += chunk


def _read_acknowledgement(
    waiting: WaitingSubmission, charters: Mapping[CharterHash, Charter], realm: str
) -> Acknowledgement:
    """What the portal signed to the reporter, and no other day or bytes; its key may have changed with a charter."""
    keys = {charter.portal for charter in charters.values()}
    try:
        acknowledged = read_acknowledgement(waiting.acknowledgement, list(keys))
        acknowledged.check(realm=realm, submission=waiting.submission, manifest_hash=manifest_hash(waiting.manifest))
    except CryptoError:
        raise DamagedArrivalError("acknowledgement") from None
    return acknowledged


async def _store(
    waiting: WaitingSubmission, acknowledged: Acknowledgement, manifest: Manifest, small: list[bytes], today: date
) -> SubmissionRecord:
    sealed: list[bytes | None] = [*small, *(None for _ in manifest.attachments)]
    async with transaction():
        last = await SubmissionRecord.all().order_by("-number").only("number").first()
        submission = await SubmissionRecord.create(
            id=manifest.submission,
            number=1 if last is None else last.number + 1,
            charter=manifest.charter,
            manifest=waiting.manifest,
            acknowledgement=waiting.acknowledgement,
            commitment=acknowledged.commitment,
            received=acknowledged.received,
            collected=today,
        )
        await SealedFileRecord.bulk_create(
            SealedFileRecord(submission=submission, name=file.name, size=file.size, sha256=file.sha256, sealed=data)
            for file, data in zip(manifest.files, sealed, strict=True)
        )
    return submission
