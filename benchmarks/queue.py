# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's queue: how long a page takes with many reports, and how fast reports are opened for the index.

    .venv/bin/python -m benchmarks.queue [reports] [opened]

Method: a database file in a temporary folder; ``reports`` rows (20,000) with index entries of one member, of which a
page is read as the queue page does it, ten times each, the median printed. Then ``opened`` (300) reports are sealed as
a reporter's device does it, with 24 stanzas in each grant, and indexed by the member.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

from crypto.receipt_code import new_code
from crypto.submission import seal_submission
from oversight.desk.index import continue_index
from oversight.desk.queue import Filters, read_queue
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.sessions import OpenSession
from oversight.reports.records import IndexEntryRecord, SealedFileRecord, SubmissionRecord
from oversight.reports.summary import Summary, seal_summary
from oversight.storage import Database
from tests.people import TODAY, World, found_test_commission

ROUNDS = 10
CODES = ((), ("UR-SURR-72H",), ("UR-MED",), ("UR-LIMIT",))
COUNTRIES = ("AE", "DE", "EG", "ES", "FR", "GB", "TR", "UA")


async def main(reports: int, opened: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = found_test_commission(slots=24)
        session = _unlock(world)
        database = await Database.open(f"sqlite://{Path(folder) / 'office.sqlite3'}")
        with database.use():
            await _fill(world, session, reports)
            await _time(f"first page of {reports:,}", lambda: read_queue(session, Filters()))
            await _time("filtered by country and urgency", lambda: read_queue(session, Filters("", "TR", "now")))
            await _time("page in the middle", lambda: read_queue(session, Filters(), f"2.1.{reports // 2}"))
            await _index(world, session, opened)
        await database.close()


def _unlock(world: World) -> OpenSession:
    person = world["bruno"]
    return OpenSession(MemberRecord(label=person.label, roles=list(person.roles)), person.keyring, SessionRecord())


async def _fill(world: World, session: OpenSession, reports: int) -> None:
    rows, entries = [], []
    for number in range(1, reports + 1):
        identifier = random.randbytes(16).hex()
        rows.append(_row(identifier, number, world.charter.hash))
        summary = Summary(
            "open", number, "ar", random.choice(COUNTRIES), random.choice(CODES), ("EXT-NR-TORT", "EXT-FAM"), 1, 2
        )
        sealed = seal_summary(summary, session.keyring.index_key, session.member.label, identifier)
        entries.append(IndexEntryRecord(member=session.member.label, submission_id=identifier, sealed=sealed))
    await SubmissionRecord.bulk_create(rows, batch_size=2000)
    await IndexEntryRecord.bulk_create(entries, batch_size=2000)


def _row(identifier: str, number: int, charter: str) -> SubmissionRecord:
    received = date(2026, 1, 1) + timedelta(days=number % 300)
    return SubmissionRecord(
        id=identifier,
        number=number,
        charter=charter,
        manifest=b"{}",
        acknowledgement=b"",
        commitment="0" * 64,
        received=received,
        collected=received,
        confirmed=True,
    )


async def _index(world: World, session: OpenSession, opened: int) -> None:
    await SubmissionRecord.all().delete()
    for number in range(1, opened + 1):
        sealed = seal_submission(
            charter=world.charter,
            receipt_digits=new_code(),
            language="ar",
            answers={"story": "…" * 300},
            sealed_by="command-line",
            today=TODAY,
        )
        row = _row(sealed.manifest.submission, number, world.charter.hash)
        row.manifest, row.commitment = sealed.manifest_bytes, sealed.commitment
        await row.save()
        await SealedFileRecord.bulk_create(
            SealedFileRecord(
                submission=row, name=file.name, size=file.size, sha256=file.sha256, sealed=sealed.files[file.name]
            )
            for file in sealed.manifest.files
        )
    started = time.perf_counter()
    progress = await continue_index(session, {world.charter.hash: world.charter}, world.charter.realm, 600)
    seconds = time.perf_counter() - started
    print(f"{'opened for the index':<34} {progress.done / seconds:8.0f} reports/s")


async def _time(name: str, run: Callable[[], Awaitable[object]]) -> None:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await run()
        times.append(time.perf_counter() - started)
    print(f"{name:<34} {statistics.median(times) * 1000:8.0f} ms")


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:3]]
    asyncio.run(main(*(arguments + [20_000, 300][len(arguments) :])))
