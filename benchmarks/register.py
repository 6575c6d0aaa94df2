# SPDX-License-Identifier: AGPL-3.0-or-later
"""A register of 1,000 findings: how long it takes to build, what a page weighs, how fast it is served:
``python -m benchmarks.register [FINDINGS]``.

Method. The findings are really signed, of about 900 words each, and put into the database of a portal. Building is
timed in this process, from the verified findings to compressed pages in two languages with lists, feeds and hashes;
then publishing one more. The portal runs as its own process with its defaults; its start is timed until it answers for
a reporter's page and for the register. Pages are asked for over 4 connections from this process on the same machine,
brotli taken, in rounds that alternate with a handler on the same server that answers with the same bytes and does
nothing else: the bound.
"""

import asyncio
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.http_clients import exchange_all, make_request
from crypto.finding import Section
from portal.charters.known import Charters
from portal.kit.assets import load_assets
from portal.pages.site import extend_site, make_site
from portal.register.entry import Entry
from portal.register.findings import Findings
from portal.register.register_pages import build_register
from portal.storage.database import Database
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FindingRecord
from tests.findings import publish_finding
from tests.people import NOW, World
from tests.servers import ROOT, Program, free_port, portal_program, post_test_charter

FINDINGS = 1000
ROUNDS = 5
REQUESTS = 4000
CLIENTS = 4
_WORDS = (
    "The commission heard the people concerned and asked the authority for its account. The time limit had passed "
    "and nobody had asked for a new date; the person was held all the same, on the strength of a call without a note. "
)


def fill(world: World, database_url: str, count: int) -> None:
    """Sign findings and write them as the portal would."""

    async def write() -> None:
        database = await Database.open(database_url)
        with database.use():
            rows = []
            for number in range(1, count + 1):
                text = f"This is finding {number}. {_WORDS * 7}\n\n- {_WORDS}\n- {_WORDS}"
                sections = tuple(Section(heading, text) for heading in ("What happened", "The rules", "Assessment"))
                title = f"Held past the date of surrender, case {number}"
                finding = publish_finding(world, number, title=title, sections=sections)
                rows.append(
                    FindingRecord(
                        identifier=finding.id,
                        slug=finding.slug,
                        revision=1,
                        hash=finding.hash,
                        day=finding.day,
                        kind=finding.kind,
                        reason=None,
                        note=finding.note.decode(),
                    )
                )
            await FindingRecord.bulk_create(rows)
        await database.close()

    asyncio.run(write())


def load(world: World, database_url: str) -> list[Entry]:
    """Read and verify them as the portal does at its start."""

    async def read() -> list[Entry]:
        database = await Database.open(database_url)
        with database.use():
            charters = Charters(world.charter.origin, world.charter.realm, world.charter.portal)
            await charters.refresh()
            findings = Findings(charters, GroupCommit(0), lambda: NOW)
            await findings.refresh()
        await database.close()
        return findings.newest_first()

    return asyncio.run(read())


def measure_building(world: World, database_url: str) -> str:
    """Print the figures of building; the path of a finding's page."""
    assets = load_assets(ROOT / "static" / "dist")
    start = time.perf_counter()
    entries = load(world, database_url)
    print(f"{'read and verify':34} {time.perf_counter() - start:8.2f} s")
    start, start_cpu = time.perf_counter(), time.process_time()
    register = build_register(entries[1:], world.charter.origin, assets)
    cpu = time.process_time() - start_cpu
    print(
        f"{'build all pages':34} {time.perf_counter() - start:8.2f} s   "
        f"{len(register.hashes)} paths, {cpu:.2f} s of CPU"
    )
    start = time.perf_counter()
    register = register.renewed(entries, {entries[0].finding.id})
    print(f"{'publish one more':34} {time.perf_counter() - start:8.2f} s")
    start = time.perf_counter()
    site = extend_site(make_site([]), register.pages, register.hashes)
    print(f"{'manifest of the site':34} {time.perf_counter() - start:8.2f} s")
    page_path = entries[0].page_path("en")
    style = gzip.compress(assets["register.css"].body, 9)
    for name, path in (("finding", page_path), ("list of 50", "/en/findings/"), ("signed file", entries[0].file_path)):
        page = site.pages[path]
        print(f"{name:34} {len(page.body):8} bytes, gzip {len(page.gzip)}, brotli {len(page.brotli)}")
    print(f"{'style':34} {len(assets['register.css'].body):8} bytes, gzip {len(style)}")
    held = sum(len(page.body) + len(page.gzip) + len(page.brotli) for page in register.pages[0].values())
    print(f"{'held in memory':34} {held / 2**20:8.1f} MiB")
    return page_path


def measure_start(portal: Program) -> None:
    start = time.perf_counter()
    portal.start()
    httpx.get(f"{portal.origin}/en/", timeout=120)
    print(f"{'start until a reporter is served':34} {time.perf_counter() - start:8.2f} s")
    httpx.get(f"{portal.origin}/en/findings/", timeout=120)
    print(f"{'start until the register is served':34} {time.perf_counter() - start:8.2f} s")


@contextmanager
def bare_server(folder: Path, body: bytes) -> Iterator[int]:
    file, port = folder / "body", free_port()
    file.write_bytes(body)
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_page", str(port), str(file)], cwd=ROOT)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            client.get(f"http://127.0.0.1:{port}/")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def measure_serving(portal: Program, folder: Path, path: str) -> None:
    request = make_request("GET", path, {"Accept-Encoding": "gzip, br"}, b"")
    _, first = exchange_all(portal.port, [request], 1)
    rates: dict[str, list[float]] = {"register": [], "bare handler, same bytes": []}
    with bare_server(folder, first[0].body) as bare:
        for _ in range(ROUNDS):
            for name, port in zip(rates, (portal.port, bare), strict=True):
                seconds, done = exchange_all(port, [request] * REQUESTS, CLIENTS)
                assert {exchange.status for exchange in done} == {200}
                rates[name].append(REQUESTS / seconds)
    for name, found in rates.items():
        print(f"{name:34} {statistics.median(found):8.0f} requests/s (of {ROUNDS} rounds, {len(first[0].body)} bytes)")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FINDINGS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portal = portal_program(folder)
        portal.start()
        world = post_test_charter(portal)
        portal.stop()
        database_url = f"sqlite://{folder / 'portal' / 'portal.sqlite3'}"
        fill(world, database_url, count)
        print(f"{count} findings")
        path = measure_building(world, database_url)
        try:
            measure_start(portal)
            measure_serving(portal, folder, path)
        finally:
            portal.stop()


if __name__ == "__main__":
    main()
