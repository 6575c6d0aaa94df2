# SPDX-License-Identifier: AGPL-3.0-or-later
"""A browser that has logged in before has a way in of its own, counted apart from strangers."""

import asyncio
import hashlib
import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.responses import Response

from oversight.members.accounts import DERIVATIONS_MAX, WAITING_MAX, Derivations
from oversight.members.known_browsers import BROWSERS_MAX, KNOWN_DAYS, remember_browser
from oversight.members.records import FailedLoginRecord, KnownBrowserRecord, MemberRecord
from tests.oversight.office import Browser, Office

pytestmark = pytest.mark.usefixtures("in_database")

PLACES = DERIVATIONS_MAX + WAITING_MAX


async def lock(browser: Browser) -> None:
    await browser.post("/lock")


async def fail(browser: Browser, office: Office, username: str = "amina") -> httpx.Response:
    """A stranger's try. An empty passphrase is refused without any derivation."""
    return await browser.log_in(office.world["amina"], username=username, passphrase="")


async def test_a_passphrase_that_was_typed_as_a_username_can_not_be_found_out_from_the_row(office: Office) -> None:
    await fail(office.browser(), office, username=office.world["amina"].passphrase)
    (row,) = await FailedLoginRecord.all()
    # A guess that fits is wrong in all but one of 16 million cases.
    assert len(row.username_hash) * 4 == 24


async def test_a_members_login_does_not_clear_the_count_of_strangers(office: Office) -> None:
    """Cleared, it would tell them that there is such a member."""
    member = await office.browser_of("amina")
    for _ in range(3):
        await fail(office.browser(), office)
    office.clock.forward(seconds=1)
    waits = []
    for from_where in (member, office.browser()):
        assert (await from_where.log_in(office.world["amina"])).status_code == 303
        office.clock.forward(seconds=30)
        assert (await fail(office.browser(), office)).status_code == 403
        answer = await fail(office.browser(), office)
        waits.append(int(answer.text.split("Try again in ")[1].split(" seconds")[0]))
        office.clock.forward(seconds=waits[-1])
    assert waits == [2, 4]


async def test_another_members_browser_counts_as_a_stranger(office: Office) -> None:
    bruno = await office.browser_of("bruno")
    for _ in range(3):
        await fail(bruno, office)
    assert (await fail(office.browser(), office)).status_code == 429
    assert (await KnownBrowserRecord.get(member__label="bruno")).failures == 0


async def test_a_success_begins_the_count_of_a_known_browser_anew(office: Office) -> None:
    browser = await office.browser_of("amina")
    for _ in range(3):
        await fail(browser, office)
    assert (await browser.log_in(office.world["amina"])).status_code == 429
    office.clock.forward(seconds=1)
    assert (await browser.log_in(office.world["amina"])).status_code == 303
    assert (await KnownBrowserRecord.get()).failures == 0


async def test_the_table_keeps_no_token_and_no_time_of_a_login(office: Office) -> None:
    browser = await office.browser_of("amina")
    row = await KnownBrowserRecord.get()
    token = bytes.fromhex(browser.client.cookies["browser"])
    assert len(token) == 32
    assert row.token_hash == hashlib.sha256(token).hexdigest()
    assert (row.last_day, row.retry_at.time().isoformat()) == (office.clock.now.date(), "00:00:00")


async def test_locking_leaves_the_browser_known_and_opens_nothing(office: Office) -> None:
    browser = await office.browser_of("amina")
    await lock(browser)
    assert set(browser.client.cookies) == {"browser"}
    assert (await browser.get("/account")).status_code == 303


async def test_a_browser_is_forgotten_after_half_a_year_even_when_the_clock_ran_ahead(office: Office) -> None:
    browser = await office.browser_of("amina")
    await KnownBrowserRecord.all().update(last_day=office.clock.now.date() + timedelta(days=400))
    await office.browser_of("bruno")
    office.clock.forward(days=KNOWN_DAYS + 1)
    await fail(browser, office)
    assert await FailedLoginRecord.all().count() == 1
    await office.browser_of("bruno")
    assert await KnownBrowserRecord.filter(member__label="amina").count() == 0


async def test_of_too_many_browsers_the_oldest_goes(office: Office) -> None:
    member = await MemberRecord.get(label="amina")
    first = await office.browser_of("amina")
    for _ in range(BROWSERS_MAX):
        await remember_browser(Response(), member, b"", office.clock.now, office.settings)
    assert await KnownBrowserRecord.all().count() == BROWSERS_MAX
    await fail(first, office)
    assert await FailedLoginRecord.all().count() == 1


async def test_the_account_page_says_which_browsers_there_are_and_forgets_the_others(office: Office) -> None:
    other, own = await office.browser_of("amina"), await office.browser_of("amina")
    await office.browser_of("bruno")
    page = (await own.get("/account")).text
    assert page.count("22 November 2026") == 2 and page.count("(this browser)") == 1
    answer = await own.post("/account/browsers")
    assert answer.headers["location"] == "/account?done=browsers"
    assert "Forget the others" not in (await own.get("/account")).text
    assert await KnownBrowserRecord.all().count() == 2
    await fail(other, office)
    assert await FailedLoginRecord.all().count() == 1


async def test_a_changed_passphrase_forgets_the_other_browsers(office: Office) -> None:
    await office.browser_of("amina")
    own = await office.browser_of("amina")
    new = "pigeon kernel velvet harvest mustang orbit"
    await own.post("/account/passphrase", present=office.world["amina"].passphrase, new=new, again=new)
    row = await KnownBrowserRecord.get()
    assert row.token_hash == hashlib.sha256(bytes.fromhex(own.client.cookies["browser"])).hexdigest()


async def test_under_https_the_cookie_is_of_this_host_alone(office: Office) -> None:
    member, response = await MemberRecord.get(label="amina"), Response()
    settings = replace(office.settings, origin="https://office.test")
    await remember_browser(response, member, b"", office.clock.now, settings)
    assert re.match(r"__Host-browser=[0-9a-f]{64}; HttpOnly; .*Secure", response.headers["set-cookie"])


async def test_a_member_stands_in_no_line_that_strangers_make(office: Office) -> None:
    """With every place of the strangers taken, a known browser logs in and a passphrase is changed."""
    browser, person = await office.browser_of("amina"), office.world["amina"]
    derivations: Derivations = office.app.state.derivations
    async with derivations.strangers.turn:
        stranger = asyncio.create_task(office.browser().log_in(person, passphrase="wrong"))
        assert (await browser.log_in(person)).status_code == 303
        new = "pigeon kernel velvet harvest mustang orbit"
        answer = await browser.post("/account/passphrase", present=person.passphrase, new=new, again=new)
        assert answer.status_code == 303
        assert not stranger.done()
    assert (await stranger).status_code == 403


async def test_two_hundred_strangers_at_once_make_a_member_wait_in_no_line(office: Office) -> None:
    """As many as have a place in the line are looked at, the rest is told so at once; nobody else's login waits."""
    browser, person = await office.browser_of("amina"), office.world["amina"]
    derivations: Derivations = office.app.state.derivations
    async with derivations.strangers.turn:
        crowd = [
            asyncio.create_task(office.browser().log_in(person, username=f"stranger-{number}", passphrase="wrong"))
            for number in range(200)
        ]
        refused = [await answer for answer in asyncio.as_completed(crowd[PLACES:])]
        assert (await browser.log_in(person)).status_code == 303
        assert not any(task.done() for task in crowd[:PLACES])
    assert [answer.status_code for answer in refused] == [503] * (200 - PLACES)
    assert {(await task).status_code for task in crowd[:PLACES]} == {403}
    # Who was not looked at has not failed.
    assert await FailedLoginRecord.all().count() == PLACES


async def test_whoever_finds_the_line_full_reads_so_and_keeps_what_is_no_secret(office: Office) -> None:
    person = office.world["amina"]
    derivations: Derivations = office.app.state.derivations
    with ExitStack() as line:
        for _ in range(PLACES):
            line.enter_context(derivations.strangers.place())
        answer = await office.browser().log_in(person)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "your attempt was not looked at. Try again in 5 seconds" in answer.text
    assert 'value="amina"' in answer.text
    assert person.passphrase not in answer.text
    # The places are free again, and the code was not taken.
    assert (await office.browser().log_in(person)).status_code == 303
