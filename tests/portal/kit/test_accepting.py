# SPDX-License-Identifier: AGPL-3.0-or-later
"""No file is left for a connection: the silent give way, who asks is answered, nothing spins, and nobody is named."""

import asyncio
import errno
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from portal.kit import accepting
from portal.kit.accepting import ConnectionServer
from portal.kit.connections import Connections
from tests.portal.kit.http_server import until
from tests.servers import Program, office_program, portal_program
from tests.waiting import SECONDS_MAX, wait_until

FEW = 64
SILENT = 200
SPARE = 6
SAID = "no connection can be taken in: EMFILE"
# What needs no page to be built, and a form.
PATHS = {"portal": ("/api/v1/work", "/api/v1/mailbox"), "oversight": ("/", "/login")}


@pytest.fixture(scope="module", params=["portal", "office"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One that was started with few files."""
    folder = tmp_path_factory.mktemp("programs")
    portal = portal_program(folder)
    running = portal if request.param == "portal" else office_program(folder, portal, OVERSIGHT_PORTAL_URL="")
    running.files = FEW
    running.start()
    yield running
    running.stop()


@contextmanager
def silent(program: Program) -> Iterator[None]:
    with ExitStack() as held:
        for _ in range(SILENT):
            held.enter_context(socket.create_connection(("127.0.0.1", program.port), timeout=SECONDS_MAX))
        yield


def open_files(program: Program) -> list[int]:
    return [int(each.name) for each in Path(f"/proc/{program.pid}/fd").iterdir()]


def ask(program: Program) -> int:
    return httpx.get(f"{program.origin}{PATHS[program.module][0]}", timeout=SECONDS_MAX, trust_env=False).status_code


def test_one_that_may_open_few_files_answers_who_asks_among_many_who_are_silent(program: Program) -> None:
    with silent(program):
        for _ in range(3):
            assert ask(program) < 400


def test_whoever_sends_while_the_last_file_is_taken_is_answered_and_a_body_under_way_goes_on(program: Program) -> None:
    with ExitStack() as held:
        slow = held.enter_context(socket.create_connection(("127.0.0.1", program.port), timeout=SECONDS_MAX))
        path = PATHS[program.module][1]
        slow.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na".encode())
        wait_until(lambda: ask(program) < 400, "it has been taken in")
        limits = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
        # As if something else held the others.
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (max(open_files(program)) + SPARE, limits[1]))
        held.callback(resource.prlimit, program.pid, resource.RLIMIT_NOFILE, limits)
        held.enter_context(silent(program))
        for _ in range(3):
            assert ask(program) < 400
        slow.sendall(b"b")
        assert slow.recv(12).startswith(b"HTTP/1.1 ")
    assert ask(program) < 400
    said = program.log.read_text()
    assert said.count(SAID) == 1
    assert "Traceback" not in said
    assert "127.0.0.1:" not in said.replace(program.origin, "")
    assert "('127.0.0.1'" not in said


class Full(socket.socket):
    """Listens, and has no file for whoever comes."""

    tries = 0
    errno = errno.ENFILE

    def accept(self) -> tuple[socket.socket, object]:
        self.tries += 1
        raise OSError(self.errno, "none")


class Seconds:
    """A loop's time, and what is due then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self.call_later)

    def call_later(self, seconds: float, what: Callable[[], None]) -> asyncio.Handle:
        self.due.append((seconds, what))
        return asyncio.Handle(what, (), asyncio.get_running_loop())

    def pass_next(self) -> float:
        seconds, what = self.due.pop()
        what()
        return seconds


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EPERM])
async def test_while_nobody_can_be_taken_in_it_is_tried_once_a_second(
    number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listening = Full()
    listening.errno = number
    listening.bind(("127.0.0.1", 0))
    acceptor = ConnectionServer([listening], asyncio.Protocol, Connections(10), 1024)
    seconds = Seconds(monkeypatch)
    acceptor.listen(10)
    try:
        with socket.create_connection(listening.getsockname()):
            for tries in (1, 2, 3):
                await until(lambda: bool(seconds.due))
                for _ in range(10):
                    await asyncio.sleep(0)
                assert listening.tries == tries
                assert seconds.pass_next() == accepting.PAUSE_SECONDS
        assert [record.getMessage() for record in caplog.records] == [
            f"no connection can be taken in: {errno.errorcode[number]}"
        ]
    finally:
        acceptor.close()


async def test_one_that_is_paused_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Full()
    listening.bind(("127.0.0.1", 0))
    acceptor = ConnectionServer([listening], asyncio.Protocol, Connections(10), 1024)
    acceptor.listen(10)
    with socket.create_connection(listening.getsockname()):
        await until(lambda: listening.tries > 0)
    acceptor.close()
    assert listening.fileno() == -1
