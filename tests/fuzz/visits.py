# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office visits a portal that lies for a while: afterwards everything true is there, nothing else, and no log."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx

from crypto.encoding import encode_json
from crypto.ids import SubmissionId
from oversight.collector.visit import WHOLE_EVERY_VISITS, Collector
from oversight.letters.records import FollowUpRecord
from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord, SubmissionRecord
from oversight.reports.stuck import GONE
from oversight.storage import Database
from oversight.wire.portal_errors import PortalError
from tests.fuzz.alterations import alter_bytes, alter_json, swell
from tests.fuzz.asgi import Log
from tests.fuzz.office_surface import running_office
from tests.oversight.collector.hostile_portal import LIES, HostilePortal
from tests.oversight.office import Office
from tests.oversight.sealed_reports import Wire, sealed_report, under_new_id

LYING_VISITS_MAX = 20
SEED_BYTES = 8


@dataclass(frozen=True)
class Visits:
    """One office after the other, each with a portal that lies; ``folder`` is for what they store."""

    folder: Path

    async def fault(self, chance: Random) -> tuple[bytes, str] | None:
        """An office whose portal's lies come of a seed; the seed, and what is wrong afterwards."""
        seed = chance.randbytes(SEED_BYTES)
        found = await self.again(seed)
        return found and (seed, found)

    async def again(self, seed: bytes) -> str | None:
        chance = Random(seed)
        portal = HostilePortal(random=chance, share=chance.choice((0.1, 0.5, 1.0)))
        portal.lies = tuple(chance.sample(sorted(LIES), chance.randint(1, 5)))
        portal.faults.append(lambda request: _altered(portal, request))
        with TemporaryDirectory(dir=self.folder) as folder, Log() as log:
            async with running_office(Path(folder), await self._empty_database()) as office:
                found = await _visited(office, portal)
        return found or (f"logged {log.lines}" if log.lines else None)

    async def _empty_database(self) -> Path:
        """One with all migrations, which take longer than visits."""
        path = self.folder / "empty.sqlite3"
        if not path.exists():
            await (await Database.open(f"sqlite://{path}")).close()
        return path


async def _visited(office: Office, portal: HostilePortal) -> str | None:
    """What is wrong after visits to this portal, the last of them in its honest days."""
    chance, true = portal.random, set[SubmissionId]()
    collector = Wire(office, portal.transport(), portal.seconds).collector()
    with office.database.use():
        try:
            for _ in range(chance.randint(1, LYING_VISITS_MAX)):
                if not true or chance.random() < 0.2:
                    true.add(_add(portal, office))
                await _visit(collector, office, chance.choice((1, 1, 1, 30, 300)))
            portal.be_honest()
            true.add(_add(portal, office))
            office.clock.forward(days=2)
            for _ in range(WHOLE_EVERY_VISITS + 2):
                await _visit(collector, office, 1)
                if (found := await _difference(true)) is None:
                    break
            return found
        except Exception as error:
            return f"raised {error!r}"
        finally:
            await collector.close()


async def _visit(collector: Collector, office: Office, minutes: int) -> None:
    with suppress(PortalError):
        await collector.run()
    office.clock.forward(minutes=minutes)


def _add(portal: HostilePortal, office: Office) -> SubmissionId:
    """A true report, and a true message to it."""
    report = under_new_id(sealed_report(office.world))
    portal.add(report)
    portal.add_follow_up(report.manifest.submission, b"sealed " + report.manifest.submission.encode())
    return report.manifest.submission


async def _difference(true: set[SubmissionId]) -> str | None:
    """What is missing of what is true, or there besides."""
    held = {row.id for row in await SubmissionRecord.filter(confirmed=True).only("id")}
    if held != true:
        return f"{len(true - held)} of {len(true)} reports did not come in, {len(held - true)} others did"
    # Of messages anything may be invented: nothing but the reporter's own keys could tell.
    messages = {bytes(row.sealed) for row in await FollowUpRecord.filter(submission__in=list(true), confirmed=True)}
    if missing := {b"sealed " + each.encode() for each in true} - messages:
        return f"{len(missing)} of {len(true)} messages did not come in"
    if (problem := (await CollectorStateRecord.get()).problem) is not None:
        return f"at an honest portal it still says {problem}"
    # What was invented and is shown no more is told of as gone, for its days.
    stuck = [row for row in await StuckArrivalRecord.all() if row.problem != GONE or row.item in true]
    return f"it still waits for {[(row.item, row.problem) for row in stuck]}" if stuck else None


def _altered(portal: HostilePortal, request: httpx.Request) -> httpx.Response | None:
    """A true list with something altered in it, while the portal lies."""
    page = portal.honest_list(request) if portal.lies else None
    if page is None or portal.random.random() < 0.5:
        return None
    body = portal.random.choice((alter_json(), alter_json(), alter_bytes, swell))(portal.random, encode_json(page))
    return httpx.Response(200, stream=httpx.ByteStream(body))
