# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking one submission in: check what the portal shows, fetch every file, make all of it durable.

Who holds the portal holds its key, and can acknowledge what nobody sent: no check here tells an invented report from
one that a stranger sent. What it costs is bounded: by the charter's limits, by what the collector takes in a day, and
by the room on this office's disk.

The order matters and every step can be repeated. Attachments become durable files first, then one transaction makes the
submission and its small files durable. Only when that is committed may anyone confirm the collection: from then on the
portal may delete. A crash before the commit leaves files that the next run finds and keeps.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from crypto.acknowledgement import Acknowledgement, read_acknowledgement
from crypto.age import sealed_size
from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.ids import CharterHash
from crypto.manifest import Manifest, SealedFile, manifest_hash, read_manifest
from crypto.padding import padded_attachment_size
from oversight.reports.blobs import Blobs
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from oversight.reports.stuck import NO_ROOM
from oversight.reports.unfinished import UnfinishedArrivals
from oversight.wire.patience import Patience
from oversight.wire.portal_client import PortalClient, Sink
from oversight.wire.portal_errors import DamagedFile, PortalRefused
from oversight.wire.portal_responses import WaitingSubmission
from portal.kit.columns import NUMBER_MAX, YEAR_MIN
from portal.kit.database import transaction

# As much as the portal allows for the header of an attachment.
HEADER_BYTES_MAX = 64 * 1024


class DamagedArrivalError(Exception):
    """What the portal holds under this sequence can't be collected as it is.

    ``problem``: ``manifest`` (unreadable, or of another submission), ``conflict`` (another manifest than before under
    the same id), ``charter`` (not one of this office's), ``acknowledgement`` (none by the portal of this commission for
    these very files), ``day`` (of receipt, before all that an office keeps), ``too-large`` (more or larger attachments
    than the charter allows), ``file-size``, ``file-hash``, ``file-missing``, ``no-room`` (on this office's disk).
    """

    def __init__(self, problem: str, file: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.file = file


@dataclass(frozen=True)
class CheckedSubmission:
    """A waiting submission whose manifest and acknowledgement were checked: what is left is to fetch its files."""

    waiting: WaitingSubmission
    manifest: Manifest
    acknowledgement: Acknowledgement

    @property
    def size(self) -> int:
        """Of all files together, in bytes."""
        return sum(file.size for file in self.manifest.files)


@dataclass
class Receiver:
    """What taking in needs: the portal, the folder of attachments, and this office's charters by their hashes."""

    client: PortalClient
    blobs: Blobs
    charters: Callable[[], Awaitable[Mapping[CharterHash, Charter]]]
    numbering: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.unfinished = UnfinishedArrivals(self.blobs)

    async def check(self, waiting: WaitingSubmission) -> CheckedSubmission | None:
        """What to fetch, or nothing for a submission that was stored before. Raises DamagedArrivalError."""
        stored = await SubmissionRecord.get_or_none(id=waiting.submission)
        if stored is not None:
            if stored.manifest != waiting.manifest:
                raise DamagedArrivalError("conflict")
            return None
        return await asyncio.to_thread(_check, waiting, await self.charters())

    async def fetch(
        self, acknowledged: CheckedSubmission, today: date, reserved: int, patience: Patience
    ) -> SubmissionRecord:
        """Fetch every file, and store all of it; ``reserved`` bytes are to be stored now, by this and by others.

        ``patience`` is that of all its files together.

        Raises DamagedArrivalError, PortalError for reasons that are not in the bytes, OSError when it can't be stored.
        """
        manifest = acknowledged.manifest
        async with self.unfinished.attempt(manifest.submission):
            while not await asyncio.to_thread(self.blobs.is_room, reserved):
                if not await self.unfinished.give_way():
                    raise DamagedArrivalError(NO_ROOM)
            return await self._fetch_all(acknowledged, today, patience)

    async def _fetch_all(self, acknowledged: CheckedSubmission, today: date, patience: Patience) -> SubmissionRecord:
        manifest = acknowledged.manifest
        files = [file for file in manifest.files if file not in manifest.attachments]
        small = [await self._fetch_small(manifest, file, patience) for file in files]
        await asyncio.to_thread(self.blobs.clear_unfinished, manifest.submission)
        for file in manifest.attachments:
            await self._fetch_attachment(manifest, file, patience)
        async with self.numbering:
            return await _store(acknowledged, small, today)

    async def _fetch_small(self, manifest: Manifest, file: SealedFile, patience: Patience) -> bytes:
        kept = _Memory()
        await self._fetch(manifest, file, kept, patience)
        return bytes(kept.data)

    async def _fetch_attachment(self, manifest: Manifest, file: SealedFile, patience: Patience) -> None:
        # Another manifest may have been shown under this id before.
        if await asyncio.to_thread(self.blobs.holds, manifest.submission, file):
            return
        writer = await asyncio.to_thread(self.blobs.begin, manifest.submission, file.name)
        try:
            await self._fetch(manifest, file, writer, patience)
        except BaseException:
            writer.discard()
            raise
        await asyncio.to_thread(writer.keep)

    async def _fetch(self, manifest: Manifest, file: SealedFile, sink: Sink, patience: Patience) -> None:
        try:
            await self.client.fetch_file(manifest.submission, file, sink, patience)
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


def _check(waiting: WaitingSubmission, charters: Mapping[CharterHash, Charter]) -> CheckedSubmission:
    """What the portal signed to the reporter, and no other day or bytes; its key may have changed with a charter."""
    portals = list({charter.portal for charter in charters.values()})
    try:
        acknowledgement = read_acknowledgement(waiting.acknowledgement, portals)
    except CryptoError:
        raise DamagedArrivalError("acknowledgement") from None
    manifest = _read_manifest(waiting, charters)
    try:
        acknowledgement.check(
            realm=charters[manifest.charter].realm,
            submission=waiting.submission,
            manifest_hash=manifest_hash(waiting.manifest),
        )
    except CryptoError:
        raise DamagedArrivalError("acknowledgement") from None
    # A late one is taken as today's.
    if acknowledgement.received.year < YEAR_MIN:
        raise DamagedArrivalError("day")
    return CheckedSubmission(waiting, manifest, acknowledgement)


def _read_manifest(waiting: WaitingSubmission, charters: Mapping[CharterHash, Charter]) -> Manifest:
    """A manifest of this submission under a charter of this commission, within that charter's limits."""
    try:
        manifest = read_manifest(waiting.manifest)
    except CryptoError:
        raise DamagedArrivalError("manifest") from None
    if manifest.submission != waiting.submission:
        raise DamagedArrivalError("manifest")
    charter = charters.get(manifest.charter)
    if charter is None:
        raise DamagedArrivalError("charter")
    size_max = sealed_size(padded_attachment_size(charter.limits.attachment_bytes), HEADER_BYTES_MAX)
    if len(manifest.attachments) > charter.limits.attachments:
        raise DamagedArrivalError("too-large")
    for file in manifest.attachments:
        if file.size > size_max:
            raise DamagedArrivalError("too-large", file.name)
    return manifest


async def _store(acknowledged: CheckedSubmission, small: list[bytes], today: date) -> SubmissionRecord:
    waiting, manifest = acknowledged.waiting, acknowledged.manifest
    sealed: list[bytes | None] = [*small, *(None for _ in manifest.attachments)]
    async with transaction():
        last = await SubmissionRecord.filter(number__lte=NUMBER_MAX).order_by("-number").only("number").first()
        submission = await SubmissionRecord.create(
            id=manifest.submission,
            number=1 if last is None else last.number + 1,
            charter=manifest.charter,
            manifest=waiting.manifest,
            acknowledgement=waiting.acknowledgement,
            commitment=acknowledged.acknowledgement.commitment,
            # A portal's clock may run ahead, or its holder lie: of a day to come no deadline can be counted.
            received=min(acknowledged.acknowledgement.received, today),
            collected=today,
        )
        await SealedFileRecord.bulk_create(
            SealedFileRecord(submission=submission, name=file.name, size=file.size, sha256=file.sha256, sealed=data)
            for file, data in zip(manifest.files, sealed, strict=True)
        )
    return submission
