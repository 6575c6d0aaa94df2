# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a disk has left, and a ballast that is thrown off when it has nothing left.

A full disk must not keep a program from what frees it: deleting writes too, and so does a login. So the program holds a
file of no use, drops it when the disk is about to be full, and makes it again when there is room.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from portal.kit.files import UnfinishedFile, sync_folder

BALLAST = "ballast"
PIECE_BYTES = 256 * 1024


def free_bytes(folder: Path) -> int:
    """Bytes that the disk of ``folder`` has left for programs without privileges."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


@dataclass(frozen=True)
class Ballast:
    """A file of ``size`` bytes in ``folder``; with 0 there is none.

    It is dropped when less than half of its size is free, and made again when three times its size is. Its bytes are
    random: file systems that compress, or that promise what they don't have, hold room for it all the same.
    """

    folder: Path
    size: int

    def adjust(self) -> bool:
        """Drop the ballast or make it again, whichever is due; whether it is there afterwards. Raises OSError."""
        path = self.folder / BALLAST
        there = path.exists()
        free = free_bytes(self.folder)
        if there and free < self.size // 2:
            path.unlink(missing_ok=True)
            return False
        if not there and self.size and free >= 3 * self.size:
            _fill(path, self.size)
            return True
        return there


def _fill(path: Path, size: int) -> None:
    """Piece by piece: what takes room on the disk takes none in memory."""
    fresh = UnfinishedFile(path.with_name(f".{path.name}.{secrets.token_hex(8)}"))
    try:
        for start in range(0, size, PIECE_BYTES):
            fresh.write(secrets.token_bytes(min(PIECE_BYTES, size - start)))
        fresh.finish()
        fresh.path.replace(path)
    finally:
        fresh.discard()
    sync_folder(path.parent)
