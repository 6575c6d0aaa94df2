# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes connections in, for the event loop of either program, so that want of open files shuts no door for good.

Left to themselves the loops fail there: asyncio's writes hundreds of lines a second for as long as no file is free,
and uvloop's hangs up on whoever waits to be taken in, or closes the listening socket and never opens it again. Here
one that can be spared gives way, and it is tried again. The number of a new file tells how many are open: the last
ones are kept for the database and for what is stored.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from portal.kit.connections import Connections

LOG = logging.getLogger("portal.kit")
# Not all that wait: whoever came among them must be read before others make it give way.
TAKEN_AT_ONCE = 64
FILES_KEPT = 64
# After one has given way its file is free as soon as the loop has closed it.
SOON_SECONDS = 0.01
PAUSE_SECONDS = 1.0
SAID_AGAIN_SECONDS = 60.0
Factory = Callable[[], asyncio.BaseProtocol]


class ConnectionServer:
    """What a loop calls a server: listens on ``sockets``, and closes them. So many files may be open at once."""

    def __init__(
        self, sockets: list[socket.socket], factory: Factory, connections: Connections, files_max: int
    ) -> None:
        self.sockets = sockets
        self._factory = factory
        self._connections = connections
        # With very few files so many that something is left of both.
        self._at_once = max(1, min(TAKEN_AT_ONCE, files_max // 16))
        self._number_max = files_max - min(FILES_KEPT, files_max // 8)
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._said_at: float | None = None

    def listen(self, backlog: int) -> None:
        for each in self.sockets:
            each.setblocking(False)
            each.listen(backlog)
        self._watch()

    def close(self) -> None:
        """Take nobody in any more."""
        if self._pause is not None:
            self._pause.cancel()
        for each in self.sockets:
            self._loop.remove_reader(each)
            each.close()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for: connections are their protocols'."""

    def _watch(self) -> None:
        self._pause = None
        for each in self.sockets:
            self._loop.add_reader(each, self._take, each)

    def _take(self, listening: socket.socket) -> None:
        for _ in range(self._at_once):
            try:
                taken, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._wait_for_files(error)
                return
            if taken.fileno() > self._number_max:
                self._connections.make_room()
            task = self._loop.create_task(self._begin(taken))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)

    async def _begin(self, taken: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._factory, taken)
        except OSError:
            # It has gone already.
            taken.close()

    def _wait_for_files(self, error: OSError) -> None:
        for each in self.sockets:
            self._loop.remove_reader(each)
        seconds = SOON_SECONDS if self._connections.make_room() else PAUSE_SECONDS
        self._pause = self._loop.call_later(seconds, self._watch)
        now = self._loop.time()
        if self._said_at is None or now - self._said_at >= SAID_AGAIN_SECONDS:
            self._said_at = now
            LOG.error("no connection can be taken in: %s", errno.errorcode.get(error.errno or 0, "unknown"))


def accepting_loop(
    make: Callable[[], asyncio.AbstractEventLoop], connections: Connections, files_max: int
) -> asyncio.AbstractEventLoop:
    """An event loop whose servers are those of this module; ``make`` makes the loop."""
    loop: Any = make()
    create = loop.create_server

    async def create_server(factory: Factory, *given: Any, backlog: int, **options: Any) -> ConnectionServer:
        # The loop finds and binds the addresses, as it always does.
        bound = await create(factory, *given, start_serving=False, **options)
        sockets = [socket.fromfd(each.fileno(), each.family, each.type, each.proto) for each in bound.sockets]
        bound.close()
        acceptor = ConnectionServer(sockets, factory, connections, files_max)
        acceptor.listen(backlog)
        return acceptor

    loop.create_server = create_server
    return loop  # type: ignore[no-any-return]
