# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page of the office says: how long the charter lasts, and that the clocks of office and portal differ."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from oversight.wire.portal_errors import PortalError
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.letters.test_letters_journey import send_reply
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator, refusal
from tests.oversight.sealed_reports import Wire, sealed_report
from tests.people import VALID_UNTIL

pytestmark = pytest.mark.usefixtures("in_database")

PAGES = ("/queue", "/cases", "/members", "/account")
LAST_DAY = datetime(VALID_UNTIL.year, VALID_UNTIL.month, VALID_UNTIL.day, 9, 30, tzinfo=UTC)
CLOCKS = "The clocks of this office and of the portal differ"


@pytest.mark.parametrize(
    ("days", "said", "is_urgent"),
    [
        (-61, "", False),
        (-60, "60 days are left.", False),
        (-15, "15 days are left.", False),
        (-14, "14 days are left.", True),
        (-1, "1 day is left.", True),
        (0, "That is today.", True),
        (1, "The commission’s charter is over since the end of 31 December 2125", True),
        (400, "The commission’s charter is over since the end of 31 December 2125", True),
    ],
)
async def test_every_page_tells_of_the_end_of_the_charter_from_60_days_before(
    office: Office, days: int, said: str, is_urgent: bool
) -> None:
    office.clock.now = LAST_DAY + timedelta(days=days)
    browser = await office.browser_of("bruno")
    for path in PAGES:
        page = (await browser.get(path)).text
        assert ("The commission’s charter" in page) == bool(said)
        assert said in page
        assert ("notice--caution" in page) == is_urgent or path == "/queue"


async def test_a_stranger_at_the_door_is_not_told_of_the_charter(office: Office) -> None:
    office.clock.now = LAST_DAY
    assert "charter" not in (await office.browser().get("/login")).text


@pytest.fixture
def room(office: Office) -> CaseRoom:
    return CaseRoom(office)


async def test_a_case_can_be_read_after_the_end_of_the_charter_and_says_why_nothing_can_be_signed(
    room: CaseRoom,
) -> None:
    case = await room.held_case()
    room.office.clock.now = LAST_DAY + timedelta(days=1)
    room.browsers.clear()
    assert (await room.get("chiara", f"/cases/{case}")).status_code == 200
    answer = await room.act("chiara", case, "/notes", note="Seen.")
    assert answer.status_code == 409
    assert "The commission’s charter is over: the case can be read" in answer.text


async def test_reporters_are_answered_after_the_end_of_the_charter(office: Office) -> None:
    portal = PortalSimulator()
    sealed = sealed_report(office.world)
    portal.add(sealed)
    wire = Wire(office, portal.transport())
    await wire.collect()
    office.app.state.transport = portal.transport()
    office.clock.now = LAST_DAY + timedelta(days=40)
    browser = await office.browser_of("bruno")
    submission = sealed.manifest.submission
    sent = await send_reply(browser, submission)
    assert sent.headers["location"] == f"/reports/{submission}?sent=posted#letters"
    assert len(portal.replies) == 1


async def test_a_case_goes_on_after_a_clock_that_was_ahead_is_mended(room: CaseRoom) -> None:
    case = await room.held_case()
    mended = room.office.clock.now
    for now in (mended + timedelta(days=40), mended):
        room.office.clock.now = now
        room.browsers.clear()
        assert (await room.act("chiara", case, "/notes", note="Seen.")).status_code == 303
    assert (await room.state(case)).head.time.date() == mended.date() + timedelta(days=40)


async def test_every_page_says_that_the_clocks_differ_until_a_visit_goes_well(office: Office) -> None:
    portal = PortalSimulator()
    collector = Wire(office, portal.transport()).collector()
    collector.pages = office.app.state.portal_visits
    browser = await office.browser_of("bruno")
    for fault, is_said in (("busy", False), ("signature-expired", True), ("busy", True), ("", False)):
        portal.faults[:] = [lambda _, code=fault: refusal(401, code)] if fault else []  # type: ignore[misc]
        with suppress(PortalError):
            await collector.run()
        for path in PAGES:
            page = (await browser.get(path)).text
            assert (CLOCKS in page) == is_said, (fault, path)
            assert ("For this office it is \u20662026-11-22 09:30 UTC" in page) == is_said
    await collector.close()
