# SPDX-License-Identifier: AGPL-3.0-or-later
"""A line to a server on loopback that can swallow everything, as a firewall does or a host that is gone: nobody is
refused, nobody is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.servers import free_port


class Line:
    """Passes bytes on, until it is ``cut``. What was open then stays open and silent, also once it is ``mended``."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self.swallows = False
        self._to_port = to_port
        self._word = b""
        self._passes_it = True
        self._passing = self._open_gate()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @staticmethod
    def _open_gate() -> asyncio.Event:
        gate = asyncio.Event()
        gate.set()
        return gate

    def cut(self) -> None:
        self.swallows = True
        self._passing.clear()

    def cut_at(self, word: bytes, *, passes_it: bool) -> None:
        """Cut it as soon as a client sends this word, which the server gets or does not get."""
        self._word, self._passes_it = word, passes_it

    def mend(self, *, late: bool = False) -> None:
        """Pass on what comes from now on; ``late``, also what was swallowed."""
        if late:
            self._passing.set()
        self.swallows = False
        self._passing = self._open_gate()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        gate = self._passing
        await gate.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._writers.append(back)
        for source, sink, is_client in ((reader, back, True), (there, writer, False)):
            task = asyncio.create_task(self._pass_on(gate, source, sink, is_client=is_client))
            self._tasks.add(task)

    async def _pass_on(
        self, gate: asyncio.Event, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_client: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if is_client and self._word and self._word in data:
                    self._word = b""
                    if self._passes_it:
                        sink.write(data)
                        data = b""
                    self.cut()
                await gate.wait()
                sink.write(data)
        await gate.wait()
        sink.close()

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[tuple[Line, str]]:
    """A line to the server that a database's URL names, and the URL of that database by way of it."""
    start, _, rest = url.rpartition(":")
    port, _, name = rest.partition("/")
    line = Line(int(port))
    taking: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(line.take(reader, writer))
        taking.add(task)

    server = await asyncio.start_server(begin, "127.0.0.1", line.port)
    try:
        yield line, f"{start}:{line.port}/{name}"
    finally:
        server.close()
        for task in taking:
            task.cancel()
        await asyncio.gather(*taking, return_exceptions=True)
        await line.close()
