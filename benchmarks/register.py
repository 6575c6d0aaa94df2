# SPDX-License-Identifier: AGPL-3.0-or-later
"""A register of 10,000 findings: how long it takes to be there, what it weighs, how fast a page is served:
``python -m benchmarks.register [FINDINGS]``.

Method. The findings are really signed, of about 900 words each, drawn from 400 as often as words of a language are, so
that they compress as text does, and put into the database of a portal. The portal runs as its own process with its
defaults; its start is timed until it answers for a reporter's page, for the register, for the finding that it would
make last, and for the manifest, which is there when all pages are made. CPU and memory are what the system says of that
process. Pages are asked for over 4 connections from this process on the same machine, gzip taken, in rounds that
alternate with a handler on the same server that answers with the same bytes and headers and does nothing else: the
bound; first while the portal makes pages, then when all are made. What one finding takes, and one more publication, is
timed in this process, with nothing beside it.
"""

import asyncio
import json
import os
import random
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
from crypto.finding import Section, path_name, read_finding
from portal.charters.known import Charters
from portal.pages.live_pages import LivePages
from portal.register.findings import Findings
from portal.register.live import LiveRegister
from portal.register.stored import row_of
from portal.settings import Settings
from portal.storage.database import Database
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FindingRecord
from tests.findings import draft_finding, sign_finding
from tests.people import NOW, World
from tests.servers import ROOT, Program, free_port, portal_program, post_test_charter
from tests.waiting import wait_until

FINDINGS = 10_000
ROUNDS = 5
REQUESTS = 4000
CLIENTS = 4
ROWS = 500
SECONDS_MAX = 3600
CHANCE = random.Random(1)
VOCABULARY = ["".join(CHANCE.choices("etaoinshrdlucmfw", k=CHANCE.randint(2, 10))) for _ in range(400)]
OFTEN = [1 / place for place in range(1, len(VOCABULARY) + 1)]


def words(count: int) -> str:
    return " ".join(CHANCE.choices(VOCABULARY, OFTEN, k=count))


def note_of(world: World, number: int) -> bytes:
    headings = ("What happened", "The rules", "Assessment")
    sections = tuple(Section(heading, f"{words(250)}\n\n- {words(20)}\n- {words(20)}") for heading in headings)
    title = f"Held past the date of surrender, case {number}"
    return sign_finding(world, draft_finding(world, number, title=title, summary=words(40), sections=sections))


async def fill(world: World, database_url: str, count: int) -> None:
    """Sign findings and write them as the portal would."""
    database = await Database.open(database_url)
    with database.use():
        for first in range(1, count + 1, ROWS):
            numbers = range(first, min(first + ROWS, count + 1))
            found = [read_finding(note_of(world, number), world.charter) for number in numbers]
            await FindingRecord.bulk_create([row_of(finding) for finding in found])
    await database.close()


def say(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:42} {seconds:9.3f} s{more}", flush=True)


async def measure_making(world: World, database_url: str, count: int) -> None:
    """Print what loading, one finding and one more publication take, and what a page weighs."""
    database = await Database.open(database_url)
    try:
        with database.use():
            charters = Charters(world.charter.origin, world.charter.realm, world.charter.portal)
            await charters.refresh()
            commits = GroupCommit(8)
            settings = Settings(origin=world.charter.origin, data=Path(), static=ROOT / "static" / "dist")
            pages = LivePages(settings, charters.realm)
            register = LiveRegister(Findings(charters, commits, lambda: NOW), pages, settings)
            tasks = [asyncio.create_task(commits.run()), asyncio.create_task(register.run())]
            await measure_steps(register, pages, note_of(world, count + 1))
            for task in tasks:
                task.cancel()
            await FindingRecord.filter(identifier=draft_finding(world, count + 1).id).delete()
    finally:
        await database.close()


async def measure_steps(register: LiveRegister, pages: LivePages, note: bytes) -> None:
    start = time.perf_counter()
    await register.refresh()
    say("load the rows", time.perf_counter() - start)
    await register.make("/findings.atom")
    oldest = register.findings.stored.newest_first()[-100:]
    start, start_cpu = time.perf_counter(), time.process_time()
    for stored in oldest:
        await register.make(stored.page_path("en"))
    cpu = (time.process_time() - start_cpu) / len(oldest)
    seconds = (time.perf_counter() - start) / len(oldest)
    say("a finding: check it and make its pages", seconds, f", {cpu * 1000:.1f} ms of CPU")
    start = time.perf_counter()
    await register.publish(oldest[0].slug, note)
    say("publish one more", time.perf_counter() - start)
    start = time.perf_counter()
    await register.make("/en/findings/")
    say("the list after that", time.perf_counter() - start)
    await register.make(oldest[0].file_path)
    shown = {"finding": oldest[0].page_path("en"), "list of 50": "/en/findings/", "signed file": oldest[0].file_path}
    for name, path in shown.items():
        print(f"{name:42} {len(pages.register[path].body):9} bytes, gzip {len(pages.register[path].gzip)}")


def used_by(portal: Program) -> str:
    """Memory and processor time of the portal's process."""
    lines = Path(f"/proc/{portal.pid}/status").read_text().splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    ticks = map(int, Path(f"/proc/{portal.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
    return f", {sum(ticks) / os.sysconf('SC_CLK_TCK'):.1f} s of CPU, {kib / 1024:.0f} MiB"


def measure_start(portal: Program, world: World) -> float:
    """Print when what is there; return when it was begun."""
    start = time.perf_counter()
    portal.start()
    oldest = path_name(draft_finding(world, 1).id)
    for what, path in (
        ("start until a reporter is served", "/en/"),
        ("start until the register is served", "/en/findings/"),
        ("start until the oldest finding is served", f"/ar/findings/{oldest}"),
    ):
        httpx.get(f"{portal.origin}{path}", timeout=SECONDS_MAX).raise_for_status()
        say(what, time.perf_counter() - start, used_by(portal))
    return start


def measure_end(portal: Program, start: float) -> None:
    """Print when all pages are made."""

    def is_there() -> bool:
        return httpx.get(f"{portal.origin}/manifest.json", timeout=SECONDS_MAX).status_code == 200

    wait_until(is_there, "the manifest is served", SECONDS_MAX)
    say("start until all pages are made", time.perf_counter() - start, used_by(portal))


@contextmanager
def bare_server(folder: Path, answer: httpx.Response, body: bytes) -> Iterator[int]:
    port = free_port()
    headers = without_date(answer)
    (folder / "body").write_bytes(body)
    (folder / "headers").write_text(json.dumps(headers))
    files = [str(folder / "body"), str(folder / "headers")]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_page", str(port), *files], cwd=ROOT)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            assert without_date(client.get(f"http://127.0.0.1:{port}/")) == headers
        yield port
    finally:
        process.terminate()
        process.wait(10)


def without_date(answer: httpx.Response) -> list[tuple[str, str]]:
    """The headers but for that which the server adds by itself."""
    return sorted((name, value) for name, value in answer.headers.items() if name != "date")


def measure_serving(portal: Program, folder: Path, path: str) -> None:
    given = {"Accept-Encoding": "gzip, br"}
    answer = httpx.get(f"{portal.origin}{path}", headers=given).raise_for_status()
    request = make_request("GET", path, given, b"")
    _, first = exchange_all(portal.port, [request], 1)
    rates: dict[str, list[float]] = {"register": [], "bare handler, same answer": []}
    with bare_server(folder, answer, first[0].body) as bare:
        for _ in range(ROUNDS):
            for name, port in zip(rates, (portal.port, bare), strict=True):
                seconds, done = exchange_all(port, [request] * REQUESTS, CLIENTS)
                assert {exchange.status for exchange in done} == {200}
                rates[name].append(REQUESTS / seconds)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, median in medians.items():
        print(f"{name:42} {median:9.0f} requests/s (of {ROUNDS} rounds, {len(first[0].body)} bytes)")
    of_bound = medians["register"] / medians["bare handler, same answer"]
    print(f"{'of the bound':42} {of_bound:9.0%}", flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FINDINGS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portal = portal_program(folder)
        portal.start()
        world = post_test_charter(portal)
        portal.stop()
        database_url = f"sqlite://{folder / 'portal' / 'portal.sqlite3'}"
        asyncio.run(fill(world, database_url, count))
        print(f"{count} findings", flush=True)
        asyncio.run(measure_making(world, database_url, count))
        path = f"/en/findings/{path_name(draft_finding(world, count).id)}"
        try:
            start = measure_start(portal, world)
            print("while pages are made:")
            measure_serving(portal, folder, path)
            measure_end(portal, start)
            print("when all are made:")
            measure_serving(portal, folder, path)
        finally:
            portal.stop()


if __name__ == "__main__":
    main()
