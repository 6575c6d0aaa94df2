# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal that comes back from a backup without reports that its office holds:
``python -m benchmarks.restores [N [LOST]]``.

Method. A portal and an office run in this process, on files of their own, and talk by the office's real requests over
ASGI, where bytes of bodies and heads are counted. The office holds N reports (1,000; 10,000 take as much longer), each
with a mailbox and an id of its own, acknowledged by the portal's key, the sealed bytes those of one report that was
really sealed. The portal lacks LOST of them, the newest: all, as from a backup of the first day, unless another number
is given, as 2,000 of 100,000 from one of last night; the others were collected, and their files deleted, long ago. This
week's round of thread notes is over.

The collector visits the portal, one visit right after the other, until nothing waits; in life there is a minute between
two. As soon as the first mailbox was announced a reporter sends a report to the portal, and then goes on reading its
mailbox. Both programs share one processor here: each would be quicker on a machine of its own. The bound: an
announcement is a durable change, and ``AT_ONCE`` of them at most share a sync. Then a collector that is started anew
compares all, and nothing differs. At the end every mailbox must be there.
"""

import asyncio
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import httpx

from crypto.acknowledgement import Acknowledgement
from crypto.collection import Collection
from crypto.ids import SubmissionId
from crypto.manifest import STATE_FILE, mailbox_id
from crypto.submission import SealedSubmission
from oversight.collector.visit import Collector
from oversight.letters.records import ThreadNoteRecord
from oversight.reports.records import STATE_ROW, CollectorStateRecord, MailboxStateRecord, SubmissionRecord
from oversight.wire.in_parallel import AT_ONCE
from oversight.wire.portal_errors import PortalUnreachable
from portal.office_api.announcements import Announcement, _Checked, _mailbox_row, _submission_row
from portal.storage.records import MailboxRecord, ThreadRecord
from portal.storage.records import SubmissionRecord as PortalSubmission
from tests.oversight.restores import Pair, new_folders
from tests.oversight.sealed_reports import Wire
from tests.people import REALM, TODAY, portal_key
from tests.portal.threads import Thread, start_thread
from tests.portal.world import another, commission, fresh_secrets, in_mailbox, sealed_report
from tests.servers import ROOT

REPORTS = 1000
ROWS_AT_ONCE = 1000
COMMITS = 300
PAUSE_SECONDS = 0.2


@dataclass
class CountingWire(httpx.AsyncBaseTransport):
    """The network between office and portal, with what goes over it."""

    inner: httpx.AsyncBaseTransport
    out: int = 0
    back: int = 0
    requests: int = 0
    announced: int = 0
    announced_at: float = 0.0
    confirmed_at: float = 0.0
    began_announcing: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        response = await self.inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        answer = b"".join([piece async for piece in response.stream])
        self.requests += 1
        self.out += len(request.method) + len(request.url.raw_path) + _head_bytes(request.headers) + len(body)
        self.back += _head_bytes(response.headers) + len(answer)
        if request.url.path.endswith("/announcement") and response.is_success:
            self.announced, self.announced_at = self.announced + 1, time.perf_counter()
            self.began_announcing.set()
        if request.url.path.endswith("/collection"):
            self.confirmed_at = time.perf_counter()
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(answer))


def _head_bytes(headers: httpx.Headers) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers.raw)


async def fill(pair: Pair, count: int, lost: int) -> set[SubmissionId]:
    """Put ``count`` reports into the office's database, as if they had been collected and confirmed; their ids.

    All but the newest ``lost`` are at the portal too.
    """
    sealed, ids = in_mailbox(sealed_report(), fresh_secrets()), set[SubmissionId]()
    with pair.office.database.use():
        await CollectorStateRecord.create(id=STATE_ROW, round=TODAY - timedelta(days=TODAY.weekday()))
    for start in range(0, count, ROWS_AT_ONCE):
        reports, states, notes, kept = [], [], [], []
        for number in range(start + 1, min(start + ROWS_AT_ONCE, count) + 1):
            token = token_hex(32)
            mailbox = mailbox_id(sealed.manifest.recipient, sealed.manifest.control, token)
            one = another(sealed, mailbox=mailbox, token_sha256=token)
            identifier = one.manifest.submission
            ids.add(identifier)
            given = Acknowledgement(REALM, identifier, one.manifest_hash, one.commitment, TODAY)
            acknowledgement = given.sign(portal_key()).encode()
            reports.append(_report(number, identifier, one.manifest.charter, one.manifest_bytes, acknowledgement))
            states.append(MailboxStateRecord(submission=identifier, stale=False, sealed=one.files[STATE_FILE]))
            notes.append(ThreadNoteRecord(submission=identifier, number=1, stale=False))
            if number <= count - lost:
                kept.append(_as_kept(one, given))
        with pair.office.database.use():
            await SubmissionRecord.bulk_create(reports)
            await MailboxStateRecord.bulk_create(states)
            await ThreadNoteRecord.bulk_create(notes)
        with pair.portal.database.use():
            await PortalSubmission.bulk_create(_submission_row(each) for each in kept)
            await MailboxRecord.bulk_create(_mailbox_row(each) for each in kept)
            threads = [ThreadRecord(submission=each.manifest.submission, note_number=1, note=b"") for each in kept]
            await ThreadRecord.bulk_create(threads)
    return ids


def _as_kept(sealed: SealedSubmission, given: Acknowledgement) -> _Checked:
    """A report as a portal has it after its grace, which is as one that was announced."""
    held = Collection(REALM, given.submission, given.manifest_hash, TODAY).sign(commission().office_key)
    announced = Announcement(
        submission=given.submission,
        manifest=sealed.manifest_bytes,
        acknowledgement=given.sign(portal_key()).encode().decode(),
        collection=held.encode().decode(),
        state=sealed.files[STATE_FILE],
        control=None,
        told=0,
        commands=(),
    )
    return _Checked(announced, sealed.manifest, given, commission().charter, ())


def _report(
    number: int, identifier: SubmissionId, charter: str, manifest: bytes, acknowledgement: bytes
) -> SubmissionRecord:
    return SubmissionRecord(
        id=identifier,
        number=number,
        charter=charter,
        manifest=manifest,
        acknowledgement=acknowledgement,
        commitment="0" * 64,
        received=TODAY,
        collected=TODAY,
        confirmed=True,
    )


def commits_per_second(folder: Path) -> float:
    """How often this disk takes a row of a state's size and syncs it, as the portal's database does."""
    with sqlite3.connect(folder / "bound.sqlite3") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE state (sealed BLOB)")
        sealed = sealed_report().files[STATE_FILE]
        start = time.perf_counter()
        for _ in range(COMMITS):
            database.execute("INSERT INTO state VALUES (?)", (sealed,))
            database.commit()
        return COMMITS / (time.perf_counter() - start)


async def visit(collector: Collector, pair: Pair) -> None:
    """One visit; a step that ran out of its time goes on in the next one."""
    with pair.office.database.use(), suppress(PortalUnreachable):
        await collector.run()


async def visit_until_settled(collector: Collector, pair: Pair) -> int:
    """How many visits it takes until nothing waits."""
    visits = 0
    while True:
        await visit(collector, pair)
        visits += 1
        with pair.office.database.use():
            notes = await ThreadNoteRecord.filter(stale=True).count()
        if not notes and not collector.comparison.waiting and not collector.comparison.reading.whole:
            return visits


async def send_meanwhile(pair: Pair, wire: CountingWire) -> tuple[Thread, float, float]:
    """A report that is sent while mailboxes are being announced; when it was, and seconds until it was acknowledged."""
    await wire.began_announcing.wait()
    start = time.perf_counter()
    thread = await start_thread(pair.portal)
    return thread, start, time.perf_counter() - start


async def read_meanwhile(sent: "asyncio.Task[tuple[Thread, float, float]]", times: list[float]) -> None:
    thread, _, _ = await sent
    while True:
        start = time.perf_counter()
        await thread.read()
        times.append(time.perf_counter() - start)
        await asyncio.sleep(PAUSE_SECONDS)


async def measure_return(pair: Pair, lost: int, rate: float) -> None:
    wire = CountingWire(httpx.ASGITransport(pair.portal.app, raise_app_exceptions=False))
    collector, times = Wire(pair.office, wire).collector(), list[float]()
    sent = asyncio.create_task(send_meanwhile(pair, wire))
    reader = asyncio.create_task(read_meanwhile(sent, times))
    start = time.perf_counter()
    visits = await visit_until_settled(collector, pair)
    seconds, announced = time.perf_counter() - start, wire.announced_at - start
    thread, began, waited = await sent
    await visit(collector, pair)
    reader.cancel()
    with pair.office.database.use():
        assert await SubmissionRecord.filter(id=thread.sealed.manifest.submission, confirmed=True).exists()
    collected, most = wire.confirmed_at - began, max(times) * 1000
    assert wire.announced >= lost, f"{wire.announced} announcements were taken"
    print(f"{lost} mailboxes announced after {announced:.1f} s, {lost / announced:.0f} a second")
    bound = f"{lost / rate:.1f} s at {rate:.0f} commits a second, {lost / rate / AT_ONCE:.1f} s if all are shared"
    print(f"  bound: {bound}")
    print(f"  settled, with a new thread note in each: {seconds:.1f} s, {visits} visits")
    say_bytes(wire, lost)
    print(f"  a report sent meanwhile: acknowledged after {waited:.2f} s, collected after {collected:.1f} s")
    print(f"  a mailbox read meanwhile: median {statistics.median(times) * 1000:.0f} ms, most {most:.0f} ms")
    await collector.close()


async def measure_comparison(pair: Pair, count: int) -> None:
    wire = CountingWire(httpx.ASGITransport(pair.portal.app, raise_app_exceptions=False))
    collector = Wire(pair.office, wire).collector()
    start = time.perf_counter()
    visits = await visit_until_settled(collector, pair)
    print(f"{count} reports compared, nothing differs: {time.perf_counter() - start:.2f} s, {visits} visits")
    assert wire.announced == 0
    say_bytes(wire, count)
    await collector.close()


def say_bytes(wire: CountingWire, count: int) -> None:
    each = f"{wire.out / count:.0f} and {wire.back / count:.0f} a report"
    print(f"  {wire.requests} requests, {wire.out} bytes to the portal, {wire.back} back: {each}", flush=True)


async def check(pair: Pair, ids: set[SubmissionId]) -> None:
    """Fail unless every mailbox is at the portal, with its state."""
    with pair.portal.database.use():
        there = set(await MailboxRecord.exclude(state=b"").values_list("submission", flat=True))
    missing = ids - there
    assert not missing, f"{len(missing)} mailboxes are not there"
    print(f"{len(ids)} mailboxes are at the portal, each with its state")


async def main(count: int, lost: int) -> None:
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as name:
        folders = await new_folders(Path(name))
        rate = commits_per_second(Path(name))
        async with folders.running() as pair:
            ids = await fill(pair, count, lost)
            print(f"{count} reports at the office, {lost} of them lost at the portal", flush=True)
            await measure_return(pair, lost, rate)
            await measure_comparison(pair, count)
            await check(pair, ids)


if __name__ == "__main__":
    # The portal here has no pages, of which it complains.
    logging.basicConfig(handlers=[logging.NullHandler()])
    reports = int(sys.argv[1]) if len(sys.argv) > 1 else REPORTS
    asyncio.run(main(reports, int(sys.argv[2]) if len(sys.argv) > 2 else reports))
