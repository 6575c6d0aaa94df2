# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the open files allow, and what the programs answer to requests that none of their pages is for."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from portal.kit.accepting import TAKEN_AT_ONCE
from portal.kit.headers import API_CSP, OFFICE_CSP, security_headers
from portal.kit.server import OTHER_FILES, connections_for, raise_file_limit
from tests.servers import Program, office_program, portal_program
from tests.waiting import SECONDS_MAX, wait_until

PAGE_BYTES = resource.getpagesize()
GREW_BYTES_MAX = 64 * 1024 * 1024
ELSEWHERE = "other.example"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    folder = tmp_path_factory.mktemp("programs")
    portal = portal_program(folder)
    office = office_program(folder, portal)
    portal.start()
    office.start()
    yield {"portal": portal, "office": office}
    office.stop()
    portal.stop()


def test_connections_leave_files_for_everything_else() -> None:
    assert connections_for(4096, 100_000, own_files=256) == 4096
    assert connections_for(4096, 4600, own_files=256) == 4600 - TAKEN_AT_ONCE - OTHER_FILES - 256
    assert connections_for(4096, 1024, own_files=256) == 512


def test_the_limit_on_open_files_is_raised_to_what_is_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_portal_says_how_many_connections_there_may_be(programs: dict[str, Program]) -> None:
    (line,) = [line for line in programs["portal"].log.read_text().splitlines() if "connections" in line]
    assert line.startswith("portal: ")
    limits = Path(f"/proc/{programs['portal'].pid}/limits").read_text()
    (files,) = [line.split() for line in limits.splitlines() if line.startswith("Max open files")]
    assert files[3] == files[4], "the soft limit is the hard one"


@pytest.mark.parametrize("name", ["portal", "office"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/no-such-page"),
        ("HEAD", "/"),
        ("OPTIONS", "/"),
        ("TRACE", "/"),
        ("DELETE", "/api/v1/submissions"),
        ("GET", "/api/v1/submissions/"),
        ("GET", "/api/v1/portal/"),
        ("GET", "/login/"),
        ("GET", "/queue/"),
        ("GET", "//other.example/"),
        ("GET", "/%00"),
        ("OPTIONS", "*"),
        ("GET", "http://other.example/queue/"),
    ],
)
def test_every_answer_has_the_headers_and_none_names_the_host_that_was_asked_for(
    programs: dict[str, Program], name: str, method: str, path: str
) -> None:
    program = programs[name]
    request = f"{method} {path} HTTP/1.1\r\nHost: {ELSEWHERE}\r\nConnection: close\r\n\r\n".encode()
    head, body = exchange(program.port, request)
    expected = security_headers(API_CSP if name == "portal" else OFFICE_CSP, https=False)
    pages_choose = ("content-security-policy", "cache-control")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert {key: headers.get(key) for key in expected if key not in pages_choose} == {
        key: value for key, value in expected.items() if key not in pages_choose
    }
    assert set(pages_choose) <= set(headers)
    assert 200 <= int(head.split()[1]) < 500
    location = headers.get("location", "")
    assert "://" not in location
    assert not location.startswith("//")
    if ELSEWHERE not in path:
        assert ELSEWHERE not in head + body


def exchange(port: int, request: bytes) -> tuple[str, str]:
    """Head and body of what comes back before the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.decode("utf-8").partition("\r\n\r\n")
    return head, body


@pytest.mark.parametrize("name", ["portal", "office"])
def test_a_host_that_is_none_breaks_no_page(programs: dict[str, Program], name: str) -> None:
    for host in ("[", "]", "a b", "x:y", "//[", "é".encode().decode("latin-1")):
        request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1")
        head, _ = exchange(programs[name].port, request)
        assert int(head.split()[1]) < 500, host


@pytest.mark.parametrize("name", ["portal", "office"])
def test_requests_without_end_whose_answers_nobody_reads_take_no_memory(
    programs: dict[str, Program], name: str
) -> None:
    program = programs[name]
    httpx.get(program.origin, timeout=SECONDS_MAX, trust_env=False)
    before = resident(program)
    many = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50_000
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", program.port), timeout=SECONDS_MAX) as connection:
            try:
                while True:
                    connection.sendall(many)
            except ConnectionError:
                pass
        assert resident(program) - before < GREW_BYTES_MAX
    assert httpx.get(program.origin, timeout=SECONDS_MAX, trust_env=False).status_code < 400


def resident(program: Program) -> int:
    return int(Path(f"/proc/{program.pid}/statm").read_text().split()[1]) * PAGE_BYTES


@pytest.mark.parametrize("name", ["portal", "office"])
def test_nothing_of_all_that_is_logged(programs: dict[str, Program], name: str) -> None:
    program = programs[name]
    before = program.log.read_text()
    for sent in (b"\0\0\0\0\r\n\r\n", b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", program.port), timeout=SECONDS_MAX) as connection:
            connection.sendall(sent)
            wait_until(lambda connection=connection: connection.recv(65536) == b"", "the server hangs up")
    assert program.log.read_text() == before
