# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads a bundle as it streams in: small files into memory, attachments into stored parts (docs/protocol.md §6.1)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date

from crypto.bundle import (
    BundleReader,
    CommitmentEvent,
    Event,
    FileData,
    FileEnd,
    FileMismatch,
    FileStart,
    ManifestEvent,
)
from crypto.errors import LimitError, MalformedError, UnsupportedVersionError
from crypto.manifest import REQUIRED_FILES, STATE_FILE, Manifest, ManifestError, manifest_hash
from portal.api.refusals import Refusal
from portal.api.sealed_form import PREFIX_BYTES, check_sealed
from portal.storage.blobs import BLOCK_BYTES, PART_BYTES, PartStore, PartWriter

_MISMATCH = {"size": "file-size-mismatch", "sha256": "file-hash-mismatch"}
SMALL_FILES = (*REQUIRED_FILES, STATE_FILE)
OnManifest = Callable[[Manifest, str], Awaitable[None]]
OnPart = Callable[[str], None]


@dataclass
class Received:
    """A complete bundle. ``files`` holds the small sealed files, ``parts`` the names of stored parts by attachment."""

    manifest: Manifest
    manifest_bytes: bytes
    manifest_sha256: str
    commitment: str = ""
    files: dict[str, bytearray] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)


async def receive_bundle(
    body: AsyncIterator[bytes], blobs: PartStore, today: date, on_manifest: OnManifest, on_part: OnPart
) -> Received:
    """Read a bundle to its end. ``on_manifest`` gets the manifest and its hash before any file is read, ``on_part`` the
    name of an attachment before each part that is stored of it; both may refuse.

    Raises Refusal with the codes of docs/protocol.md §7.2. Parts that were stored before an error stay
    until they expire: another request may be using the same ones.
    """
    reader, receiver = BundleReader(), _Receiver(blobs, today, on_manifest, on_part)
    try:
        async for chunk in body:
            for event in _feed(reader, chunk):
                await receiver.handle(event)
        try:
            reader.finish()
        except MalformedError:
            raise Refusal("malformed-bundle") from None
    finally:
        await receiver.close()
    return receiver.received


def _feed(reader: BundleReader, chunk: bytes) -> list[Event]:
    try:
        return reader.feed(chunk)
    except FileMismatch as error:
        raise Refusal(_MISMATCH[error.what], error.file) from None
    except ManifestError:
        raise Refusal("malformed-manifest") from None
    except LimitError:
        raise Refusal("too-large") from None
    except (MalformedError, UnsupportedVersionError):
        raise Refusal("malformed-bundle") from None


class _Receiver:
    """Handles the events of one bundle in turn."""

    def __init__(self, blobs: PartStore, today: date, on_manifest: OnManifest, on_part: OnPart) -> None:
        self._received: Received | None = None
        self._blobs = blobs
        self._today = today
        self._on_manifest = on_manifest
        self._on_part = on_part
        self._file = ""
        self._prefix = bytearray()
        self._writer: PartWriter | None = None

    @property
    def received(self) -> Received:
        """What has come. A bundle begins with its manifest."""
        assert self._received is not None
        return self._received

    async def handle(self, event: Event) -> None:
        match event:
            case ManifestEvent(manifest, data):
                self._received = Received(manifest, data, manifest_hash(data))
                await self._on_manifest(manifest, self.received.manifest_sha256)
            case CommitmentEvent(commitment):
                self.received.commitment = commitment
            case FileStart(name):
                self._start(name)
            case FileData(data):
                await self._data(data)
            case FileEnd(name):
                await self._end(name)

    async def close(self) -> None:
        """Discard the unfinished part, if any."""
        if self._writer is not None:
            await asyncio.shield(self._writer.discard())

    def _start(self, name: str) -> None:
        self._file = name
        if name in SMALL_FILES:
            self.received.files[name] = bytearray()
        else:
            self.received.parts[name] = []
            self._prefix.clear()

    async def _data(self, data: bytes) -> None:
        if self._file in SMALL_FILES:
            self.received.files[self._file] += data
            return
        self._prefix += data[: PREFIX_BYTES - len(self._prefix)]
        while data:
            if self._writer is None:
                self._on_part(self._file)
                self._writer = self._blobs.new_part(self.received.manifest.submission)
            room = PART_BYTES - self._writer.size
            await self._writer.write(data[:room])
            data = data[room:]
            if self._writer.size == PART_BYTES:
                await self._keep_part(self._writer)

    async def _end(self, name: str) -> None:
        if name in SMALL_FILES:
            return
        if self._writer is not None:
            await self._keep_part(self._writer)
        check_sealed(name, self._prefix)

    async def _keep_part(self, writer: PartWriter) -> None:
        index = len(self.received.parts[self._file]) * (PART_BYTES // BLOCK_BYTES)
        if index == 0:
            check_sealed(self._file, self._prefix)
        await writer.digest()
        name = await writer.keep(self._file, index, self._today)
        self.received.parts[self._file].append(name)
        self._writer = None
