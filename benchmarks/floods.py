# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long another visitor waits while a stranger floods the door: ``python -m benchmarks.floods [NAME …]``.

Method. Portal and office run as programs of their own with their defaults. During each flood of
``benchmarks.flooding``, run by a process of its own on the same machine, honest visitors come one after the other, each
over a connection of its own: at the portal with a really sealed report, of which only the id differs, until it is
accepted; at the office for the page of the login. One that is refused, or hung up on, tries again after the seconds
that it is told, or one; the time is from the first try to the answer. The bound is ten times the median of the same
visits without a flood, just before. That the flood was on is shown by the connections that it had open and the bytes
that it sent. Memory is the resident set of the program: before, at most, and after the flood.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from benchmarks.flooding import FLOODS
from benchmarks.submissions import seal_one
from crypto.bundle import MEDIA_TYPE
from crypto.submission import SealedSubmission
from tests.servers import ROOT, Program, office_program, portal_program, post_test_charter

VISITS = 25
FLOOD_SECONDS_BEFORE = 5
QUIET_SECONDS = 3
TIMES_MAX = 10
SECONDS_MAX = 120
PAGE_BYTES = 4096
Visit = Callable[[int], bool]


def send_report(sealed: SealedSubmission) -> Visit:
    def send(port: int) -> bool:
        data = replace(sealed.manifest, submission=token_hex(16)).encode()
        body = replace(sealed, manifest_bytes=data).bundle()
        return _ask(port, "POST", "/api/v1/submissions", body, {"Content-Type": MEDIA_TYPE}) == 201

    return send


def see_login(port: int) -> bool:
    return _ask(port, "GET", "/login", b"", {}) in (200, 303)


def _ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the first answer that is none of a program that is busy."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
        wait = 1.0
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (408, 503):
                return answer.status
            wait = float(answer.getheader("retry-after", "1"))
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(wait)


def visit(port: int, one: Visit) -> list[float]:
    """Milliseconds of each visit, sorted."""
    times = []
    for _ in range(VISITS):
        start = time.perf_counter()
        assert one(port), "an honest visitor was turned away"
        times.append((time.perf_counter() - start) * 1000)
    return sorted(times)


def resident(program: Program) -> int:
    """MiB."""
    return int(Path(f"/proc/{program.pid}/statm").read_text().split()[1]) * PAGE_BYTES // 2**20


@contextmanager
def flooding(name: str, port: int, tally: dict[str, int]) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.flooding", name, str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        time.sleep(FLOOD_SECONDS_BEFORE)
        yield
    finally:
        tally |= json.loads(process.communicate()[0])


@contextmanager
def watching_memory(program: Program, most: list[int]) -> Iterator[None]:
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            most[0] = max(most[0], resident(program))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure(name: str, program: Program, one: Visit) -> None:
    quiet = visit(program.port, one)
    before, most, tally = resident(program), [0], dict[str, int]()
    with watching_memory(program, most), flooding(name, program.port, tally):
        flooded = visit(program.port, one)
    time.sleep(QUIET_SECONDS)
    assert tally["opened"], "the flood was not on"
    bound = TIMES_MAX * statistics.median(quiet)
    median = statistics.median(flooded)
    print(
        f"{name:22} {statistics.median(quiet):7.1f} {quiet[-1]:7.1f} {median:8.1f} {flooded[-1]:8.1f}"
        f"  {median / statistics.median(quiet):6.1f} {'held' if median <= bound else 'MISSED':6}"
        f"  {tally['open_most']:6} {tally['opened']:6} {tally['sent'] / 2**20:8.1f}"
        f"  {before:5} {most[0]:5} {resident(program):5}",
        flush=True,
    )


def main() -> None:
    chosen = sys.argv[1:] or list(FLOODS)
    print(f"{VISITS} visits each; ms: quiet median, worst; flooded median, worst; how many times the quiet median;")
    print("the flood: connections open at most, opened, MiB sent; MiB of the program before, at most, after")
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as folder:
        portal = portal_program(Path(folder))
        office = office_program(Path(folder), portal)
        portal.start()
        office.start()
        try:
            visits = {
                "portal": (portal, send_report(seal_one(post_test_charter(portal)))),
                "office": (office, see_login),
            }
            for name in chosen:
                measure(name, *visits[name.partition("-")[0]])
        finally:
            office.stop()
            portal.stop()


if __name__ == "__main__":
    main()
