# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office's own program does before anyone looks at a request, and what it writes when something goes wrong."""

import io
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oversight import __main__ as program
from oversight.app import create_app
from oversight.settings import Settings
from portal.kit.http_protocol import HEAD_BYTES_MAX
from tests.servers import free_port
from tests.waiting import SECONDS_MAX, wait_until

RARE = "quokka"
CHUNKED = b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n\r\n"

Exchange = Callable[[bytes], bytes]


async def fail(request: Request) -> Response:
    raise RuntimeError(f"something about {RARE}")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the program writes to its standard error."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    return cast(io.StringIO, sys.stderr)


@pytest.fixture
def exchange(settings: Settings, written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """Sends bytes to the office as ``python -m oversight serve`` runs it, with one page that fails."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []
    port = free_port()

    def create(*arguments: Any, **options: Any) -> Starlette:
        app = create_app(*arguments, **options)
        app.router.routes.insert(0, Route("/fail", fail))
        return app

    serve = uvicorn.Server.run

    def run(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        thread = threading.Thread(target=serve, args=(server, sockets))
        thread.start()
        servers.append((server, thread))
        wait_until(lambda: server.started, "the office is up")

    def send(data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
            connection.sendall(data)
            return connection.recv(HEAD_BYTES_MAX)

    # Other tests run servers in this process, whose settings for these loggers remain; a separate program has none.
    for name in ("uvicorn", "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    monkeypatch.setattr(program, "create_app", create)
    monkeypatch.setattr(uvicorn.Server, "run", run)
    program._serve(replace(settings, port=port))
    yield send
    for server, thread in servers:
        server.should_exit = True
        thread.join(SECONDS_MAX)


def test_an_unexpected_error_is_logged_by_its_place_and_not_by_what_it_says(
    exchange: Exchange, written: io.StringIO
) -> None:
    answer = exchange(b"GET /fail?%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % RARE.encode())
    assert answer.startswith(b"HTTP/1.1 500 ")
    # The error is written after its answer.
    wait_until(lambda: "RuntimeError" in written.getvalue(), "the error is logged")
    assert "builtins.RuntimeError at tests/oversight/test_quiet_office.py:" in written.getvalue()
    assert RARE not in written.getvalue() + answer.decode()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (4 * HEAD_BYTES_MAX),
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * HEAD_BYTES_MAX,
        b"GET /" + b"a" * (4 * HEAD_BYTES_MAX),
        CHUNKED + b"0\r\n" + b"X: a\r\n" * HEAD_BYTES_MAX,
    ],
    ids=["one header", "many headers", "address", "trailers"],
)
def test_a_head_without_an_end_is_not_gathered(exchange: Exchange, head: bytes) -> None:
    try:
        answer = exchange(head)
    except ConnectionError:
        # Hung up on while it was still sending.
        return
    assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
