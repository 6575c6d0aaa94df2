# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.endurance.restores --minutes M --seed N``: portal and office come back from backups, ever again.

From the seed are drawn: reports, messages, replies, what reporters delete or close, findings; copies of either side,
and restores of either from any earlier one; collectors that are killed in the middle of a visit; a second copy of the
office that works for a while. Then two visits of the office, and whatever either of the two held before has to be where
it belongs (``tests.endurance.holdings``, docs/protocol.md §10.2).
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx

from oversight.findings.numbering import next_id
from oversight.findings.records import PublicationRecord
from oversight.letters.records import ReplyRecord
from oversight.reports.records import SubmissionRecord
from oversight.wire.portal_errors import PortalRefused
from tests.endurance.command import Minutes, begin, say
from tests.endurance.holdings import at_office, at_portal, check
from tests.findings import publish_finding
from tests.oversight.restores import Folders, Pair, new_folders
from tests.oversight.sealed_reports import Wire
from tests.portal.world import commission

ROUNDS = 25
"""Of one life; then another one begins, with empty folders."""
ACTIONS_MAX = 8
REQUESTS_MAX = 15
STEPS_MAX = 20
COPIES_MAX = 4
ROUND = timedelta(minutes=10)
"""Longer than a portal keeps the turn for an office that was killed (docs/protocol.md §10.2)."""
SIDES = ("portal", "office")


@dataclass
class KillingWire(httpx.AsyncBaseTransport):
    """A network on which the office dies: some loop steps after it sent so many requests."""

    inner: httpx.AsyncBaseTransport
    requests: int
    steps: int
    _doomed: "asyncio.Task[object] | None" = None

    async def run(self, work: Awaitable[object]) -> bool:
        """Whether it died before its end."""
        self._doomed = asyncio.ensure_future(_all_of(work))
        with suppress(asyncio.CancelledError):
            await self._doomed
        return self._doomed.cancelled()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests -= 1
        if self.requests == 0:
            asyncio.get_running_loop().call_soon(self._die, self.steps)
        return await self.inner.handle_async_request(request)

    def _die(self, steps: int) -> None:
        if steps:
            asyncio.get_running_loop().call_soon(self._die, steps - 1)
        elif self._doomed is not None:
            self._doomed.cancel()


async def _all_of(work: Awaitable[object]) -> object:
    return await work


@dataclass
class Life:
    """Both sides, and what has happened so far."""

    folders: Folders
    rng: Random
    counts: Counter[str]
    copies: dict[str, list[str]] = field(default_factory=lambda: {side: [] for side in SIDES})
    reports: int = 0
    letters: int = 0
    names: int = 0

    async def round(self) -> None:
        """Some work, then maybe a copy and a restore of either side, then both have to come together again."""
        self.folders.clock.now += ROUND
        if self._happens("a day", 0.2):
            self.folders.clock.pass_days(1)
        async with self.folders.running() as pair:
            for _ in range(self.rng.randint(1, ACTIONS_MAX)):
                await self._act(pair)
            await self._visit(pair)
        for side in SIDES:
            self._copy(side)
            self._restore(side)
        self.folders.clock.now += ROUND
        async with self.folders.running() as pair:
            if self._happens("a kill after a restore", 0.3):
                await self._kill(pair)
                self._pass_time(pair)
            before = await at_portal(pair), await at_office(pair)
            await pair.collect(visits=2)
            await check(pair, *before)
            self.counts["settled"] += 1

    def _happens(self, what: str, chance: float) -> bool:
        if self.rng.random() >= chance:
            return False
        self.counts[what] += 1
        return True

    def _pass_time(self, pair: Pair) -> None:
        self.folders.clock.now += ROUND
        pair.office.clock.now = self.folders.clock.now

    # Reporters and members

    async def _act(self, pair: Pair) -> None:
        acts: list[tuple[str, Callable[[Pair], Awaitable[bool]]]] = [
            ("a report", self._report),
            ("a message", self._write),
            ("a message", self._write),
            ("a reply", self._reply),
            ("a reply", self._reply),
            ("replies deleted", self._delete),
            ("a mailbox closed", self._close),
            ("a finding", self._publish),
        ]
        what, act = self.rng.choice(acts)
        if await act(pair):
            self.counts[what] += 1

    async def _report(self, pair: Pair) -> bool:
        self.reports += 1
        await pair.report(f"report {self.reports}")
        return True

    async def _open_mailbox(self, pair: Pair) -> str | None:
        """The name of a report whose reporter finds the mailbox open."""
        names = list(pair.threads)
        self.rng.shuffle(names)
        for name in names:
            if await pair.seen(name) is not None:
                return name
        return None

    async def _write(self, pair: Pair) -> bool:
        name = await self._open_mailbox(pair)
        if name is not None:
            await pair.threads[name].send()
        return name is not None

    async def _delete(self, pair: Pair) -> bool:
        name = await self._open_mailbox(pair)
        seen = None if name is None else await pair.seen(name)
        if name is None or seen is None or not seen.replies:
            return False
        await pair.threads[name].command(delete=self.rng.choice(seen.replies).number)
        return True

    async def _close(self, pair: Pair) -> bool:
        if self.rng.random() < 0.5 or (name := await self._open_mailbox(pair)) is None:
            return False
        await pair.threads[name].command(close=True)
        return True

    async def _reply(self, pair: Pair) -> bool:
        with pair.office.database.use():
            here = {row.id for row in await SubmissionRecord.all().only("id")}
            last = await ReplyRecord.all().order_by("-number").first()
        known = [name for name, thread in pair.threads.items() if thread.sealed.manifest.submission in here]
        if not known:
            return False
        self.letters += 1
        await pair.letter(self.rng.choice(known), 1 if last is None else last.number + 1, f"letter {self.letters}")
        return True

    async def _publish(self, pair: Pair) -> bool:
        if self.rng.random() < 0.5:
            return False
        client = pair.wire.client()
        with pair.office.database.use():
            free = await next_id(client)
        await client.close()
        assert free is not None
        finding = publish_finding(pair.office.world, int(free.rpartition(".")[2]))
        about = {"hash": finding.hash, "finding": finding.id, "note": finding.note}
        with pair.office.database.use():
            if await PublicationRecord.filter(hash=finding.hash).exists():
                # Signed before, and still on its way.
                return False
            last = await PublicationRecord.all().order_by("-number").first()
            await PublicationRecord.create(number=1 if last is None else last.number + 1, case="ca" * 16, **about)
        return True

    # Visits, whole and broken off

    async def _visit(self, pair: Pair) -> None:
        """None, a whole one, one that is killed, or one beside a second copy of the office."""
        if self._happens("a kill", 0.3):
            await self._kill(pair)
        elif self._happens("a twin", 0.15):
            await self._twin(pair)
        elif self._happens("a visit", 0.5):
            await pair.collect()

    async def _kill(self, pair: Pair) -> None:
        requests, steps = self.rng.randint(1, REQUESTS_MAX), self.rng.randrange(STEPS_MAX)
        wire = KillingWire(pair.wire.transport, requests, steps)
        collector = Wire(pair.office, wire).collector()
        with pair.office.database.use():
            if await wire.run(collector.run()):
                self.counts["died"] += 1
        await collector.submissions.downloads.close()
        await collector.client.close()
        # The system lets a dead process's lock go.
        if collector._lock is not None:
            collector._lock.close()

    async def _twin(self, pair: Pair) -> None:
        """A copy of the office: it waits while the first one works, then works itself, and goes."""
        shutil.rmtree(self.folders.root / "office" / "twin", ignore_errors=True)
        first = pair.wire.collector()
        with pair.office.database.use():
            await first.run()
        shutil.copytree(self.folders.root / "office" / "now", self.folders.root / "office" / "twin")
        async with self.folders.running_office("twin") as twin:
            second = Wire(twin, pair.wire.transport).collector()
            with twin.database.use():
                with suppress(PortalRefused):
                    await second.run()
                    raise AssertionError("two copies of an office work at once")
                await first.close()
                await second.run()
            await second.close()

    # Backups

    def _copy(self, side: str) -> None:
        # There is a copy from the first day.
        if self.copies[side] and not self._happens(f"a copy of the {side}", 0.4):
            return
        self.names += 1
        name = f"copy {self.names}"
        shutil.copytree(self.folders.root / side / "now", self.folders.root / side / name)
        self.copies[side].append(name)
        if len(self.copies[side]) > COPIES_MAX:
            shutil.rmtree(self.folders.root / side / self.copies[side].pop(0))

    def _restore(self, side: str) -> None:
        if not self.copies[side] or not self._happens(f"a restore of the {side}", 0.4):
            return
        now, copies = self.folders.root / side / "now", self.copies[side]
        chosen = self.rng.randrange(len(copies))
        # What was copied later is of a time that never was: letters of the same number in it are others.
        for name in copies[chosen + 1 :]:
            shutil.rmtree(self.folders.root / side / name)
        del copies[chosen + 1 :]
        shutil.rmtree(now)
        shutil.copytree(self.folders.root / side / copies[chosen], now)


async def live(folder: Path, goes_on: Callable[[Counter[str]], bool], rng: Random) -> Counter[str]:
    """Lives one after the other, for as long as ``goes_on`` says; how often what happened.

    Raises AssertionError at the first fault.
    """
    counts: Counter[str] = Counter()
    while goes_on(counts):
        root = folder / f"life {counts['lives']}"
        root.mkdir()
        life = Life(await new_folders(root), rng, counts)
        counts["lives"] += 1
        for _ in range(ROUNDS):
            if goes_on(counts):
                await life.round()
        shutil.rmtree(root)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.restores")
    parser.add_argument("--minutes", type=float, default=10)
    given = begin(parser)
    # Not on the event loop that the programs share.
    commission()
    with tempfile.TemporaryDirectory() as folder:
        say(asyncio.run(live(Path(folder), Minutes(given.minutes), Random(given.seed))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
