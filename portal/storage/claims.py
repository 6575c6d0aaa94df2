# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who works with a submission's parts, in all processes of the portal: those who use them together, or one who deletes.

A claim is a lock on one byte of a file that stays empty, at an offset that the submission's id gives. The system lets
go of it when the process ends, however it does.

Whoever finds the parts in use that are to be deleted shuts them: then nobody begins to use them for some time, in this
process, so that they can't be kept from deletion by one use after another.
"""

import errno
import fcntl
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from crypto.ids import SubmissionId
from portal.storage.errors import BusyError

# struct flock: type, whence, start, length, process.
_LOCK = struct.Struct("hhqqi4x")
_OFFSET_DIGITS = 14
SHUT_SECONDS = 60
_TAKEN = (errno.EAGAIN, errno.EACCES)


class Claims:
    """The claims of one process; ``path`` is the file that all of them share."""

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._users: Counter[int] = Counter()
        self._deleted: set[int] = set()
        self._shut: dict[int, float] = {}

    def use(self, submission: SubmissionId) -> None:
        """Claim the parts for use, as often as asked; ``leave`` ends it.

        Raises BusyError while they are deleted, and for a minute after somebody found them in use who is to do so.
        """
        byte = _byte(submission)
        if byte in self._deleted or self._shut.get(byte, 0) > self._clock():
            raise BusyError
        if not self._users[byte] and not self._lock(byte, fcntl.F_RDLCK):
            raise BusyError
        self._users[byte] += 1

    def leave(self, submission: SubmissionId) -> None:
        """End one ``use``."""
        byte = _byte(submission)
        self._users[byte] -= 1
        if not self._users[byte]:
            del self._users[byte]
            self._lock(byte, fcntl.F_UNLCK)

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
        """Whether nobody uses the parts; then nobody does within the block. Otherwise they are shut."""
        byte = _byte(submission)
        in_use = byte in self._users or byte in self._deleted
        if in_use or not self._lock(byte, fcntl.F_WRLCK):
            self._shut_for_some_time(byte)
            yield False
            return
        self._deleted.add(byte)
        try:
            yield True
        finally:
            self._deleted.discard(byte)
            self._lock(byte, fcntl.F_UNLCK)

    def close(self) -> None:
        os.close(self._descriptor)

    def _shut_for_some_time(self, byte: int) -> None:
        now = self._clock()
        self._shut = {each: until for each, until in self._shut.items() if until > now}
        self._shut[byte] = now + SHUT_SECONDS

    def _lock(self, byte: int, kind: int) -> bool:
        lock = _LOCK.pack(kind, os.SEEK_SET, byte, 1, 0)
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, lock)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            raise
        return True


def _byte(submission: SubmissionId) -> int:
    """Where its claim is. Ids that begin alike have one claim together, which costs a refusal and no part."""
    return int(submission[:_OFFSET_DIGITS], 16)
