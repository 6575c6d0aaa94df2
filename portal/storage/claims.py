# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who works with a submission's parts, in all processes of the portal: those who use them together, or one who deletes.

A claim is a lock on one byte of a file that stays empty, at an offset that the submission's id gives. The system lets
go of it when the process ends, however it does.
"""

import errno
import fcntl
import os
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.ids import SubmissionId
from portal.storage.errors import BusyError

# struct flock: type, whence, start, length, process.
_LOCK = struct.Struct("hhqqi4x")
_OFFSET_DIGITS = 14
_TAKEN = (errno.EAGAIN, errno.EACCES)


class Claims:
    """The claims of one process; ``path`` is the file that all of them share."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._users: Counter[SubmissionId] = Counter()
        self._deleted: set[SubmissionId] = set()

    def use(self, submission: SubmissionId) -> None:
        """Claim the parts for use, as often as asked; ``leave`` ends it. Raises BusyError while they are deleted."""
        if submission in self._deleted or (not self._users[submission] and not self._lock(submission, fcntl.F_RDLCK)):
            raise BusyError
        self._users[submission] += 1

    def leave(self, submission: SubmissionId) -> None:
        """End one ``use``."""
        self._users[submission] -= 1
        if not self._users[submission]:
            del self._users[submission]
            self._lock(submission, fcntl.F_UNLCK)

    @contextmanager
    def used(self, submission: SubmissionId) -> Iterator[None]:
        """``use`` within a block."""
        self.use(submission)
        try:
            yield
        finally:
            self.leave(submission)

    @contextmanager
    def alone(self, submission: SubmissionId) -> Iterator[bool]:
        """Whether nobody uses the parts; then nobody does within the block."""
        in_use = submission in self._users or submission in self._deleted
        if in_use or not self._lock(submission, fcntl.F_WRLCK):
            yield False
            return
        self._deleted.add(submission)
        try:
            yield True
        finally:
            self._deleted.discard(submission)
            self._lock(submission, fcntl.F_UNLCK)

    def close(self) -> None:
        os.close(self._descriptor)

    def _lock(self, submission: SubmissionId, kind: int) -> bool:
        lock = _LOCK.pack(kind, os.SEEK_SET, int(submission[:_OFFSET_DIGITS], 16), 1, 0)
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, lock)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise
        return True
