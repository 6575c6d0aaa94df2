# SPDX-License-Identifier: AGPL-3.0-or-later
"""An attachment on its way to a member: never plain on the disk, and checked whole before the first byte goes out.

The sealed file is opened twice: once to check everything, dropping what comes out, and once more, chunk by chunk, into
the answer. In the second round every chunk is authentic before it goes out, and a file that changed in between breaks
the answer off before its announced length.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote

from crypto.age import PqIdentity
from crypto.attachment import Attachment, open_attachment_stream
from oversight.reports.file_names import safe_name

CHUNKS_WAITING_MAX = 8


class _Dropped:
    def write(self, data: bytes) -> int:
        return len(data)


class _Stopped(Exception):
    """The member's browser has disconnected."""


class _Channel:
    """A sink in a thread whose chunks come out on the event loop; it holds a few chunks at most."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS_WAITING_MAX)
        self._stopped = False

    def write(self, data: bytes) -> int:
        self._put(bytes(data))
        return len(data)

    def end(self) -> None:
        self._put(None)

    async def get(self) -> bytes | None:
        """The next chunk, or nothing after the last one."""
        return await self._chunks.get()

    def stop(self) -> None:
        """Make the thread end: the chunk it waits to put is accepted, and the next one refused."""
        self._stopped = True
        while not self._chunks.empty():
            self._chunks.get_nowait()

    def _put(self, chunk: bytes | None) -> None:
        if self._stopped:
            raise _Stopped
        asyncio.run_coroutine_threadsafe(self._chunks.put(chunk), self._loop).result()


async def check_attachment(path: Path, entry: Attachment, thread: PqIdentity) -> None:
    """Check all of a sealed file. Raises CryptoError or OSError; bytes that come out are dropped."""
    await asyncio.to_thread(_open, path, cast(BinaryIO, _Dropped()), entry, thread)


async def stream_attachment(path: Path, entry: Attachment, thread: PqIdentity) -> AsyncIterator[bytes]:
    """The bytes of the file; for one that ``check_attachment`` found good. Raises as that one, after some bytes."""
    channel = _Channel()
    # A separate thread: slow browsers must not occupy those that pages wait for.
    executor = ThreadPoolExecutor(1)
    task = asyncio.get_running_loop().run_in_executor(executor, _open_into, channel, path, entry, thread)
    task.add_done_callback(_look_at)
    try:
        while (chunk := await channel.get()) is not None:
            yield chunk
        await task
    finally:
        channel.stop()
        executor.shutdown(wait=False)


def _open_into(channel: _Channel, path: Path, entry: Attachment, thread: PqIdentity) -> None:
    try:
        _open(path, cast(BinaryIO, channel), entry, thread)
    finally:
        channel.end()


def _look_at(task: "asyncio.Future[None]") -> None:
    """A failure after the browser has gone is nobody's concern; asked for, it is not reported as forgotten."""
    if not task.cancelled():
        task.exception()


def _open(path: Path, sink: BinaryIO, entry: Attachment, thread: PqIdentity) -> None:
    with path.open("rb") as source:
        open_attachment_stream(source, sink, entry, thread)


def content_disposition(name: str, fallback: str) -> str:
    """RFC 6266: always a download. ``name`` is the reporter's and made harmless; ``fallback`` is plain ASCII."""
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(safe_name(name), safe='')}"
