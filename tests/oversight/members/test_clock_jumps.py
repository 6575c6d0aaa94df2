# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's clock may be wrong, and mended: nobody is locked out by it, and nothing lasts longer for it."""

from datetime import datetime, timedelta

import pyotp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.members.failed_logins import WAIT_SECONDS_MAX, LoginMustWait, count_known, count_stranger
from oversight.members.records import FailedLoginRecord, KnownBrowserRecord, MemberRecord, SessionRecord
from tests.oversight.office import Office
from tests.people import NOW

pytestmark = pytest.mark.usefixtures("in_database")

# Seconds by which the clock is set: a little, a code's life, a wait, a session, a month, either way.
JUMPS = st.sampled_from([0, 1, 29, 30, 31, 90, 300, 900, 43_200, 2_592_000]).flatmap(
    lambda seconds: st.sampled_from([seconds, -seconds])
)
COMMON = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def start_over(office: Office) -> None:
    """As the fixture left it: examples share an office."""
    office.clock.now = NOW
    for record in (SessionRecord, FailedLoginRecord, KnownBrowserRecord):
        await record.all().delete()
    await MemberRecord.all().update(last_step=0)


async def count_cleared() -> None:
    await FailedLoginRecord.all().delete()
    await KnownBrowserRecord.all().delete()


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(days=30), timedelta(days=365 * 100)])
async def test_a_code_taken_while_the_clock_was_ahead_locks_nobody_out(office: Office, ahead: timedelta) -> None:
    office.clock.now = NOW + ahead
    await office.browser_of("amina")
    office.clock.now = NOW
    assert (await office.browser().log_in(office.world["amina"])).status_code == 303
    assert (await office.browser().log_in(office.world["amina"])).status_code == 403
    office.clock.forward(seconds=30)
    assert (await office.browser().log_in(office.world["amina"])).status_code == 303


@COMMON
@given(st.lists(JUMPS, max_size=4), JUMPS)
async def test_a_code_is_taken_once_and_the_next_ones_are_whatever_the_clock_does(
    office: Office, jumps: list[int], last: int
) -> None:
    await start_over(office)
    person = office.world["amina"]
    for jump in jumps:
        office.clock.forward(seconds=jump)
        await office.browser().log_in(person)
        await count_cleared()
    # Two steps after whatever was taken last: no code of now was taken before.
    office.clock.forward(seconds=90)
    code = pyotp.TOTP(person.totp_secret).at(office.clock.now)
    assert (await office.browser().log_in(person, code=code)).status_code == 303
    await count_cleared()
    office.clock.forward(seconds=last)
    assert (await office.browser().log_in(person, code=code)).status_code == 403


@COMMON
@given(st.lists(JUMPS, min_size=1, max_size=20), st.booleans())
async def test_a_wait_is_bounded_and_over_after_its_time(office: Office, jumps: list[int], known: bool) -> None:
    await start_over(office)
    browser = await office.browser_of("amina") if known else None
    token = bytes.fromhex(browser.client.cookies["browser"]) if browser else b""

    async def attempt(now: datetime) -> int:
        try:
            await count_known("amina", token, now) or await count_stranger("amina", now)
        except LoginMustWait as wait:
            return wait.seconds
        return 0

    for jump in jumps:
        office.clock.forward(seconds=jump)
        assert await attempt(office.clock.now) <= WAIT_SECONDS_MAX
    wait = max(1, await attempt(office.clock.now), await attempt(office.clock.now))
    assert await attempt(office.clock.now + timedelta(seconds=wait)) == 0


@COMMON
@given(st.lists(JUMPS, min_size=1, max_size=6))
async def test_no_session_lives_longer_than_its_hours_of_either_clock(office: Office, jumps: list[int]) -> None:
    """From the last request on, a session that a jump has not ended is over after the idle minutes."""
    await start_over(office)
    browser = await office.browser_of("amina")
    for jump in jumps:
        office.clock.forward(seconds=jump)
        await browser.get("/members")
    office.clock.forward(minutes=office.settings.idle_minutes + 1)
    assert (await browser.get("/members")).status_code == 303


@pytest.mark.parametrize("column", ["created", "last_seen"])
async def test_a_session_of_a_time_to_come_is_over(office: Office, column: str) -> None:
    browser = await office.browser_of("amina")
    await SessionRecord.all().update(**{column: office.clock.now + timedelta(seconds=50)})
    assert (await browser.get("/members")).status_code == 200
    await SessionRecord.all().update(**{column: office.clock.now + timedelta(days=30)})
    assert (await browser.get("/members")).status_code == 303
    assert await SessionRecord.all().count() == 0


@pytest.mark.parametrize("column", ["created", "last_seen"])
async def test_sessions_of_a_time_to_come_are_cleared_away(office: Office, column: str) -> None:
    await office.browser_of("amina")
    await SessionRecord.all().update(**{column: office.clock.now + timedelta(days=30)})
    await office.browser_of("bruno")
    assert await SessionRecord.all().count() == 1
