# SPDX-License-Identifier: AGPL-3.0-or-later
"""The store of sealed attachments, in the parts in which they were uploaded (docs/protocol.md §7.1).

A part's key is ``parts/{submission}/{file}/{index:05d}-{sha256}-{day}``. Parts have no rows: a listing
finds them. Parts are never joined or copied, and a stored one never changes. The key holds the day of the upload, so an
expired part never has the key of one that is uploaded again, and deleting it cannot delete that one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from crypto.attachment import FILE as ATTACHMENT_FILE
from crypto.ids import SubmissionId

PART_BYTES = 4 * 1024 * 1024
FILE = re.compile(ATTACHMENT_FILE)
INDEX_MAX = 2 * 1024**3 // PART_BYTES
_NAME = re.compile(r"([0-9]{5})-([0-9a-f]{64})-([0-9]{8})")


@dataclass(frozen=True)
class Part:
    """One stored part: its file, its place in the file, its bytes' hash, and the day of its upload."""

    file: str
    index: int
    sha256: str
    day: date
    size: int

    @property
    def name(self) -> str:
        return part_name(self.index, self.sha256, self.day)


class PartWriter(Protocol):
    """Writes the bytes of one part as they arrive. End it with ``keep`` or ``discard``."""

    size: int

    async def write(self, chunk: bytes) -> None:
        """Write the next bytes. Raises StorageFullError."""

    async def digest(self) -> str:
        """Return the SHA-256 (hex) of all bytes written; nothing may be written after it."""

    async def keep(self, submission: SubmissionId, file: str, index: int, day: date) -> str:
        """Make the part durable and return its name. Called after ``digest``. Raises StorageFullError."""

    async def discard(self) -> None:
        """Delete the bytes written. Does nothing after ``keep``."""


class BlobStore(Protocol):
    """A store of parts."""

    async def check(self) -> None:
        """Raise OSError or another error unless the store is writable."""

    def new_part(self) -> PartWriter:
        """Return a writer for one part of at most ``PART_BYTES``."""

    async def parts(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        """The parts of a submission, or of one of its files, sorted by file number and index."""

    async def read(self, submission: SubmissionId, file: str, name: str) -> bytes:
        """The bytes of a part. Raises BlobMissingError."""

    async def submissions(self) -> list[SubmissionId]:
        """Ids of the submissions that have parts."""

    async def sweep(self, today: date) -> None:
        """Delete the unfinished parts that crashes have left."""

    async def delete(self, submission: SubmissionId, parts: Sequence[Part]) -> None:
        """Delete these parts; those that are gone already don't matter."""

    async def close(self) -> None:
        """Close threads and connections."""


def part_name(index: int, sha256: str, day: date) -> str:
    return f"{index:05d}-{sha256}-{day:%Y%m%d}"


def parse_part(file: str, name: str, size: int) -> Part | None:
    """Return the part of a stored name, or None for any other name."""
    match = _NAME.fullmatch(name)
    if not match or not FILE.fullmatch(file):
        return None
    return Part(file, int(match[1]), match[2], datetime.strptime(match[3], "%Y%m%d").replace(tzinfo=UTC).date(), size)


def part_order(part: Part) -> tuple[int, int, str]:
    """Sort key: the number of the file, then the index."""
    match = FILE.fullmatch(part.file)
    return (int(match[1]) if match else 0, part.index, part.name)
