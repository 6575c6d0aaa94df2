# SPDX-License-Identifier: AGPL-3.0-or-later
"""The store of sealed attachments, in the parts in which they were uploaded (docs/protocol.md §7.1).

A part's key is ``parts/{submission}/{file}/{index:05d}-{sha256}-{day}``, where ``index`` counts blocks of 64 KiB. Parts
have no rows: a listing finds them. Parts are never joined or copied, and a stored one never changes. The key holds the
day of the upload, so an expired part never has the key of one that is uploaded again, and deleting it cannot delete
that one.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from crypto.attachment import FILE as ATTACHMENT_FILE
from crypto.ids import SubmissionId

PART_BYTES = 4 * 1024 * 1024
BLOCK_BYTES = 64 * 1024
"""Parts begin at a multiple of it, and all of a file but the last end at one: a slow line has short ones."""
PIECE_BYTES = 256 * 1024
"""As much of a part as a disk is given or asked for at once: few switches between threads, and little memory."""
FILE = re.compile(ATTACHMENT_FILE)
INDEX_MAX = 2 * 1024**3 // BLOCK_BYTES
_NAME = re.compile(r"([0-9]{5})-([0-9a-f]{64})-([0-9]{4})([0-9]{2})([0-9]{2})")


@dataclass(frozen=True)
class Part:
    """One stored part: its file, its place in the file in blocks, its bytes' hash, and the day of its upload."""

    file: str
    index: int
    sha256: str
    day: date
    size: int

    @property
    def name(self) -> str:
        return part_name(self.index, self.sha256, self.day)


@dataclass(frozen=True)
class Stored:
    """What is stored of a submission: what its parts weigh in all (``weights``), and the day of its oldest one."""

    weight: int
    oldest: date


@dataclass(frozen=True)
class Room:
    """Bytes that a store's disk has left, which disk it is, and whether it is about to run out of files."""

    free_bytes: int
    device: int
    few_files: bool


class PartWriter(Protocol):
    """Writes the bytes of one part as they arrive. End it with ``keep`` or ``discard``."""

    size: int

    async def write(self, chunk: bytes) -> None:
        """Write the next bytes. Raises StorageFullError."""

    async def digest(self) -> str:
        """Return the SHA-256 (hex) of all bytes written; nothing may be written after it."""

    async def keep(self, file: str, index: int, day: date) -> str:
        """Make the part durable and return its name. Called after ``digest``.

        Raises StorageFullError, and BusyError while the submission's parts give way to others.
        """

    async def discard(self) -> None:
        """Delete the bytes written. Does nothing after ``keep``."""


class PartStore(Protocol):
    """Where parts are written and found. What takes nothing, or can't be reached, is an OSError of every call."""

    def new_part(self, submission: SubmissionId) -> PartWriter:
        """Return a writer for one part of this submission, of at most ``PART_BYTES``."""

    async def parts(self, submission: SubmissionId, file: str | None = None) -> list[Part]:
        """The parts of a submission, or of one of its files, sorted by file number and index."""

    def read(self, submission: SubmissionId, file: str, name: str) -> AsyncIterator[bytes]:
        """The bytes of a part, in pieces. Between two of them nothing is open: whoever reads may stop at any.

        A part that has lost its end ends there; whoever reads knows what it shall be. Raises BlobMissingError.
        """


class BlobStore(PartStore, Protocol):
    """A store of parts."""

    async def stored(self) -> dict[SubmissionId, Stored]:
        """What there is of each submission that has parts. It reads all names: for sweeps and counts only."""

    async def room(self) -> Room | None:
        """What the disk has left; None for a store that does not say."""

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
    return Part(file, int(match[1]), match[2], date(int(match[3]), int(match[4]), int(match[5])), size)


def part_order(part: Part) -> tuple[int, int, str]:
    """Sort key: the number of the file, then the index."""
    match = FILE.fullmatch(part.file)
    return (int(match[1]) if match else 0, part.index, part.name)
