# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes over a connection to a program that runs: what is no request, hardly one, or several in one piece."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.alterations import alter_bytes, alter_lines, swell
from tests.fuzz.asgi import DELIBERATE, MARK, ON_EVERY_ANSWER, Call
from tests.servers import Program, office_program, portal_program
from tests.waiting import SECONDS_MAX

ANSWER_BYTES_MAX = 1 << 20
ANSWER_SECONDS_MAX = SECONDS_MAX
# The program has seen what was sent before, once these are answered.
HONEST = 2
_HEAD = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_CLOSE = (b"connection", b"close")
SEEDS = (
    Call(b"GET", b"/", ((b"host", b"a"), _CLOSE)),
    Call(b"GET", b"/api/v1/portal", ((b"host", b"a"), (b"accept", b"*/*"), _CLOSE)),
    Call(b"POST", b"/api/v1/mailbox", ((b"host", b"a"), (b"content-length", b"2"), _CLOSE), b"{}"),
    Call(b"POST", b"/login", ((b"host", b"a"), (b"transfer-encoding", b"chunked"), _CLOSE), b"3\r\na=b\r\n0\r\n\r\n"),
    Call(b"PUT", b"/api/v1/uploads/x/y/0", ((b"host", b"a"), (b"expect", b"100-continue"), _CLOSE)),
    Call(b"GET", b"/", ((b"host", b"a"), (b"upgrade", b"websocket"), (b"connection", b"upgrade"))),
)
ODD_HEADERS = (
    b"content-length: 1\r\ncontent-length: 2\r\n",
    b"transfer-encoding: chunked, chunked\r\n",
    b"transfer-encoding : chunked\r\n",
    b"content-length: -1\r\n",
    b"content-length: +0\r\n",
    b"host: " + MARK + b"\r\n",
    b" folded\r\n",
    b"x: \xff\xfe\r\n",
    b": nameless\r\n",
    b"x\0y: z\r\n",
)


@dataclass(frozen=True)
class Wire:
    """A program that runs."""

    program: Program

    async def fault(self, chance: Random) -> tuple[bytes, str] | None:
        """Send something, half of the time without an end; return what was sent and what is wrong with the answers."""
        data = b"".join(_request(chance) for _ in range(chance.choice((1, 1, 1, 2, 5))))
        found = await self.again(data)
        return found and (data, found)

    async def again(self, data: bytes) -> str | None:
        """Send these bytes, then nothing; what is wrong with the answers."""
        logged = self.program.log.stat().st_size
        try:
            answer = await self._send(data)
        except AssertionError as error:
            return str(error)
        if self.program.log.stat().st_size != logged:
            return f"printed {self.program.log.read_bytes()[logged:][-500:]!r}"
        return _fault(answer)

    async def still_serves(self) -> bool:
        """Whether an honest request is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.program.port)
        try:
            writer.write(SEEDS[0].encode())
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                answer = await _read(reader)
        except (ConnectionError, TimeoutError):
            return False
        finally:
            writer.transport.abort()
        return answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 303", b"HTTP/1.1 404"))

    async def _send(self, data: bytes) -> bytes:
        """What is answered to these bytes before, some honest requests later, their sender says no more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.program.port)
        reading = asyncio.create_task(_read(reader))
        try:
            writer.write(data)
            for _ in range(HONEST):
                assert await self.still_serves(), "an honest request was not answered"
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await reading
        except (ConnectionError, TimeoutError):
            # Who asks like this may be left without an answer.
            return b""
        finally:
            reading.cancel()
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < ANSWER_BYTES_MAX:
        piece = await reader.read(65_536)
        if not piece:
            break
        answer += piece
    return answer


def _request(chance: Random) -> bytes:
    data = chance.choice(SEEDS).encode()
    for _ in range(chance.choice((0, 1, 1, 2))):
        match chance.randrange(4):
            case 0:
                line, end, rest = data.partition(b"\r\n")
                data = line + end + chance.choice(ODD_HEADERS) + rest
            case 1:
                data = alter_lines(chance, data)
            case 2:
                data = swell(chance, data)
            case _:
                data = alter_bytes(chance, data)
    return data


def _fault(answer: bytes) -> str | None:
    for status, head in _HEAD.findall(answer):
        if int(status) >= 500 and int(status) not in DELIBERATE:
            return f"answered {int(status)}"
        lower = head.lower()
        missing = [name for name in ON_EVERY_ANSWER if f"{name}:".encode() not in lower]
        if missing and int(status) >= 200:
            return f"answered {int(status)} without {missing}"
        if MARK in lower or b"location: http" in lower:
            return f"answered {int(status)}, and told in a header what was asked"
    return None


@contextmanager
def running_portal_wire(folder: Path) -> Iterator[Wire]:
    program = portal_program(folder)
    program.start()
    try:
        yield Wire(program)
    finally:
        program.stop()


@contextmanager
def running_office_wire(folder: Path) -> Iterator[Wire]:
    program = office_program(folder, portal_program(folder), OVERSIGHT_COLLECT_SECONDS="3600")
    program.start()
    try:
        yield Wire(program)
    finally:
        program.stop()
