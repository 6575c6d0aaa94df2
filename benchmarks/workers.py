# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports that a portal of 1, 2 and 4 server processes accepts per second: ``python -m benchmarks.workers [SECONDS]``.

Method. For each number of processes a portal of its own runs on a database of PostgreSQL, which syncs every commit, and
beside them one process over SQLite with its defaults. Sealed reports, each under an id of its own, come over loopback
from one process with eight connections as fast as answers come. All of it is on one machine: PostgreSQL, the portal and
the clients share its processors, and more server processes than are left of these can't be quicker. The bound is how
many commits the same disk syncs one after the other in a file of SQLite. At the end the database is asked for every
acknowledged report: none may be missing, and there may be no other.
"""

import asyncio
import json
import os
import sqlite3
import statistics
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import asyncpg

from benchmarks.http_clients import Exchange, exchange_all
from benchmarks.restores import commits_per_second
from benchmarks.submissions import make_requests, seal_one, wait_until_idle
from tests.postgres import Postgres, start_postgres
from tests.servers import ROOT, portal_program, post_test_charter

WORKERS = (1, 2, 4)
CLIENTS = 8
SECONDS = 4.0
GUESS_PER_SECOND = 150


def measure(folder: Path, seconds: float, **settings: str) -> tuple[float, list[Exchange]]:
    """Start a portal, send it reports, stop it; seconds and answers. Charter and pages come before the clock."""
    folder.mkdir()
    portal = portal_program(folder, **settings)
    portal.start()
    try:
        sealed = seal_one(post_test_charter(portal))
        wait_until_idle(portal.pid)
        requests = make_requests(sealed, int(seconds * GUESS_PER_SECOND))
        return exchange_all(portal.port, list(requests.values()), CLIENTS)
    finally:
        portal.stop()


def acknowledged(done: list[Exchange]) -> set[str]:
    """The hashes of the manifests that were acknowledged."""
    return {json.loads(each.body)["acknowledgement"].split("\n")[3] for each in done if each.status == 201}


def say(what: str, seconds: float, done: list[Exchange], stored: set[str]) -> None:
    times = sorted(each.seconds * 1000 for each in done)
    known = acknowledged(done)
    assert known == stored, f"{len(known - stored)} acknowledged and missing, {len(stored - known)} there for nobody"
    print(
        f"{what:28} {len(known) / seconds:6.0f} reports/s  {len(done) - len(known)} refused  median "
        f"{statistics.median(times):6.1f} ms  99 % {times[int(len(times) * 0.99)]:6.1f} ms  {len(stored)} rows",
        flush=True,
    )


async def create(server: Postgres, name: str) -> None:
    connection = await asyncpg.connect(f"postgresql://tester@127.0.0.1:{server.port}/postgres")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await connection.fetchval(f"SHOW {setting}") == "on", f"PostgreSQL runs without {setting}"
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


async def stored_in(url: str) -> set[str]:
    connection = await asyncpg.connect(url.replace("asyncpg", "postgresql"))
    rows = await connection.fetch("SELECT manifest_sha256 FROM submission WHERE length(report) > 16384")
    await connection.close()
    return {row["manifest_sha256"] for row in rows}


def stored_in_file(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT manifest_sha256 FROM submission WHERE length(report) > 16384")
        return {row[0] for row in rows}


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    server = start_postgres(durable=True)
    if isinstance(server, str):
        raise SystemExit(server)
    try:
        with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as name:
            folder = Path(name)
            print(f"{os.cpu_count()} processors, {CLIENTS} clients; bound: {commits_per_second(folder):.0f} commits/s")
            taken, done = measure(folder / "sqlite", seconds)
            say(
                "SQLite, 1 server process", taken, done, stored_in_file(folder / "sqlite" / "portal" / "portal.sqlite3")
            )
            for workers in WORKERS:
                asyncio.run(create(server, f"portal_{workers}"))
                url = f"asyncpg://tester@127.0.0.1:{server.port}/portal_{workers}"
                settings = {"PORTAL_DATABASE": url, "PORTAL_WORKERS": str(workers)}
                taken, done = measure(folder / f"workers-{workers}", seconds, **settings)
                say(f"PostgreSQL, processes: {workers}", taken, done, asyncio.run(stored_in(url)))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
