# SPDX-License-Identifier: AGPL-3.0-or-later
"""A slow line on loopback, for slow_line: so many bytes per second each way, latency, and cuts.

It stands at 127.0.0.1 where the browser looks for the portal, which listens at the same port of another address of
loopback; so the portal's origin is its own. What the line does not carry yet it does not read: its buffers are small,
so bytes wait with their sender, as they do before a real slow line.
"""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

PORTAL_HOST = "127.0.0.2"
BUFFER_BYTES = 4096
PIECE_BYTES = 2048
_RESET = struct.pack("ii", 1, 0)


class _Way:
    """One direction, which all connections share: when it is free for the next bytes, and how many it has carried."""

    def __init__(self) -> None:
        self.free_at = 0.0
        self.carried = 0


class ThinLine:
    """Carries connections to the portal at ``port``, at full speed until it is slowed down."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._up, self._down = _Way(), _Way()
        self._bytes_per_second = 0
        self._latency = 0.0
        self._open: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._before = 0

    def __enter__(self) -> Self:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted has the buffers of its listener.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(64)
        listener.setblocking(False)
        self._open.add(listener)
        self._thread.start()
        self._loop.call_soon_threadsafe(self._begin, self._accept(listener))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reaches_the_portal(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((PORTAL_HOST, self._port)) == 0

    def slow_down(self, bytes_per_second: int, latency: float, cut_every: float, cuts: int) -> None:
        """From now on; ``latency`` and ``cut_every`` are seconds, and 0 is for none."""
        self._bytes_per_second, self._latency = bytes_per_second, latency
        self._before = self._up.carried
        if cut_every:
            self._loop.call_soon_threadsafe(self._begin, self._cut(cut_every, cuts))

    def let_go(self) -> int:
        """At full speed again; how many bytes went up since it was slowed down."""
        self._bytes_per_second, self._latency = 0, 0.0
        return self._up.carried - self._before

    def _begin(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        for one in self._open:
            one.close()

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            near, _ = await self._loop.sock_accept(listener)
            far = socket.socket()
            for one in (near, far):
                one.setblocking(False)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {near, far}
            self._begin(self._connect(near, far))

    async def _connect(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            await self._loop.sock_connect(far, (PORTAL_HOST, self._port))
            ways = [self._carry(near, far, self._up), self._carry(far, near, self._down)]
            await asyncio.gather(*ways, return_exceptions=True)
        for one in (near, far):
            self._open.discard(one)
            one.close()

    async def _carry(self, source: socket.socket, sink: socket.socket, way: _Way) -> None:
        """One direction of one connection. What is under way for its latency waits in a queue, as on a long wire."""
        wire: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = self._loop.create_task(self._hand_over(wire, sink))
        try:
            while not writing.done():
                piece = await self._loop.sock_recv(source, PIECE_BYTES)
                await self._wait_turn(way, len(piece))
                wire.put_nowait((self._loop.time() + self._latency, piece))
                if not piece:
                    break
            await writing
        finally:
            writing.cancel()

    async def _wait_turn(self, way: _Way, size: int) -> None:
        way.carried += size
        if self._bytes_per_second:
            way.free_at = max(self._loop.time(), way.free_at) + size / self._bytes_per_second
            await asyncio.sleep(way.free_at - self._loop.time())

    async def _hand_over(self, wire: "asyncio.Queue[tuple[float, bytes]]", sink: socket.socket) -> None:
        while True:
            due, piece = await wire.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            if not piece:
                sink.shutdown(socket.SHUT_WR)
                return
            await self._loop.sock_sendall(sink, piece)

    async def _cut(self, every: float, cuts: int) -> None:
        for _ in range(cuts):
            await asyncio.sleep(every)
            for one in list(self._open):
                # A listener is not connected.
                with suppress(OSError):
                    one.getpeername()
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    one.shutdown(socket.SHUT_RDWR)
