# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.endurance.year --months 24 --seed N``: a portal and an office, day after day, by a clock of ours.

Reports, messages and replies come as they like; the office collects, but for its holidays; members log in; the
portal's clock is set wrong for an hour and mended; charter 2 comes in the middle. Each day the portal sweeps, and then

- nothing has gone before its day of deletion by both days (docs/protocol.md §10.1), and nothing is left after it;
- every report that came is in the office, or still at the portal.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import httpx

from crypto.charter import read_charter
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.commission.records import CharterRecord
from oversight.reports.records import SubmissionRecord as CollectedRecord
from oversight.settings import Settings
from portal.storage.records import FollowUpRecord, ReplyRecord, SubmissionRecord
from tests.oversight.office import OFFICE_ORIGIN, Office
from tests.oversight.sealed_reports import Wire
from tests.people import PORTAL_ORIGIN, settle_office
from tests.portal.charters.test_charters import post, successor
from tests.portal.threads import Thread, start_thread
from tests.portal.world import Clock, RunningPortal, running_portal

DAYS_IN_MONTH = 30
MESSAGES_MAX = 20
"""Of one reporter: a mailbox that is full takes no more until the office has collected."""
Row = tuple[str, int]


@dataclass
class Year:
    """Both programs, and what has happened so far."""

    portal: RunningPortal
    office: Office
    rng: Random
    threads: list[Thread] = field(default_factory=list)
    messages: dict[str, int] = field(default_factory=dict)
    holidays: int = 0
    signed: date | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.portal.clock.now.date()

    def happens(self, what: str, chance: float) -> bool:
        """Whether something happens today."""
        if self.rng.random() >= chance:
            return False
        self.counts[what] = self.counts.get(what, 0) + 1
        return True

    async def pass_day(self) -> None:
        self.portal.clock.pass_days(1)
        if self.happens("a report", 0.2):
            self.threads.append(await start_thread(self.portal))
        if self.threads and self.happens("a message", 0.3):
            await self._write(self.rng.choice(self.threads))
        if self.threads and self.happens("a reply", 0.15):
            await self._reply(self.rng.choice(self.threads))
        if self.happens("a wrong clock", 0.05):
            await self._wrong_clock(self.rng.choice((-400, -40, 40, 400)))
        if self.holidays == 0 and self.happens("holidays of the office", 0.02):
            self.holidays = self.rng.randrange(1, 40)
        if self.holidays:
            self.holidays -= 1
        else:
            await self._visit()
        if self.happens("a login", 0.05):
            browser = await self.office.browser_of("bruno")
            assert (await browser.get("/queue")).status_code == 200
        await self._sweep()

    async def renew_charter(self) -> None:
        """Charter 2, with another grace."""
        note = successor(self.portal.world, self.portal.world.charter, grace_days=30)
        assert (await post(self.portal, note)).status_code == 201
        charter = read_charter(note)
        with self.office.database.use():
            await CharterRecord.create(hash=charter.hash, number=2, note=note, published=True)

    async def _write(self, thread: Thread) -> None:
        mailbox = thread.secrets.mailbox_id
        if self.messages.get(mailbox, 0) < MESSAGES_MAX:
            self.messages[mailbox] = self.messages.get(mailbox, 0) + 1
            await thread.send()

    async def _reply(self, thread: Thread) -> None:
        """By another office of the commission, which asks first how far the thread is."""
        there = (await self.portal.office("GET", f"{thread.path}/thread")).json()
        charter = self.portal.assembly.charters.newest(self.portal.world.slug)
        newest: dict[str, Any] = {"charter_number": charter.number, "charter": charter.hash, "posted": self.today}
        number, last = there["last"] + 1, there["last"]
        answer = await thread.post(number, thread.reply(), there["number"] + 1, last=last, **newest)
        assert answer.status_code == 201, answer.text

    async def _visit(self) -> None:
        collector = Wire(self.office, httpx.ASGITransport(self.portal.app)).collector()
        try:
            with self.office.database.use():
                await collector.run()
        finally:
            await collector.close()
        self.signed = self.today
        with self.office.database.use():
            collected = set(await CollectedRecord.all().values_list("id", flat=True))
        assert collected >= {thread.sealed.manifest.submission for thread in self.threads}

    async def _wrong_clock(self, days: int) -> None:
        before = await self._rows()
        self.portal.clock.jump(days)
        await self.portal.sweep_alone()
        self.portal.clock.jump(-days)
        assert await self._rows() == before, "deleted by a wrong clock"

    async def _sweep(self) -> None:
        before = await self._rows()
        await self.portal.sweep_alone()
        after = await self._rows()
        # An office that signed no day yet has the one of the first sweep; no grace is as short as its first holidays.
        until = min(self.today, self.signed or self.today)
        early = {row: day for row, day in before.items() if row not in after and (day is None or day > until)}
        late = {row: day for row, day in after.items() if day is not None and day <= until}
        assert not early, f"{self.today}: went before their day: {early}"
        assert not late, f"{self.today}: stayed after their day: {late}"
        self.counts["deleted"] = self.counts.get("deleted", 0) + len(before.keys() - after.keys())

    async def _rows(self) -> dict[Row, date | None]:
        """What the portal holds of the commission, with its day of deletion."""
        with self.portal.database.use():
            held: list[tuple[str, Any]] = [
                ("report", SubmissionRecord.filter(deleted=False)),
                ("message", FollowUpRecord.all()),
                ("reply", ReplyRecord.all()),
            ]
            return {
                (kind, sequence): day
                for kind, rows in held
                for sequence, day in await rows.values_list("sequence", "delete_from")
            }


@asynccontextmanager
async def begun(folder: Path, rng: Random) -> AsyncIterator[Year]:
    """Both programs on the first day."""
    static = folder / "static"
    static.mkdir()
    (static / "office.css").write_text("/* stand-in */")
    clock = Clock()
    settings = Settings(data=folder / "office", origin=OFFICE_ORIGIN, static=static, portal_url=PORTAL_ORIGIN)
    async with running_portal(folder, clock=clock) as portal:
        portal.ask_for_no_work()
        app = create_app(settings, clock, parameters=MINIMUM)
        async with app.router.lifespan_context(app):
            office = Office(app, settings, SharedClock(clock), app.state.database, portal.world)
            with office.database.use():
                await settle_office(portal.world, settings.secrets)
            yield Year(portal, office, rng)
            for client in office.browsers:
                await client.aclose()


class SharedClock:
    """The portal's, as the office's helpers read it; a login moves it by nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def now(self) -> Any:
        return self._clock.now

    def __call__(self) -> Any:
        return self._clock.now

    def forward(self, **_: float) -> None:
        """Nobody logs in twice on one day."""


async def live(folder: Path, days: int, rng: Random) -> dict[str, int]:
    """Let so many days pass; how often what happened. Raises AssertionError at the first fault."""
    async with begun(folder, rng) as year:
        for day in range(days):
            if day == days // 2:
                await year.renew_charter()
            await year.pass_day()
        return year.counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.year")
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"--months {arguments.months} --seed {arguments.seed}", flush=True)
    random.seed(arguments.seed)
    logging.basicConfig(handlers=[logging.NullHandler()])
    with tempfile.TemporaryDirectory() as folder:
        counts = asyncio.run(live(Path(folder), arguments.months * DAYS_IN_MONTH, Random(arguments.seed)))
    print(", ".join(f"{what}: {count}" for what, count in sorted(counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
