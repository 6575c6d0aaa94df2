# SPDX-License-Identifier: AGPL-3.0-or-later
"""Durable files: a file under its name is whole and on the disk.

A file is written under another name, synced, renamed, and its folder synced. What a crash leaves behind bears a name
that nothing reads. Every file is for its owner only (mode 0600), and so is a folder that is made for one (0700).
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class UnfinishedFile:
    """A new file under a name that nothing reads. Either ``finish`` and a rename, or ``discard``, end it."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` for writing. Raises FileExistsError, or OSError."""
        self.path = path
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, chunk: bytes, /) -> None:
        """Write the next bytes, all of them. Raises OSError."""
        assert self._descriptor is not None
        view = memoryview(chunk)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self, modified: float | None = None) -> None:
        """Make the bytes durable and close the file. ``modified``: the time that it shall bear, seconds since 1970.

        The name is not durable yet: whoever renames the file calls ``sync_folder``.
        """
        assert self._descriptor is not None
        if modified is not None:
            os.utime(self._descriptor, (modified, modified))
        os.fsync(self._descriptor)
        self._close()

    def discard(self) -> None:
        """Remove the file; nothing happens if it was renamed."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def sync_folder(folder: Path, modified: float | None = None) -> None:
    """Make the names in a folder durable. ``modified``: the time that it shall bear, seconds since 1970."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if modified is not None:
            os.utime(descriptor, (modified, modified))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_secret_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it replaces an earlier one. Its folder is made if it is missing."""
    fresh = _written_beside(path, data)
    try:
        fresh.path.replace(path)
    finally:
        fresh.discard()
    sync_folder(path.parent)


def load_or_make_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of a file, which are made by ``make`` at its first use and are durable before they are returned.

    Whoever comes first makes them, among several processes too: the others read the same bytes.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        fresh = _written_beside(path, make())
    try:
        path.hardlink_to(fresh.path)
    except FileExistsError:
        pass  # Another process was first; its bytes count.
    finally:
        fresh.discard()
    sync_folder(path.parent)
    return path.read_bytes()


def _written_beside(path: Path, data: bytes) -> UnfinishedFile:
    """A finished file in the same folder, not yet under its name."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = UnfinishedFile(path.with_name(f".{path.name}.{secrets.token_hex(8)}"))
    try:
        fresh.write(data)
        fresh.finish()
    except BaseException:
        fresh.discard()
        raise
    return fresh
