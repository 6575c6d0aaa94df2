# SPDX-License-Identifier: AGPL-3.0-or-later
"""Floods: what a stranger with one machine can do to a program's door. Each is a function in ``FLOODS``, run as

    python -m benchmarks.flooding NAME PORT

until its standard input ends; then it prints its ``Tally`` as JSON. To add one, write a coroutine that takes ``Flood``
and put it into ``FLOODS`` under a name that begins with the program's.
"""

import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field

SILENT = 5000
BODIES = 1000
READERS = 500
GREEDY = 8
READER_SECONDS = 100
BYTES_PER_SECOND = 430
Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Tally:
    """What a flood did."""

    opened: int = 0
    open_now: int = 0
    open_most: int = 0
    sent: int = 0
    refused: int = 0


@dataclass
class Flood:
    """Where to, and what came of it."""

    port: int
    tally: Tally = field(default_factory=Tally)

    async def keep(
        self, count: int, one: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> None:
        """Keep ``count`` connections open, each doing ``one``; those that the server closes are opened anew."""
        await asyncio.gather(*(self._again_and_again(one, number / count) for number in range(count)))

    def send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        self.tally.sent += len(data)

    async def _again_and_again(self, one: Connection, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1)
                with self._counted(writer):
                    await one(reader, writer)
            self.tally.refused += 1
            await asyncio.sleep(1)

    @contextmanager
    def _counted(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self.tally.opened += 1
        self.tally.open_now += 1
        self.tally.open_most = max(self.tally.open_most, self.tally.open_now)
        try:
            yield
        finally:
            self.tally.open_now -= 1
            writer.transport.abort()


async def silent(flood: Flood) -> None:
    """Connections that say nothing."""

    async def one(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    await flood.keep(SILENT, one)


async def slow_heads(flood: Flood) -> None:
    """Heads that come a header each second and never end."""

    async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flood.send(writer, b"GET / HTTP/1.1\r\nHost: x\r\n")
        while not writer.transport.is_closing():
            flood.send(writer, b"X: a\r\n")
            await asyncio.sleep(1)

    await flood.keep(SILENT, one)


def slow_bodies(path: bytes, headers: bytes) -> Callable[[Flood], Awaitable[None]]:
    """Bodies that come at 430 bytes a second, of the kind that strangers may send."""

    async def slow(flood: Flood) -> None:
        async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            flood.send(
                writer, b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"Content-Length: 1000000\r\n\r\n"
            )
            while not writer.transport.is_closing():
                flood.send(writer, bytes(BYTES_PER_SECOND))
                await asyncio.sleep(1)

        await flood.keep(BODIES, one)

    return slow


def requests_ahead(path: bytes) -> Callable[[Flood], Awaitable[None]]:
    """Requests without end on a few connections, whose answers nobody reads."""

    async def ahead(flood: Flood) -> None:
        async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests = (b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n") * 1000
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            while not writer.transport.is_closing():
                flood.send(writer, requests)
                await writer.drain()

        await flood.keep(GREEDY, one)

    return ahead


def unread(path: bytes) -> Callable[[Flood], Awaitable[None]]:
    """Pages asked for and not read."""

    async def ask(flood: Flood) -> None:
        async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            flood.send(writer, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            # Paused, it would not see the end either: it lives as long as a server should stand it.
            await asyncio.sleep(READER_SECONDS)

        await flood.keep(READERS, one)

    return ask


BUNDLE = b"Content-Type: application/vnd.amparo.bundle\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
FLOODS: dict[str, Callable[[Flood], Awaitable[None]]] = {
    "portal-silent": silent,
    "portal-slow-heads": slow_heads,
    "portal-slow-bodies": slow_bodies(b"/api/v1/submissions", BUNDLE),
    "portal-requests-ahead": requests_ahead(b"/"),
    "portal-unread": unread(b"/en/"),
    "office-silent": silent,
    "office-slow-heads": slow_heads,
    "office-slow-bodies": slow_bodies(b"/login", FORM),
    "office-requests-ahead": requests_ahead(b"/login"),
    "office-unread": unread(b"/login"),
}


async def _run(name: str, port: int) -> Tally:
    flood = Flood(port)
    running = asyncio.ensure_future(FLOODS[name](flood))
    await asyncio.to_thread(sys.stdin.read)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return flood.tally


def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(json.dumps(asdict(asyncio.run(_run(sys.argv[1], int(sys.argv[2]))))))


if __name__ == "__main__":
    main()
