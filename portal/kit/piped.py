# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work that reads one file and writes another, as a file: it runs in a thread of its own, and a pipe lies between."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import BinaryIO

Work = Callable[[BinaryIO, BinaryIO], None]
"""Reads all of its first file, and writes to its second one."""


@contextmanager
def written_through(work: Work, sink: BinaryIO) -> Iterator[BinaryIO]:
    """A file to write to. ``work`` reads what is written, and what it makes of that is in ``sink`` at the end.

    Raises what ``work`` raises. After an error of the caller ``sink`` holds what looks like a whole: throw it away.
    """
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(_write, work, reading, sink)
        try:
            with os.fdopen(writing, "wb") as pipe:
                yield pipe
        except BrokenPipeError:
            # Work has ended before its time, and says why.
            done.result()
            raise
        done.result()


@contextmanager
def read_through(work: Work, source: BinaryIO) -> Iterator[BinaryIO]:
    """A file to read: what ``work`` makes of ``source``.

    Raises what ``work`` raises, once everything was read; before that, an error of the caller's may be its consequence,
    and gives way to it.
    """
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(_read, work, source, writing)
        try:
            with os.fdopen(reading, "rb") as pipe:
                yield pipe
        except Exception:
            _raise_cause(done)
            raise
        done.result()


def _write(work: Work, reading: int, sink: BinaryIO) -> None:
    with os.fdopen(reading, "rb") as source:
        work(source, sink)


def _read(work: Work, source: BinaryIO, writing: int) -> None:
    with os.fdopen(writing, "wb") as sink:
        work(source, sink)


def _raise_cause(done: "Future[None]") -> None:
    # Whoever reads no more breaks the pipe: that is no cause.
    with suppress(BrokenPipeError):
        done.result()
