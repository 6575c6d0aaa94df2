# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where sealed attachments are kept, in the parts in which they came (docs/protocol.md §7.1).

A part's key is ``parts/{submission}/{file}/{index:05d}-{sha256}-{day}``. There is no row for a part: a listing tells
what is there. Parts are never joined or copied, and one that is kept is never changed. Since the day on which a part
came is in its key, an expired part never has the key of one that comes again: whoever deletes it can't hit that one.
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
    """One stored part: which bytes of which file it holds, and the day on which it came."""

    file: str
    index: int
    sha256: str
    day: date
    size: int

    @property
    def name(self) -> str:
        return part_name(self.index, self.sha256, self.day)


class PartWriter(Protocol):
    """Takes one part's bytes as they come. Either ``keep`` or ``discard`` ends it."""

    size: int

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises StorageFullError."""

    async def digest(self) -> str:
        """SHA-256 (hex) of all that was written; nothing more is written after."""

    async def keep(self, submission: SubmissionId, file: str, index: int, day: date) -> str:
        """Make the part durable and return its name. Called after ``digest``. Raises StorageFullError."""

    async def discard(self) -> None:
        """Throw away what was written. Does nothing after ``keep``."""


class BlobStore(Protocol):
    """A store of parts."""

    async def check(self) -> None:
        """Raise OSError or another error unless the store can be written to."""

    def new_part(self) -> PartWriter:
        """A writer for one part of at most ``PART_BYTES``."""

    async def parts(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        """The parts of a submission, or of one of its files, sorted by file number and index."""

    async def read(self, submission: SubmissionId, file: str, name: str) -> bytes:
        """The bytes of a part. Raises BlobMissingError."""

    async def submissions(self) -> list[SubmissionId]:
        """Ids of the submissions that have parts."""

    async def sweep(self, today: date) -> None:
        """Clear away what crashes have left half-written."""

    async def delete(self, submission: SubmissionId, parts: Sequence[Part]) -> None:
        """Delete these parts; those that are gone already don't matter."""

    async def close(self) -> None:
        """Let go of threads and connections."""


def part_name(index: int, sha256: str, day: date) -> str:
    return f"{index:05d}-{sha256}-{day:%Y%m%d}"


def parse_part(file: str, name: str, size: int) -> Part | None:
    """The part that a stored name stands for, or None for a name that is none of ours."""
    match = _NAME.fullmatch(name)
    if not match or not FILE.fullmatch(file):
        return None
    return Part(file, int(match[1]), match[2], datetime.strptime(match[3], "%Y%m%d").replace(tzinfo=UTC).date(), size)


def part_order(part: Part) -> tuple[int, int, str]:
    """Sorts parts by the number of their file, then by index."""
    match = FILE.fullmatch(part.file)
    return (int(match[1]) if match else 0, part.index, part.name)
