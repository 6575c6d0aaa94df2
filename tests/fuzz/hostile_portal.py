# SPDX-License-Identifier: AGPL-3.0-or-later
"""The hostile portal as a program: ``python -m tests.fuzz.hostile_portal --seconds 3600 --seed 1``.

Round after round a fresh office meets a portal that lies in drawn ways, and then tells the truth: everything true must
be in by then, and the office no larger than the truth. What fails prints the round's seed; ``--seed`` plays it again.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random

from crypto.ids import SubmissionId
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.collector.visit import WHOLE_EVERY_VISITS, Collector
from oversight.letters.records import FollowUpRecord
from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord, SubmissionRecord
from oversight.settings import Settings
from oversight.wire.connection import Connection
from oversight.wire.portal_errors import PortalError
from tests.oversight.collector.hostile_portal import LIES, HostilePortal
from tests.oversight.office import OFFICE_ORIGIN, Clock, Office
from tests.oversight.sealed_reports import Wire, sealed_report, under_new_id
from tests.people import PORTAL_ORIGIN, found_test_commission, settle_office

VISITS_WITH_LIES = 40


async def play(seed: int, folder: Path) -> None:
    """One round. Raises AssertionError when something true is missing, or something invented has stayed."""
    chance = Random(seed)
    portal = HostilePortal(random=Random(seed), share=chance.choice((0.2, 0.6, 1.0)))
    portal.lies = tuple(chance.sample(sorted(LIES), chance.randint(1, 5)))
    async with AsyncExitStack() as stack:
        office = await _office(folder, stack)
        collector = Wire(office, portal.transport()).collector()
        await collector.client.close()
        collector.client._connection = Connection(PORTAL_ORIGIN, portal.transport(), portal.seconds)
        stack.push_async_callback(collector.close)
        true: set[SubmissionId] = set()
        for _ in range(VISITS_WITH_LIES):
            if chance.random() < 0.3:
                sealed = under_new_id(sealed_report(office.world))
                portal.add(sealed)
                true.add(sealed.manifest.submission)
                portal.add_follow_up(sealed.manifest.submission, b"sealed " + sealed.manifest.submission.encode())
            await _visit(collector, office, chance.choice((1, 1, 1, 30, 300)))
        portal.be_honest()
        office.clock.forward(days=2)
        for _ in range(WHOLE_EVERY_VISITS + 2):
            await _visit(collector, office, 1)
        assert {row.id for row in await SubmissionRecord.filter(confirmed=True).only("id")} == true
        assert await FollowUpRecord.filter(confirmed=True).count() == len(true) == await FollowUpRecord.all().count()
        assert (await CollectorStateRecord.get()).problem is None
        assert await StuckArrivalRecord.all().count() == 0


async def _office(folder: Path, stack: AsyncExitStack) -> Office:
    static = folder / "static"
    static.mkdir()
    for name in ("office.css", "page.css", "leave.js"):
        (static / name).write_text("/* stand-in */")
    settings = Settings(data=folder / "office", origin=OFFICE_ORIGIN, static=static, portal_url=PORTAL_ORIGIN)
    clock = Clock()
    app = create_app(settings, clock, parameters=MINIMUM)
    await stack.enter_async_context(app.router.lifespan_context(app))
    office = Office(app, settings, clock, app.state.database, found_test_commission())
    stack.enter_context(office.database.use())
    await settle_office(office.world, settings.secrets)
    return office


async def _visit(collector: Collector, office: Office, minutes: int) -> None:
    with suppress(PortalError):
        await collector.run()
    office.clock.forward(minutes=minutes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.hostile_portal")
    parser.add_argument("--seconds", type=float, default=60, help="how long; a round that was begun is ended")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each later one has the next number")
    options = parser.parse_args()
    logging.getLogger("oversight").setLevel(logging.CRITICAL)
    began, seed = time.monotonic(), options.seed
    while time.monotonic() - began < options.seconds or seed == options.seed:
        with tempfile.TemporaryDirectory() as folder:
            try:
                asyncio.run(play(seed, Path(folder)))
            except BaseException:
                print(f"seed {seed}: failed", flush=True)
                raise
        seed += 1
    print(f"seeds {options.seed} to {seed - 1}: everything true was taken, nothing else stayed")


if __name__ == "__main__":
    main()
