# SPDX-License-Identifier: AGPL-3.0-or-later
"""The HTTP server of both programs over loopback, its time in the test's hands, and clients that send anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from portal.kit import connections as kept
from portal.kit.connections import Connections
from portal.kit.headers import API_CSP, security_headers
from portal.kit.http_protocol import LimitedHttpProtocol
from tests.waiting import SECONDS_MAX

LARGE = 8 * 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: portal.example\r\n\r\n"


def post(body: bytes = b"", length: int | None = None, path: str = "/") -> bytes:
    """A request with a body, or the beginning of one of ``length`` bytes."""
    size = len(body) if length is None else length
    return b"POST %s HTTP/1.1\r\nHost: portal.example\r\nContent-Length: %d\r\n\r\n" % (path.encode(), size) + body


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer. Raises IncompleteReadError when there is none."""
        async with asyncio.timeout(SECONDS_MAX):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = dict(pairs)
        assert len(headers) == len(pairs), "a header twice"
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, body

    async def is_hung_up_on(self) -> bool:
        """Return True once the server has disconnected; what it still said is read over."""
        try:
            async with asyncio.timeout(SECONDS_MAX):
                while await self.reader.read(65536):
                    pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self._writer.transport.abort()


@dataclass
class Served:
    """A server, and what its program saw."""

    connections: Connections
    port: int
    seen: list[str] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def connect(self, sends: bytes = b"", limit: int = 65536) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=limit)
        client = Client(reader, writer)
        self._stack.callback(client.close)
        if sends:
            await client.send(sends)
        return client

    async def ask(self) -> int:
        """The status that an honest visitor gets."""
        client = await self.connect(GET)
        status, _, _ = await client.answer()
        client.close()
        return status

    def pass_seconds(self, count: int) -> None:
        for _ in range(count):
            self.connections.sweep()

    async def until_held(self, connections: int) -> None:
        """Return once the server has this many connections."""
        await until(lambda: len(self.connections) == connections)

    async def until_gathered(self, size: int) -> None:
        await until(lambda: self.connections.gathered == size)

    async def until_seen(self, *what: str) -> None:
        await until(lambda: self.seen == list(what))

    async def until_unsent(self) -> None:
        """Return once the server waits for somebody to read."""
        await until(lambda: any(connection.unsent() for connection in self.connections._all))

    async def program(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the size of the body; ``/wait`` when it is told to, ``/large`` with much."""
        request = Request(scope, receive)
        self.seen.append(scope["path"])
        response: Response
        try:
            if scope["path"] == "/early":
                response = PlainTextResponse("no", 413)
            elif scope["path"] == "/large":
                response = Response(bytes(LARGE))
            else:
                self.bodies.append(len(await request.body()))
                response = PlainTextResponse(str(self.bodies[-1]))
            if scope["path"] == "/wait":
                await self.go_on.wait()
        except ClientDisconnect:
            self.seen.append("gone")
            return
        await response(scope, receive, send)


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds. Every turn of the loop may be the one."""
    async with asyncio.timeout(SECONDS_MAX):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    monkeypatch: pytest.MonkeyPatch, count_max: int = 100, bytes_max: int = 2**20
) -> AsyncIterator[Served]:
    """A server whose seconds pass only when the test says so."""
    monkeypatch.setattr(kept, "SWEEP_SECONDS", 10**6)
    served = Served(Connections(count_max, bytes_max), 0)
    async with listening(served.program, served.connections) as port, served._stack:
        served.port = port
        try:
            yield served
        finally:
            served.go_on.set()


@asynccontextmanager
async def listening(program: ASGIApp, connections: Connections) -> AsyncIterator[int]:
    """The port of loopback on which a program is served."""
    config = uvicorn.Config(
        program, interface="asgi3", log_config=None, access_log=False, ws="none", proxy_headers=False
    )
    state = ServerState()
    headers = security_headers(API_CSP, https=True)

    def protocol() -> LimitedHttpProtocol:
        return LimitedHttpProtocol(config, state, {}, connections=connections, own_headers=headers)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        if connections._timer is not None:
            connections._timer.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
