# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed attachments as files: ``blobs/<submission>/<file>``. A file under its name is whole and on the disk.

A file is written under another name, synced, renamed, and its folder synced; what a crash leaves behind bears a name
that nothing reads and the next collection clears away.
"""

import os
import secrets
import time
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".part"
DAY_SECONDS = 24 * 60 * 60


class BlobWriter:
    """One file on its way in. ``keep`` or ``discard`` must be called once."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._path = folder / name
        self._temporary = folder / f"{name}.{secrets.token_hex(8)}{UNFINISHED}"
        self._file: BinaryIO = self._temporary.open("xb", buffering=0)

    def write(self, chunk: bytes, /) -> None:
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]

    def keep(self) -> None:
        """Make the file durable under its own name. It and its folder bear the day, and no more exact time."""
        midnight = time.time() // DAY_SECONDS * DAY_SECONDS
        os.utime(self._file.fileno(), (midnight, midnight))
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._path)
        for folder in (self._folder, self._folder.parent):
            os.utime(folder, (midnight, midnight))
            _sync_folder(folder)

    def discard(self) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)


class Blobs:
    """The folder of sealed attachments. Submission ids and file names come from a checked manifest."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def begin(self, submission: str, name: str) -> BlobWriter:
        """Start to write a file; its folder is made durable first. Raises OSError."""
        folder = self._root / submission
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True)
            _sync_folder(self._root)
            _sync_folder(self._root.parent)
        return BlobWriter(folder, name)

    def path(self, submission: str, name: str) -> Path:
        return self._root / submission / name

    def has(self, submission: str, name: str, size: int) -> bool:
        """Whether the whole file is here; a file is whole as soon as it bears its name."""
        path = self.path(submission, name)
        return path.is_file() and path.stat().st_size == size

    def clear_unfinished(self, submission: str) -> None:
        for path in (self._root / submission).glob(f"*{UNFINISHED}"):
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
