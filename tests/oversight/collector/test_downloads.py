# SPDX-License-Identifier: AGPL-3.0-or-later
"""Slow submissions hold their own turn, and nobody else's for long; here seconds pass only when a test says so."""

import asyncio
from dataclasses import dataclass, field, replace

from crypto.ids import SubmissionId
from oversight.collector.downloads import SLOW_WAITING_MAX, Downloads
from oversight.reports.arrival import CheckedSubmission
from oversight.wire.patience import SECONDS, Patience
from oversight.wire.portal_errors import PortalUnreachable
from tests.chance import fresh_id
from tests.oversight.sealed_reports import sealed_report
from tests.people import World

# What a visit and the pause after it take, at most.
VISIT_SECONDS = 120


@dataclass
class Portal:
    """Submissions whose bytes come after so many seconds each, or never."""

    takes: dict[SubmissionId, float] = field(default_factory=dict)
    now: float = 0.0
    taken: list[SubmissionId] = field(default_factory=list)
    given_up: list[SubmissionId] = field(default_factory=list)
    passing: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, checked: CheckedSubmission, patience: Patience) -> bool:
        submission = checked.manifest.submission
        end = self.now + min(self.takes.get(submission, 0), patience.seconds)
        async with self.passing:
            await self.passing.wait_for(lambda: self.now >= end)
        try:
            patience.wait(self.takes.get(submission, 0))
        except PortalUnreachable:
            if not patience.is_short:
                self.given_up.append(submission)
            return not patience.is_short
        self.taken.append(submission)
        return True

    async def pass_seconds(self, seconds: float) -> None:
        async with self.passing:
            self.now += seconds
            self.passing.notify_all()
        await settle()


async def settle() -> None:
    """Let everything go on that can: nothing here waits for more than a few turns of the loop."""
    for _ in range(12):
        await asyncio.sleep(0)


def some(world: World, count: int) -> list[CheckedSubmission]:
    """Small submissions that were checked; nobody reads their acknowledgements any more."""
    manifest = sealed_report(world).manifest
    made = [replace(manifest, submission=fresh_id()) for _ in range(count)]
    return [CheckedSubmission(None, each, None) for each in made]  # type: ignore[arg-type]


class Office:
    """Begins what is new at each visit, and again later what was put off, as the collector does."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.put_off = 0
        self.downloads = Downloads(portal.take, self._put_off)

    def _put_off(self) -> None:
        self.put_off += 1

    async def visit(self, waiting: list[CheckedSubmission]) -> None:
        """Begin as many as there is room for, and let the time to the next visit pass."""
        while waiting and self.downloads.takes_more:
            self.downloads.begin(waiting.pop(0))
        await settle()
        for _ in range(VISIT_SECONDS * 2):
            await self.portal.pass_seconds(0.5)
        await self.downloads.wait(0)


async def test_a_true_report_among_20_000_slow_inventions_is_taken_within_minutes(world: World) -> None:
    *invented, true = some(world, 20_001)
    portal = Portal({each.manifest.submission: 1000.0 for each in invented})
    office, waiting = Office(portal), [*invented, true]
    while waiting and not portal.taken:
        await office.visit(waiting)
    assert portal.taken == [true.manifest.submission]
    assert portal.now <= 25 * 60, "one after the other they would take a week, ten at once 17 hours"
    assert office.put_off + SLOW_WAITING_MAX >= 20_000 - len(portal.given_up), "each is known to wait, or failed"
    await office.downloads.close()


async def test_who_is_slow_has_one_turn_and_all_patience_once_it_comes(world: World) -> None:
    slow, quick = some(world, 30), some(world, 30)
    portal = Portal({each.manifest.submission: SECONDS - 1 for each in slow})
    office = Office(portal)
    await office.visit([*slow, *quick])
    assert {*portal.taken} >= {each.manifest.submission for each in quick}
    for _ in range(len(slow)):
        await office.visit([])
    assert len(portal.taken) == 60 and not portal.given_up, "nothing is lost for being slow"
    assert portal.now <= 60 + len(slow) * SECONDS * 5
    await office.downloads.close()


async def test_as_long_as_nobody_waits_nobody_is_hurried(world: World) -> None:
    few = some(world, 5)
    portal = Portal({each.manifest.submission: SECONDS - 1 for each in few})
    office = Office(portal)
    await office.visit([*few])
    assert len(portal.taken) == 5
    await office.downloads.close()


async def test_a_slow_line_is_not_taken_for_slow_reports_by_the_first_that_is(world: World) -> None:
    """Over a line on which each takes six seconds, a hundred come in at ten at once, and none is tried twice."""
    hundred = some(world, 100)
    portal = Portal({each.manifest.submission: 6.0 for each in hundred})
    office = Office(portal)
    await office.visit([*hundred])
    assert len(portal.taken) == 100 and portal.now == VISIT_SECONDS
    await office.downloads.close()


async def test_one_that_was_slow_waits_among_the_slow_when_it_is_met_again(world: World) -> None:
    invented, late = some(world, SLOW_WAITING_MAX + 40), some(world, 1)[0]
    portal = Portal({each.manifest.submission: 1000.0 for each in invented})
    office = Office(portal)
    await office.visit([*invented])
    for each in invented:
        if each.manifest.submission not in office.downloads and each.manifest.submission not in portal.given_up:
            office.downloads.begin(each)
    put_off = [each for each in invented if office.downloads.is_put_off(each.manifest.submission)]
    left = [each for each in put_off if each.manifest.submission not in office.downloads]
    assert left and not office.downloads.begin(left[0]), "there is no room among the slow"
    assert office.downloads.begin(late)
    await settle()
    assert portal.taken == [late.manifest.submission]
    await office.downloads.close()
