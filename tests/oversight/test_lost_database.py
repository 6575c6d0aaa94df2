# SPDX-License-Identifier: AGPL-3.0-or-later
"""A database server that ends under a running office and comes back: pages say so, and all goes on by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from oversight.members.records import SessionRecord
from oversight.members.sessions import end_sessions_while_serving
from oversight.reports.records import SubmissionRecord
from oversight.settings import Settings
from tests.oversight.office import OFFICE_ORIGIN, Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, sealed_report
from tests.people import PORTAL_ORIGIN
from tests.postgres import Postgres


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, own_postgres: Postgres) -> Iterator[Settings]:
    with own_postgres.database() as url:
        yield Settings(
            data=tmp_path / "office", database=url, origin=OFFICE_ORIGIN, static=static_folder, portal_url=PORTAL_ORIGIN
        )


class EnoughError(Exception):
    """The test has seen what it came for."""


async def test_a_server_that_ends_and_comes_back(office: Office, own_postgres: Postgres) -> None:
    portal = PortalSimulator()
    portal.add(sealed_report(office.world))
    browser = await office.browser_of("bruno")
    collector = Wire(office, portal.transport()).collector()
    with office.database.use():
        await collector.run()
        portal.add(sealed_report(office.world))
        rounds = 0

        async def sleep(seconds: float) -> None:
            nonlocal rounds
            rounds += 1
            if rounds == 1:
                own_postgres.pause()
            elif rounds in (2, 3):
                await meet_nothing()
            elif rounds == 4:
                own_postgres.serve()
                office.clock.forward(minutes=1)
                await collector.run()
                assert await SubmissionRecord.all().count() == 2
                assert (await browser.get("/queue")).status_code == 200
                # Long after: what ends sessions goes on too.
                office.clock.forward(hours=20)
            elif rounds == 5:
                assert await SessionRecord.all().count() == 0
                raise EnoughError

        async def meet_nothing() -> None:
            for page in (
                await browser.get("/queue"),
                await office.browser().get("/login"),
                await office.browser().log_in(office.world["chiara"]),
            ):
                assert page.status_code == 503
                assert "The database can’t be reached" in page.text
                assert "whether it was kept can’t be known now" in page.text and "room" not in page.text
            with pytest.raises(OSError, match="Connect"):
                await collector.run()

        with pytest.raises(EnoughError):
            await end_sessions_while_serving(office.settings, office.clock, sleep)
    await collector.close()
