# SPDX-License-Identifier: AGPL-3.0-or-later
"""A backup of a portal that takes reports, and its way back: ``python -m benchmarks.backups [REPORTS] [BYTES]``.

``BYTES`` is what the attachments of all reports have together; 10,000 reports with 5 GB are ``10000 5000000000``.

Method. The portal runs as its own process with its defaults, SQLite and a folder; every report is a really sealed one
under an id of its own, with one attachment, sent as a bundle over loopback. Then small reports come from two clients
without a pause: first for some seconds with nothing beside them, then for as long as ``backup`` runs, its own process
on the same machine. ``exercise`` and ``restore`` follow, each timed with the portal at rest. The bound is what tar
writes of the same folder, read and synced once. At the end everything that was acknowledged before the backup began
must be in the restored place: every row, and every part with the hash that its name says.
"""

import hashlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes, token_hex

from benchmarks.http_clients import Exchange, exchange_all, make_request
from crypto.age import PqIdentity
from crypto.bundle import MEDIA_TYPE
from crypto.receipt_code import new_code
from crypto.submission import OutgoingAttachment, SealedSubmission, seal_submission
from tests.people import TODAY, World
from tests.servers import ROOT, Program, portal_program, post_test_charter

REPORTS = 400
BYTES = 400_000_000
AT_ONCE = 40
CLIENTS = 2
A_FLOOD = 4000
QUIET_SECONDS = 5.0
# Reports with files come as fast here as a flood does, and are to be taken all the same.
STORE_BYTES = 10**13


def seal_one(world: World, size: int) -> SealedSubmission:
    """A report with an attachment of ``size`` bytes, or with none."""
    attachments = [OutgoingAttachment("scan.bin", "application/octet-stream", token_bytes(size))] if size else []
    return seal_submission(
        charter=world.charter,
        receipt_digits=new_code(),
        language="en",
        answers={"story": "They took him at the border crossing. " * 40},
        attachments=attachments,
        sealed_by="command-line",
        today=TODAY,
    )


def requests_of(sealed: SealedSubmission, count: int) -> Iterator[tuple[str, bytes]]:
    """Ids and requests, each report under an id of its own."""
    for _ in range(count):
        submission = token_hex(16)
        bundle = replace(sealed, manifest_bytes=replace(sealed.manifest, submission=submission).encode()).bundle()
        yield submission, make_request("POST", "/api/v1/submissions", {"Content-Type": MEDIA_TYPE}, bundle)


def fill(portal: Program, world: World, count: int, size: int) -> set[str]:
    """Send reports until ``count`` were acknowledged; their ids.

    So many with files in a few minutes are a flood, for which the portal would ask for work (docs/protocol.md §7.4):
    started anew it forgets how many came.
    """
    sealed, ids = seal_one(world, size), set[str]()
    while len(ids) < count:
        if len(ids) % A_FLOOD == 0 and ids:
            portal.stop()
            portal.start()
        some = dict(requests_of(sealed, min(AT_ONCE, count - len(ids))))
        _, done = exchange_all(portal.port, list(some.values()), CLIENTS)
        assert all(exchange.status == 201 for exchange in done), [exchange.body[:200] for exchange in done]
        ids |= set(some)
    return ids


def send_while(portal: Program, small: SealedSubmission, goes_on: Callable[[], bool]) -> list[Exchange]:
    done: list[Exchange] = []
    while goes_on():
        _, more = exchange_all(portal.port, [request for _, request in requests_of(small, AT_ONCE)], CLIENTS)
        done += more
    return done


def say_exchanges(what: str, seconds: float, done: list[Exchange]) -> None:
    times = sorted(exchange.seconds * 1000 for exchange in done)
    accepted = sum(exchange.status == 201 for exchange in done)
    print(
        f"{what:34} {accepted / seconds:7.0f} reports/s  {len(done) - accepted} refused  median "
        f"{statistics.median(times):6.1f} ms  99 % {times[int(len(times) * 0.99)]:6.1f} ms  most {times[-1]:6.0f} ms",
        flush=True,
    )


def command(portal: Program, data: Path, *arguments: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "portal", *map(str, arguments)],
        env={**portal.environment(), "PORTAL_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )


def timed(what: str, size: int, process: "subprocess.Popen[bytes]") -> None:
    start = time.perf_counter()
    assert process.wait() == 0, what
    seconds = time.perf_counter() - start
    print(f"{what:34} {seconds:8.2f} s  {size / seconds / 1e6:6.0f} MB/s", flush=True)


def measure_backup(portal: Program, world: World, file: Path, recipient: str) -> None:
    small = seal_one(world, 0)
    end = time.perf_counter() + QUIET_SECONDS
    say_exchanges("without a backup", QUIET_SECONDS, send_while(portal, small, lambda: time.perf_counter() < end))
    start = time.perf_counter()
    data = Path(portal.settings["PORTAL_DATA"])
    backup = command(portal, data, "backup", "--recipient", recipient, file)
    done = send_while(portal, small, lambda: backup.poll() is None)
    seconds = time.perf_counter() - start
    assert backup.returncode == 0
    say_exchanges("while a backup is made", seconds, done)
    size = file.stat().st_size
    print(f"{'backup, with the reports beside it':34} {seconds:8.2f} s  {size / seconds / 1e6:6.0f} MB/s  {size} bytes")


def measure_bound(data: Path, target: Path) -> None:
    start = time.perf_counter()
    with target.open("wb") as file:
        subprocess.run(["tar", "cf", "-", "-C", str(data), "."], stdout=file, check=True)
        os.fsync(file.fileno())
    seconds, size = time.perf_counter() - start, target.stat().st_size
    print(f"{'tar of the same folder, synced':34} {seconds:8.2f} s  {size / seconds / 1e6:6.0f} MB/s")
    target.unlink()


def check(data: Path, acknowledged: set[str]) -> None:
    """Fail unless every report and every part of it is in the restored folder."""
    with sqlite3.connect(f"file:{data / 'portal.sqlite3'}?mode=ro", uri=True) as database:
        rows = {submission for (submission,) in database.execute("SELECT submission FROM submission")}
    assert acknowledged <= rows
    parts = list((data / "blobs" / "parts").glob("*/*/*"))
    for part in parts:
        with part.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == part.name.split("-")[1]
    assert acknowledged == {part.parent.parent.name for part in parts}
    print(f"{len(acknowledged)} reports and {len(parts)} parts are in the restored place, as they were acknowledged")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else REPORTS
    size = int(sys.argv[2]) if len(sys.argv) > 2 else BYTES
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as name:
        folder = Path(name)
        portal = portal_program(folder, PORTAL_STORE_BYTES=str(STORE_BYTES))
        portal.start()
        identity, file = PqIdentity.generate(), folder / "backup.age"
        (folder / "identity").write_text(str(identity))
        try:
            world = post_test_charter(portal)
            acknowledged = fill(portal, world, count, size // count)
            print(f"{count} reports, {size} bytes of attachments", flush=True)
            measure_backup(portal, world, file, str(identity.recipient()))
        finally:
            portal.stop()
        data, restored = Path(portal.settings["PORTAL_DATA"]), folder / "restored"
        measure_bound(data, folder / "bound")
        for what in ("exercise", "restore"):
            given = (what, "--identity", folder / "identity", file)
            timed(what, file.stat().st_size, command(portal, restored, *given))
        check(restored, acknowledged)


if __name__ == "__main__":
    main()
