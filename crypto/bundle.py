# SPDX-License-Identifier: AGPL-3.0-or-later
"""A submission as one file: a stored ZIP archive with a single encoding. docs/protocol.md §6.1.

    for each entry:   local header (30) ‖ name ‖ content
    for each entry:   central header (46) ‖ name
    end record (22)

The entries are ``manifest.json``, ``commitment``, ``state.age``, then the sealed files in the order of the manifest, of
which only attachments may be left out. Name, size and CRC-32 determine a header, so the reader rebuilds every header
and compares bytes: an archive has one encoding, and holds nothing that we read and another program ignores.
"""

import hashlib
import struct
import zlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Literal

from crypto.encoding import HASH_BYTES, decode_hex
from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.manifest import (
    MANIFEST_MAX,
    REQUIRED_FILES,
    STATE_FILE,
    STATE_SEALED_MAX,
    Manifest,
    SealedFile,
    read_manifest,
)

MEDIA_TYPE = "application/vnd.amparo.bundle+zip"
MANIFEST_ENTRY = "manifest.json"
COMMITMENT_ENTRY = "commitment"
BUNDLE_MAX = 2**32 - 1

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_LOCAL_MARK = b"PK\x03\x04"
_CENTRAL_MARK = b"PK\x01\x02"
_END_MARK = b"PK\x05\x06"
_VERSION = 20
_DATE = 0x0021
_NAME_MAX = len("attachment-32.age")
_SLICE = 1024 * 1024


class FileMismatch(MalformedError):
    """A file differs from its entry in the manifest; ``what`` says whether in its size or its hash."""

    def __init__(self, file: str, what: Literal["size", "sha256"]) -> None:
        super().__init__(f"{file} has another {what} than in the manifest")
        self.file = file
        self.what = what


@dataclass(frozen=True)
class ManifestEvent:
    """The manifest was read: its values, and its bytes, which are hashed."""

    manifest: Manifest
    data: bytes


@dataclass(frozen=True)
class CommitmentEvent:
    """The commitment was read, in hex."""

    commitment: str


@dataclass(frozen=True)
class FileStart:
    """A sealed file begins: the state, or one whose name and size are those of its entry in the manifest."""

    name: str
    size: int


@dataclass(frozen=True)
class FileData:
    """The next bytes of the current file."""

    data: bytes


@dataclass(frozen=True)
class FileEnd:
    """The current file is complete; its hash is the one in the manifest, which does not name the state."""

    name: str
    sha256: str


Event = ManifestEvent | CommitmentEvent | FileStart | FileData | FileEnd


@dataclass(frozen=True)
class _Entry:
    """One entry of the archive: its fields in the local header, repeated in the central directory."""

    name: str
    crc: int
    size: int
    offset: int

    def local_header(self) -> bytes:
        name = self.name.encode("ascii")
        sizes = (self.crc, self.size, self.size, len(name), 0)
        return _LOCAL.pack(_LOCAL_MARK, _VERSION, 0, 0, 0, _DATE, *sizes) + name

    def central_header(self) -> bytes:
        name = self.name.encode("ascii")
        sizes = (self.crc, self.size, self.size, len(name), 0, 0)
        fixed = (_CENTRAL_MARK, _VERSION, _VERSION, 0, 0, 0, _DATE)
        return _CENTRAL.pack(*fixed, *sizes, 0, 0, 0, self.offset) + name


def write_bundle(manifest_bytes: bytes, commitment: str, files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the archive of a manifest, its commitment (hex), the state, and the sealed files in the manifest's order.

    Attachments may be left out. Raises MalformedError or LimitError when a reader would refuse the result.
    """
    archive = bytearray()
    entries = []
    contents = [(MANIFEST_ENTRY, manifest_bytes), (COMMITMENT_ENTRY, commitment.encode("ascii")), *files]
    for name, content in contents:
        entry = _Entry(name, zlib.crc32(content), len(content), len(archive))
        _check_room(entry)
        entries.append(entry)
        archive += entry.local_header() + content
    archive += _directory(entries, len(archive))
    _check_readable(archive)
    return bytes(archive)


class BundleReader:
    """Reads a bundle as it arrives, in chunks of any size, holding at most one chunk and the manifest.

    ``feed`` takes chunks and returns the events they complete; ``finish`` marks the end. Both raise LimitError for an
    entry that is too large, before it is read; FileMismatch for a file that differs from the manifest; ManifestError
    and UnsupportedVersionError for the manifest; MalformedError for any other departure from the encoding of §6.1.
    After an error the reader refuses more input, and the caller must undo what it did with earlier events; a bundle is
    complete only after ``finish``.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0
        self._entries: list[_Entry] = []
        self._steps = self._read()
        self._state: Literal["reading", "complete", "failed"] = "reading"

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes, any number of them, and return the events that they complete, in order."""
        if self._state == "failed":
            raise MalformedError("the bundle was refused before")
        self._buffer += chunk
        events: list[Event] = []
        try:
            for event in self._steps:
                if event is None:
                    return events
                events.append(event)
            if self._buffer:
                raise MalformedError("the bundle has bytes after its end")
        except CryptoError:
            self._state = "failed"
            raise
        self._state = "complete"
        return events

    def finish(self) -> None:
        """Mark the end of the bytes. Raises MalformedError when the bundle is truncated or was refused."""
        if self._state != "complete":
            raise MalformedError("the bundle is truncated")

    def _read(self) -> Generator[Event | None, None, None]:
        """The whole format in one pass; ``None`` stands for "needs more bytes"."""
        manifest_bytes = yield from self._read_small(MANIFEST_ENTRY, MANIFEST_MAX)
        manifest = read_manifest(manifest_bytes)
        yield ManifestEvent(manifest, manifest_bytes)
        commitment = (yield from self._read_small(COMMITMENT_ENTRY, 2 * HASH_BYTES)).decode("latin-1")
        decode_hex(commitment, HASH_BYTES)
        yield CommitmentEvent(commitment)
        yield from self._read_state()
        expected = list(manifest.files)
        while expected and (
            expected[0].name in REQUIRED_FILES or (yield from self._peek(len(_LOCAL_MARK))) == _LOCAL_MARK
        ):
            entry = yield from self._read_header()
            # Attachments that were uploaded before are skipped; any other file must be the next one.
            while expected and expected[0].name != entry.name and expected[0].name not in REQUIRED_FILES:
                expected.pop(0)
            if not expected or expected[0].name != entry.name:
                raise MalformedError("the bundle has an unexpected entry")
            yield from self._read_file(entry, expected.pop(0))
        yield from self._read_directory()

    def _read_state(self) -> Generator[Event | None, None, None]:
        entry = yield from self._read_header()
        if entry.name != STATE_FILE:
            raise MalformedError(f"the bundle lacks {STATE_FILE}, or has it in the wrong place")
        if not 1 <= entry.size <= STATE_SEALED_MAX:
            raise LimitError(f"{STATE_FILE} has {entry.size} bytes; the limit is {STATE_SEALED_MAX}")
        yield FileStart(entry.name, entry.size)
        sha256 = yield from self._read_content(entry)
        yield FileEnd(entry.name, sha256)

    def _read_small(self, name: str, size_max: int) -> Generator[None, None, bytes]:
        entry = yield from self._read_header()
        if entry.name != name:
            raise MalformedError(f"the bundle lacks {name}, or has it in the wrong place")
        if entry.size > size_max:
            raise LimitError(f"{name} has {entry.size} bytes; the limit is {size_max}")
        content = yield from self._take(entry.size)
        self._close(entry, zlib.crc32(content))
        return content

    def _read_header(self) -> Generator[None, None, _Entry]:
        fixed = yield from self._peek(_LOCAL.size)
        *_, crc, size, _, name_size, _ = _LOCAL.unpack(fixed)
        if fixed[: len(_LOCAL_MARK)] != _LOCAL_MARK or name_size > _NAME_MAX:
            raise MalformedError("the bundle lacks an expected entry")
        header = yield from self._peek(_LOCAL.size + name_size)
        entry = _Entry(header[_LOCAL.size :].decode("latin-1"), crc, size, self._offset)
        if not entry.name.isascii() or header != entry.local_header():
            raise MalformedError("the bundle has an entry header that is not in its only allowed form")
        _check_room(entry)
        yield from self._take(len(header))
        return entry

    def _read_file(self, entry: _Entry, file: SealedFile) -> Generator[Event | None, None, None]:
        if entry.size != file.size:
            raise FileMismatch(file.name, "size")
        yield FileStart(file.name, file.size)
        sha256 = yield from self._read_content(entry)
        if sha256 != file.sha256:
            raise FileMismatch(file.name, "sha256")
        yield FileEnd(file.name, file.sha256)

    def _read_content(self, entry: _Entry) -> Generator[Event | None, None, str]:
        """Hand out the bytes of an entry; return their SHA-256 in hex."""
        crc, digest, left = 0, hashlib.sha256(), entry.size
        while left:
            yield from self._peek(1)
            data = yield from self._take(min(left, len(self._buffer)))
            crc, left = zlib.crc32(data, crc), left - len(data)
            digest.update(data)
            yield FileData(data)
        self._close(entry, crc)
        return digest.hexdigest()

    def _read_directory(self) -> Generator[None, None, None]:
        expected = _directory(self._entries, self._offset)
        if (yield from self._take(len(expected))) != expected:
            raise MalformedError("the central directory does not repeat the entries in its only allowed form")

    def _close(self, entry: _Entry, crc: int) -> None:
        if entry.crc != crc:
            raise MalformedError(f"{entry.name} has another CRC-32 than in its header")
        self._entries.append(entry)

    def _peek(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size:
            yield None
        return bytes(self._buffer[:size])

    def _take(self, size: int) -> Generator[None, None, bytes]:
        data = yield from self._peek(size)
        del self._buffer[:size]
        self._offset += size
        return data


def _directory(entries: list[_Entry], offset: int) -> bytes:
    headers = b"".join(entry.central_header() for entry in entries)
    if offset + len(headers) + _END.size > BUNDLE_MAX:
        raise LimitError("bundle is 4 GiB or larger")
    return headers + _END.pack(_END_MARK, 0, 0, len(entries), len(entries), len(headers), offset, 0)


def _check_room(entry: _Entry) -> None:
    if entry.offset + _LOCAL.size + len(entry.name) + entry.size > BUNDLE_MAX:
        raise LimitError("bundle is 4 GiB or larger")


def _check_readable(archive: bytearray) -> None:
    reader = BundleReader()
    for start in range(0, len(archive), _SLICE):
        reader.feed(bytes(archive[start : start + _SLICE]))
    reader.finish()
