# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission whose charter is over, or has not begun, is not offered on the start page, from the day on."""

from datetime import timedelta
from pathlib import Path

import pytest

from portal import assembly
from portal.kit.compression import compress
from portal.pages import site
from tests.people import NOW, SLUG, VALID_FROM, VALID_UNTIL, found_test_commission
from tests.portal.register.test_register import write_styles
from tests.portal.world import Clock, RunningPortal, publish, running_portal
from tests.waiting import until

START, REPORT = "/en/", f"/en/{SLUG}/report"
CLOSED = "This commission takes no new reports today"
OFFERED = f'href="{REPORT}"'


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(site, "compress", lambda body, *, quick=False: compress(body, quick=True))


async def test_the_start_page_stops_offering_a_commission_at_the_end_of_its_charter(tmp_path: Path) -> None:
    write_styles(tmp_path)
    clock = Clock(NOW.replace(year=VALID_UNTIL.year, month=VALID_UNTIL.month, day=VALID_UNTIL.day))
    async with running_portal(tmp_path, clock=clock) as portal:
        await portal.assembly.pages.built()
        page = (await portal.client.get(START)).text
        assert OFFERED in page
        assert CLOSED not in page
        other = found_test_commission(slug="second-commission", valid_until=VALID_UNTIL + timedelta(days=400))
        await publish(portal, other)
        clock.pass_days(1)
        await until(lambda: says_closed(portal), "the commission as closed")
        page = (await portal.client.get(START)).text
        assert OFFERED not in page
        assert page.count(CLOSED) == 1
        assert f'href="/en/{other.slug}/report"' in page
        # Who has the form open, or follows an old link, reads there that it is not in force.
        assert "data-not-in-force" in (await portal.client.get(REPORT)).text
        clock.pass_days(-1)
        await until(lambda: says_closed(portal, False), "the commission as open")


async def says_closed(portal: RunningPortal, closed: bool = True) -> bool:
    return (CLOSED in (await portal.client.get(START)).text) == closed


async def test_a_commission_whose_charter_has_not_begun_is_not_offered(tmp_path: Path) -> None:
    write_styles(tmp_path)
    clock = Clock(NOW.replace(year=VALID_FROM.year - 1))
    async with running_portal(tmp_path, clock=clock) as portal:
        await portal.assembly.pages.built()
        page = (await portal.client.get(START)).text
        assert CLOSED in page
        assert OFFERED not in page
        assert "No commission reads reports here yet" not in page
