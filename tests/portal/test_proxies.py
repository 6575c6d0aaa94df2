# SPDX-License-Identifier: AGPL-3.0-or-later
"""The lines for proxies in docs/operations.md let through whatever the protocol allows, however slowly it comes."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from crypto.bundle import BUNDLE_MAX, MEDIA_TYPE
from crypto.submission import seal_submission
from portal.storage.blobs import PART_BYTES
from tests.people import TODAY
from tests.portal.world import DIGITS
from tests.servers import ROOT, Program, free_port, is_open, portal_program, post_test_charter
from tests.waiting import SECONDS_MAX, wait_until

LARGEST_REQUEST = max(BUNDLE_MAX, PART_BYTES)
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PART = bytes(PART_BYTES)
HALF = PART_BYTES // 2
UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def documented(word: str) -> str:
    """The lines that docs/operations.md has for this proxy."""
    blocks = re.findall(r"(?<=\n)```\n(.*?)\n```", (ROOT / "docs/operations.md").read_text(), re.S)
    [block] = [block for block in blocks if word in block]
    return str(block)


@pytest.fixture(scope="module")
def nginx_lines() -> str:
    return documented("worker_connections")


@pytest.fixture(scope="module")
def caddy_lines() -> str:
    return documented("reverse_proxy")


@pytest.fixture(scope="module")
def apache_lines() -> str:
    return documented("ProxyPass ")


def in_bytes(text: str) -> float:
    """A size as proxies write it, where 0 is for no limit."""
    found = re.fullmatch(r"(\d+)([kmg]?)", text.lower())
    assert found, text
    return int(found[1]) * UNITS[found[2]] or float("inf")


def values(lines: str, name: str) -> list[str]:
    return re.findall(rf"(?<![\w-]){re.escape(name)}[ =]([^;\s]+)", lines)


def test_no_documented_proxy_refuses_the_largest_request(nginx_lines: str, caddy_lines: str, apache_lines: str) -> None:
    # Without these lines the first refuses what is over 1 MiB, and the last what is over 1 GiB.
    for lines, name in ((nginx_lines, "client_max_body_size"), (apache_lines, "LimitRequestBody")):
        [limit] = values(lines, name)
        assert in_bytes(limit) >= LARGEST_REQUEST, name
    assert values(caddy_lines, "max_size") == []


def test_no_documented_proxy_gathers_a_body_before_it_passes_it_on(
    nginx_lines: str, caddy_lines: str, apache_lines: str
) -> None:
    assert values(nginx_lines, "proxy_request_buffering") == ["off"]
    assert values(caddy_lines, "request_buffers") == []
    assert "proxy-sendcl" not in apache_lines
    assert "BUFFER" not in apache_lines


def test_no_documented_proxy_counts_the_time_of_a_whole_body(
    nginx_lines: str, caddy_lines: str, apache_lines: str
) -> None:
    # Those of nginx, and this one of Apache, begin anew with every byte that moves.
    for lines, name in ((nginx_lines, "client_body_timeout"), (nginx_lines, "proxy_send_timeout")):
        assert values(lines, name) == ["60s"]
    assert values(apache_lines, "Timeout") == ["60"]
    [body] = values(apache_lines, "body")
    assert body == "0"
    assert values(caddy_lines, "read_body") == values(caddy_lines, "read_timeout") == []


def test_no_documented_proxy_writes_down_who_came(nginx_lines: str, caddy_lines: str, apache_lines: str) -> None:
    assert values(nginx_lines, "access_log") == ["off"]
    assert "error_log stderr emerg;" in nginx_lines
    assert "output discard" in caddy_lines
    assert values(apache_lines, "ErrorLog") == ["/dev/null"]
    assert "CustomLog" not in apache_lines


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = portal_program(tmp_path_factory.mktemp("portal"))
    program.start()
    yield program
    program.stop()


@contextmanager
def running_nginx(lines: str, folder: Path, portal: Program) -> Iterator[int]:
    """nginx with the documented lines, and what the documents leave open: port, folders, and no process beside it."""
    port = free_port()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    lines = lines.replace("127.0.0.1:8000", f"127.0.0.1:{portal.port}")
    lines = lines.replace("server {\n", f"server {{\n        listen 127.0.0.1:{port};\n", 1)
    lines = lines.replace("http {\n", f"http {{\n    {folders}\n", 1)
    file = folder / "nginx.conf"
    file.write_text(f"daemon off; master_process off; pid {folder}/nginx.pid;\n{lines}\n")
    assert NGINX
    process = subprocess.Popen([NGINX, "-e", "stderr", "-c", str(file)])
    try:
        wait_until(lambda: is_open(port) or process.poll() is not None, "nginx answers")
        assert process.poll() is None
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def is_being_written(folder: Path) -> bool:
    return any(file.stat().st_size > 0 for file in folder.glob("*"))


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_a_part_of_4_mib_and_a_bundle_pass_nginx_as_they_come(
    nginx_lines: str, tmp_path: Path, portal: Program
) -> None:
    world = post_test_charter(portal)
    sealed = seal_submission(
        charter=world.charter,
        receipt_digits=DIGITS,
        language="en",
        answers={"story": "A short one."},
        sealed_by="command-line",
        today=TODAY,
    )
    incoming = Path(portal.settings["PORTAL_DATA"]) / "blobs" / "incoming"
    with running_nginx(nginx_lines, tmp_path, portal) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
        connection.putrequest("PUT", f"/api/v1/uploads/{'1' * 32}/attachment-1.age/64")
        digest = base64.b64encode(hashlib.sha256(PART).digest()).decode()
        connection.putheader("Content-Digest", f"sha-256=:{digest}:")
        connection.putheader("Content-Length", str(PART_BYTES))
        connection.endheaders(PART[:HALF])
        # It has come to the portal before its sender has sent the rest.
        wait_until(lambda: is_being_written(incoming), "the portal writes the first half")
        connection.send(PART[HALF:])
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (201, b'{"status":"stored"}')
        connection.request("POST", "/api/v1/submissions", sealed.bundle(), {"Content-Type": MEDIA_TYPE})
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:1]) == (201, b"{")
        connection.close()
