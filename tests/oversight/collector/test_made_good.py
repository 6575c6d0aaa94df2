# SPDX-License-Identifier: AGPL-3.0-or-later
"""Once what was wrong is over, the next visits make it good: nothing waits for an hour, and no row stays behind."""

from contextlib import suppress

import pytest

from oversight.collector.visit import Collector
from oversight.reports.records import CollectorStateRecord, SubmissionRecord
from oversight.wire.portal_errors import PortalError
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator, nobody_answers
from tests.oversight.sealed_reports import Wire, sealed_report

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
async def collector(office: Office, portal: PortalSimulator):  # type: ignore[no-untyped-def]
    collector = Wire(office, portal.transport()).collector()
    yield collector
    await collector.close()


async def visit(collector: Collector, office: Office, times: int = 1) -> None:
    """So many visits, a minute apart, whatever comes of them."""
    for _ in range(times):
        with suppress(PortalError, OSError):
            await collector.run()
        office.clock.forward(minutes=1)


async def test_a_report_whose_portal_went_away_while_it_was_fetched_comes_with_the_next_visit(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    await visit(collector, office)
    before = (await CollectorStateRecord.get()).last_success
    portal.add(sealed_report(office.world))
    portal.faults.append(lambda request: nobody_answers(request) if "/files/" in request.url.path else None)
    await visit(collector, office)
    state = await CollectorStateRecord.get()
    assert (state.last_success, state.problem, state.waiting) == (before, "unreachable", 1)
    portal.faults.clear()
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1


async def test_a_report_for_which_the_database_had_not_even_a_row_comes_with_the_next_visit(
    collector: Collector, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: object) -> None:
        raise ConnectionRefusedError

    await visit(collector, office)
    portal.add(sealed_report(office.world))
    with monkeypatch.context() as lost:
        lost.setattr("oversight.reports.arrival._store", fail)
        lost.setattr("oversight.collector.submissions.write_down", fail)
        await visit(collector, office)
    assert (await CollectorStateRecord.get()).waiting == 1
    await visit(collector, office)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
