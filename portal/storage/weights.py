# SPDX-License-Identifier: AGPL-3.0-or-later
"""What things count for in the portal's shares: never less than they take on the disk.

A small file takes up to three inodes, its own and those of two folders, and file systems commonly make one for every
16 KiB: by its least weight a flood of small parts meets its share before it has used up the inodes.
"""

from collections.abc import Iterable

from portal.storage.blobs import BLOCK_BYTES, Part, Stored

DISK_BLOCK_BYTES = 4096
PART_BYTES_MIN = BLOCK_BYTES
ROW_BYTES = 4096
"""What a row takes besides its sealed columns: the other ones, and its places in indexes."""
MAILBOX_BYTES = 20 * 1024
"""The state of a mailbox, and what stays of its report after the grace."""
FOLLOW_UP_BYTES = 72 * 1024
"""More than any follow-up has, so that their number tells their weight."""
WEIGHT_MAX = 2**40
"""Nothing that was accepted weighs as much."""


def part_weight(size: int) -> int:
    """What a stored part of ``size`` bytes counts for."""
    return max(PART_BYTES_MIN, -(-size // DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES)


def stored(parts: Iterable[Part]) -> Stored | None:
    """What these parts amount to; None without any."""
    there = list(parts)
    if not there:
        return None
    return Stored(sum(part_weight(part.size) for part in there), min(part.day for part in there))


def file_weight(size: int) -> int:
    """What a sealed file of ``size`` bytes counts for at the most, in however many parts it is stored."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def row_weight(*sealed: bytes) -> int:
    """What a row with these sealed columns counts for."""
    return ROW_BYTES + sum(len(each) for each in sealed)
