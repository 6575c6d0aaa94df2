# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed text submissions that the portal accepts per second, durably: ``python -m benchmarks.submissions [SECONDS]``.

Method. The portal runs as its own process with one worker and its defaults: SQLite with a sync for every commit, blobs
in a folder; it has built its pages before the first report. Every request is a whole bundle with a submission id of its
own and the files of a really sealed report. 1, 2, 4 and 8 clients send as fast as answers come, each over one
connection, from this process, on the same machine. In the same round the same bytes go to a handler on the same server
that only appends each body to a file and syncs: the bound. Then the database is asked for every acknowledged
submission: none may be missing. On a machine that does other work too, the processor time of the server for each
submission says more than the rate.
"""

import hashlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from benchmarks.http_clients import Exchange, exchange_all, make_request
from crypto.bundle import MEDIA_TYPE
from crypto.receipt_code import new_code
from crypto.submission import SealedSubmission, seal_submission
from tests.people import TODAY, World
from tests.servers import ROOT, free_port, portal_program, post_test_charter

CLIENTS = (1, 2, 4, 8)
SECONDS = 4.0
REQUESTS_MAX = 8000
GUESS_PER_SECOND = 1000
IDLE_SECONDS_MAX = 120
IDLE_SHARE = 0.05


def seal_one(world: World) -> SealedSubmission:
    return seal_submission(
        charter=world.charter,
        receipt_digits=new_code(),
        language="en",
        answers={"story": "They took him at the border crossing. " * 40},
        sealed_by="command-line",
        today=TODAY,
    )


def make_requests(sealed: SealedSubmission, count: int) -> dict[str, bytes]:
    """Requests by the hash of their manifests, each under an id of its own."""
    requests = {}
    for _ in range(count):
        data = replace(sealed.manifest, submission=token_hex(16)).encode()
        bundle = replace(sealed, manifest_bytes=data).bundle()
        requests[hashlib.sha256(data).hexdigest()] = make_request(
            "POST", "/api/v1/submissions", {"Content-Type": MEDIA_TYPE}, bundle
        )
    return requests


def report(name: str, clients: int, seconds: float, done: list[Exchange]) -> float:
    accepted = sum(exchange.status == 201 for exchange in done)
    times = sorted(exchange.seconds * 1000 for exchange in done)
    rate = accepted / seconds
    print(
        f"{name:8} {clients:2} clients  {rate:7.0f} per second  {len(done) - accepted} refused  "
        f"median {statistics.median(times):6.1f} ms  99 % {times[int(len(times) * 0.99)]:6.1f} ms"
    )
    return rate


def processor_seconds(pid: int) -> float:
    """Seconds that a process has spent on the processor, in itself and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(pid: int) -> None:
    """Until a portal that was just started does nothing any more: it builds and compresses pages beside requests."""
    for _ in range(IDLE_SECONDS_MAX):
        before = processor_seconds(pid)
        time.sleep(1)
        if processor_seconds(pid) - before < IDLE_SHARE:
            return
    raise SystemExit("the portal never comes to rest")


def count_stored(database: Path, exchanges: list[Exchange]) -> int:
    """How many of the acknowledged manifests the database holds, with their sealed report."""
    acknowledged = {json.loads(done.body)["acknowledgement"].split("\n")[3] for done in exchanges if done.status == 201}
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT manifest_sha256 FROM submission WHERE length(report) > 16384")
        return len(acknowledged & {row[0] for row in rows})


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as name:
        folder = Path(name)
        portal = portal_program(folder)
        portal.start()
        bare_port = free_port()
        bare = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bare_handler", str(bare_port), name, "one"], cwd=ROOT
        )
        try:
            sealed = seal_one(post_test_charter(portal))
            print(f"{len(sealed.bundle())} bytes a bundle")
            wait_until_idle(portal.pid)
            missing = 0
            for clients in CLIENTS:
                count = min(REQUESTS_MAX, int(seconds * GUESS_PER_SECOND))
                requests = list(make_requests(sealed, count).values())
                bound = report("bound", clients, *exchange_all(bare_port, requests, clients))
                before = processor_seconds(portal.pid)
                taken, done = exchange_all(portal.port, requests, clients)
                each = (processor_seconds(portal.pid) - before) / len(done)
                rate = report("portal", clients, taken, done)
                accepted = sum(exchange.status == 201 for exchange in done)
                missing += accepted - count_stored(folder / "portal" / "portal.sqlite3", done)
                cost = f"{each * 1000:.2f} ms of processor time each"
                print(f"{'':8} {clients:2} clients  {rate / bound:7.0%} of the bound, {cost}")
            print(f"acknowledged and missing: {missing}")
        finally:
            portal.stop()
            bare.terminate()
            bare.wait()


if __name__ == "__main__":
    main()
