# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.endurance.year --months 24 --seed N``: a portal and an office, day after day, by a clock of ours.

Reports, messages and replies come as they like, and reporters delete; members read, answer and work on cases at the
office's pages; the office collects, but for its holidays; the portal's clock is set wrong for an hour and mended.
Charter 1 ends, for weeks there is none, then charter 2 is taken up. Each day the portal sweeps, and then

- nothing has gone before its day of deletion by both days (docs/protocol.md §10.1), and nothing is left after it;
- every report that came is in the office, or still at the portal, and reporters see that it was collected;
- the end of the charter is seen from 60 days before, and the start page offers what can be written to alone.

At the end every case's ledger is exported and verified.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from crypto.charter import read_charter
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.collector.visit import Collector
from oversight.commission.records import CharterRecord
from oversight.reports.records import SubmissionRecord as CollectedRecord
from oversight.settings import Settings
from portal import assembly
from portal.kit.compression import compress
from portal.pages import site
from tests.endurance.command import begin, say
from tests.endurance.ending import Ending
from tests.endurance.members import Members
from tests.endurance.reporters import Reporter, seal
from tests.endurance.sweeps import Sweeps
from tests.oversight.office import OFFICE_ORIGIN, Office, no_portal
from tests.oversight.sealed_reports import Wire
from tests.people import NOW, PORTAL_ORIGIN, VALID_UNTIL, settle_office
from tests.portal.charters.test_charters import post, successor
from tests.portal.register.test_register import write_styles
from tests.portal.world import Clock, RunningPortal, running_portal

DAYS_IN_MONTH = 30
CASES_MAX = 3
WITHOUT_CHARTER = range(25, 45)
"""Days after the end of charter 1."""


@dataclass
class Year:
    """Both programs, and what has happened so far."""

    portal: RunningPortal
    office: Office
    rng: Random
    reporters: list[Reporter] = field(default_factory=list)
    unseen: list[Reporter] = field(default_factory=list)
    """Those for whom the next visit of the office changes something."""
    holidays: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    collector: Collector | None = None

    def __post_init__(self) -> None:
        self.wire = httpx.ASGITransport(self.portal.app)
        self.members = Members(self.office, self.pass_time, self.rng)
        self.ending = Ending(self.portal, self.office, self.rng, self.portal.world.charter)
        self.sweeps = Sweeps(self.portal)
        self.without_charter = self.rng.choice(WITHOUT_CHARTER)

    @property
    def today(self) -> date:
        return self.portal.clock.now.date()

    def happens(self, what: str, chance: float) -> bool:
        """Whether something happens today."""
        return self.rng.random() < chance and self.count(what)

    def count(self, what: str) -> bool:
        self.counts[what] += 1
        return True

    def pass_time(self, duration: timedelta) -> None:
        self.portal.clock.now += duration
        self.portal.clock.seconds += duration.total_seconds()

    async def pass_day(self) -> None:
        morning = datetime.combine(self.today + timedelta(days=1), NOW.time(), UTC)
        self.pass_time(morning - self.portal.clock.now)
        await self.members.come()
        if self.ending.left == -self.without_charter:
            await self._renew_charter()
        await self._reporters()
        if self.happens("a wrong clock", 0.03):
            await self.sweeps.under_wrong_clock(self.rng.choice((-400, -40, 40, 400)))
        if not self._is_on_holiday() and self._is_at_work():
            await self._members()
            await self._visit()
        await self._look()
        self.counts["deleted"] += await self.sweeps.sweep()

    async def _reporters(self) -> None:
        """What comes in from outside, and how the portal looks there."""
        await self.ending.check_start_page()
        sent = await self.ending.late_reports()
        self.counts["a late report"] += len(sent)
        if self.ending.is_open and self.happens("a report", 0.05):
            sent.append(seal(self.portal, self.ending.newest, self.rng))
            assert (await sent[-1].send()).status_code == 201
        self.reporters += sent
        self.unseen += sent
        if self._is_chosen("a message", 0.1):
            writer = self.rng.choice(self.reporters)
            if await writer.write():
                self.unseen.append(writer)
        if self._is_chosen("a deletion", 0.05):
            self.counts["deleted replies"] += await self._without_due().delete()

    def _without_due(self) -> Reporter:
        """Somebody who waits for no reply: a reply that waits here may get a number that is deleted already."""
        return self.rng.choice([reporter for reporter in self.reporters if not reporter.due] or self.reporters)

    def _is_chosen(self, what: str, chance: float) -> bool:
        """Whether something happens to a report; without a charter it is said so, and happens more often."""
        if not self.ending.is_open:
            what, chance = f"{what} without a charter", 3 * chance
        return bool(self.reporters) and self.happens(what, chance)

    def _is_on_holiday(self) -> bool:
        """For the end of a charter the office is there."""
        if self.ending.left <= 0:
            self.holidays = 0
        elif self.holidays == 0 and self.happens("holidays of the office", 0.02):
            self.holidays = self.rng.randrange(1, 40)
        self.holidays = max(self.holidays - 1, 0)
        return self.holidays > 0

    def _is_at_work(self) -> bool:
        """On many days nobody comes; at the end of a charter and without one somebody does every day."""
        return self.ending.is_watched or self.happens("a day of work", 0.3 if self.ending.is_open else 1)

    async def _members(self) -> None:
        if self.ending.is_watched or self.happens("a login", 0.1):
            await self.members.look_around(self.ending.newest.valid_until, self.today)
        collected = [reporter for reporter in self.reporters if reporter not in self.unseen]
        if collected and self._is_chosen("a reply", 0.2):
            await self._answer(self.rng.choice(collected))
        without_case = [reporter for reporter in collected if not reporter.has_case]
        # The first one soon: it has to come to its steps before the end of the charter.
        wanted = len(self.members.cases) < CASES_MAX and self.ending.is_open and bool(without_case)
        if wanted and self.happens("a case", 0.05 if self.members.cases else 1):
            await self.members.open_case(self.rng.choice(without_case))
        if self.members.cases and self._is_chosen("a step of a case", 0.15):
            case = self.rng.choice(list(self.members.cases))
            await (self.members.work(case) if self.ending.is_open else self.members.work_in_vain(case))

    async def _answer(self, reporter: Reporter) -> None:
        """The portal takes the reply at once, or is away, and the collector posts it."""
        is_away = self.happens("a reply that waits", 0.5)
        self.office.app.state.transport = httpx.MockTransport(no_portal) if is_away else self.wire
        delivery = await self.members.answer(reporter, f"Answer {self.counts.total()}.")
        assert delivery == ("waiting" if is_away else "posted")
        self.unseen.append(reporter)

    async def _renew_charter(self) -> None:
        """Charter 2, with another grace."""
        world, first = self.portal.world, self.ending.newest
        until = self.today + timedelta(days=3_000)
        note = successor(world, first, grace_days=30, valid_from=self.today, valid_until=until)
        assert (await post(self.portal, note)).status_code == 201
        self.ending.newest = charter = read_charter(note)
        self.ending.late.clear()
        with self.office.database.use():
            await CharterRecord.create(hash=charter.hash, number=2, note=note, published=True)
        self.count("a new charter")

    async def _visit(self) -> None:
        if self.collector is None or self.happens("a new collector", 0.1):
            await self.close()
            self.collector = Wire(self.office, self.wire).collector()
            self.collector.pages = self.office.app.state.portal_visits
        with self.office.database.use():
            outcome = await self.collector.run()
            collected = set(await CollectedRecord.all().values_list("id", flat=True))
        assert outcome.stuck == 0
        assert collected >= {reporter.submission for reporter in self.reporters}
        self.sweeps.signed = self.today
        for reporter in self.unseen:
            await reporter.look()
        self.unseen.clear()

    async def close(self) -> None:
        if self.collector is not None:
            await self.collector.close()

    async def _look(self) -> None:
        """What operators see, and how long somebody stays who has logged in."""
        self.counts["checks"] += await self.ending.run_checks()
        if self.happens("a long day", 0.015):
            await self.members.stay()


@asynccontextmanager
async def begun(folder: Path, first: date, rng: Random) -> AsyncIterator[Year]:
    """Both programs before the first day."""
    write_styles(folder)
    static = folder / "static"
    static.mkdir()
    (static / "office.css").write_text("/* stand-in */")
    clock = Clock(datetime.combine(first, NOW.time(), UTC) - timedelta(days=1))
    settings = Settings(data=folder / "office", origin=OFFICE_ORIGIN, static=static, portal_url=PORTAL_ORIGIN)
    async with running_portal(folder, clock=clock) as portal:
        portal.ask_for_no_work()
        await portal.assembly.pages.built()
        app = create_app(settings, clock, parameters=MINIMUM)
        async with app.router.lifespan_context(app):
            office = Office(app, settings, SharedClock(clock), app.state.database, portal.world)
            with office.database.use():
                await settle_office(portal.world, settings.secrets)
            year = Year(portal, office, rng)
            yield year
            await year.close()
            await year.members.go_home()


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


async def live(folder: Path, days: int, rng: Random) -> Counter[str]:
    """Let so many days pass; how often what happened. Raises AssertionError at the first fault.

    The last day of charter 1 is in the middle third.
    """
    first = VALID_UNTIL - timedelta(days=rng.randrange(days // 3, days // 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "POLL_SECONDS", 0.5)
        patch.setattr(site, "compress", lambda body, *, quick=False: compress(body, quick=True))
        async with begun(folder, first, rng) as year:
            for _ in range(days):
                await year.pass_day()
            year.counts["events"] += await year.members.verify_ledgers(folder)
            return year.counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.year")
    parser.add_argument("--months", type=int, default=24)
    given = begin(parser)
    with tempfile.TemporaryDirectory() as folder:
        say(asyncio.run(live(Path(folder), given.months * DAYS_IN_MONTH, Random(given.seed))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
