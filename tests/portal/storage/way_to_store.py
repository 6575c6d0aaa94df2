# SPDX-License-Identifier: AGPL-3.0-or-later
"""A way to an object store that the tests can shut, and on which answers are lost or are not the store's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.portal.storage.object_store import ObjectStore
from tests.servers import free_port


def error_answer(status: int, code: str) -> bytes:
    """What a store answers that does not do it."""
    body = f"<Error><Code>{code}</Code><Message>It does not.</Message></Error>"
    return f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


@dataclass
class WayToStore:
    """Takes each request to the store over a connection of its own.

    ``instead``: what becomes of requests with these bytes in their heads. Their answer is given in the store's place,
    or so many bytes of the store's own get through before the connection breaks off.
    """

    store: int
    port: int = field(default_factory=free_port)
    instead: dict[bytes, bytes | int] = field(default_factory=dict)
    asked: int = 0
    _server: asyncio.Server | None = None
    _taken: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """From now on nobody listens, and what was under way has ended."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._taken:
            task.cancel()
        await asyncio.gather(*self._taken, return_exceptions=True)

    def _begin(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._take(client, back))
        self._taken.add(task)
        task.add_done_callback(self._taken.discard)

    async def _take(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.asked += 1
        try:
            head = await client.readuntil(b"\r\n\r\n")
            lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
            size = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
            body = await client.readexactly(size)
            instead = next((self.instead[mark] for mark in self.instead if mark in head), None)
            if isinstance(instead, bytes):
                back.write(instead)
            else:
                await self._hand_on(head, body, back, instead)
            await back.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            back.close()

    async def _hand_on(self, head: bytes, body: bytes, back: asyncio.StreamWriter, bytes_max: int | None) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.store)
        try:
            writer.write(head.removesuffix(b"\r\n") + b"Connection: close\r\n\r\n" + body)
            if bytes_max is not None:
                back.write(await reader.readexactly(bytes_max))
                return
            while piece := await reader.read(65536):
                back.write(piece)
                await back.drain()
        finally:
            writer.close()


@asynccontextmanager
async def way_to(store: ObjectStore) -> AsyncIterator[WayToStore]:
    way = WayToStore(int(store.environment["AWS_ENDPOINT_URL"].rpartition(":")[2]))
    await way.open()
    try:
        yield way
    finally:
        await way.shut()
