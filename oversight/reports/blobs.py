# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed attachments as files: ``blobs/<submission>/<file>``. A file under its name is whole and on the disk.

What a crash leaves behind bears a name that nothing reads and the next collection clears away.
"""

import errno
import hashlib
import secrets
import shutil
import time
from pathlib import Path

from crypto.ids import SubmissionId
from crypto.manifest import SealedFile
from portal.kit.files import UnfinishedFile, sync_folder
from portal.kit.free_space import free_bytes

UNFINISHED = ".part"
KEPT_FREE_BYTES = 256 * 1024 * 1024
DAY_SECONDS = 24 * 60 * 60
FREE_BYTES_MIN = 64 * 1024 * 1024


class BlobWriter(UnfinishedFile):
    """One file on its way in. ``keep``, which leaves nothing when it fails, or ``discard`` must be called once."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder / f"{name}.{secrets.token_hex(8)}{UNFINISHED}")
        self._kept = folder / name

    def keep(self) -> None:
        """Make the file durable under its own name. It and its folder bear the day, and no more exact time."""
        midnight = time.time() // DAY_SECONDS * DAY_SECONDS
        try:
            self.finish(midnight)
            self.path.replace(self._kept)
        except BaseException:
            self.discard()
            raise
        for folder in (self._kept.parent, self._kept.parent.parent):
            sync_folder(folder, midnight)


class Blobs:
    """The folder of sealed attachments. Submission ids and file names come from a checked manifest."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def begin(self, submission: SubmissionId, name: str) -> BlobWriter:
        """Start to write a file; its folder is made durable first.

        Raises OSError, also while the disk has little left: that is for what members write, and for logins.
        """
        if free_bytes(self._root.parent) < FREE_BYTES_MIN:
            raise OSError(errno.ENOSPC, "less space left than must stay free")
        folder = self._root / submission
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True)
            sync_folder(self._root)
            sync_folder(self._root.parent)
        return BlobWriter(folder, name)

    def free_bytes(self) -> int:
        """What the disk has left. Raises OSError."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return free_bytes(self._root)

    def is_room(self, size: int) -> bool:
        """Whether ``size`` bytes leave the disk the room that the rest of the office needs. Raises OSError."""
        return self.free_bytes() - size >= KEPT_FREE_BYTES

    def path(self, submission: SubmissionId, name: str) -> Path:
        return self._root / submission / name

    def has(self, submission: SubmissionId, name: str, size: int) -> bool:
        """Whether the whole file is here; a file is whole as soon as it bears its name."""
        path = self.path(submission, name)
        return path.is_file() and path.stat().st_size == size

    def holds(self, submission: SubmissionId, file: SealedFile) -> bool:
        """Whether these very bytes are here. Raises OSError."""
        if not self.has(submission, file.name, file.size):
            return False
        with self.path(submission, file.name).open("rb") as kept:
            return hashlib.file_digest(kept, "sha256").hexdigest() == file.sha256

    def bytes_of(self, submission: SubmissionId) -> int:
        """What all files of this submission take."""
        return sum(path.stat().st_size for path in (self._root / submission).glob("*"))

    def forget(self, submission: SubmissionId) -> None:
        """Delete every file of this submission; only for one that is not stored."""
        shutil.rmtree(self._root / submission, ignore_errors=True)

    def clear_unfinished(self, submission: SubmissionId) -> None:
        for path in (self._root / submission).glob(f"*{UNFINISHED}"):
            path.unlink(missing_ok=True)
