# SPDX-License-Identifier: AGPL-3.0-or-later
"""The file of a backup on its way to the disk: under its own name only when it was read back and is what went out."""

import hashlib
import os
from pathlib import Path

from portal.kit.backup_form import PIECE_BYTES, BackupError
from portal.kit.files import UnfinishedFile, sync_folder

UNFINISHED = ".part"


class OutgoingFile:
    """A new file ``path``, for its owner only; written as ``path.part``. Either ``keep`` or ``discard`` ends it."""

    def __init__(self, path: Path) -> None:
        """Raises BackupError when there is a file of this name, and OSError. What a killed backup left is removed."""
        if path.exists():
            raise BackupError(f"{path} is there already; nothing is overwritten")
        unfinished = path.with_name(path.name + UNFINISHED)
        unfinished.unlink(missing_ok=True)
        self.size = 0
        self._path = path
        self._file = UnfinishedFile(unfinished)
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes, /) -> None:
        """Write the next bytes, all of them. Raises OSError."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def keep(self) -> str:
        """Make it durable, read it again from the disk, and give it its name; its SHA-256 (hex).

        Raises OSError, and BackupError when the disk has something else than what was written.
        """
        self._file.finish()
        if _hash_on_disk(self._file.path) != self._hash.hexdigest():
            raise BackupError("the disk does not give back what was written to it: no backup was made")
        self._file.path.rename(self._path)
        sync_folder(self._path.parent)
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Remove what was written; nothing happens after ``keep``."""
        self._file.discard()


def _hash_on_disk(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        # Else it would come from memory.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := file.read(PIECE_BYTES):
            found.update(piece)
    return found.hexdigest()
