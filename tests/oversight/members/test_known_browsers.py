# SPDX-License-Identifier: AGPL-3.0-or-later
"""A browser that has logged in before has a way in of its own, on SQLite and on PostgreSQL."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.members import failed_logins
from oversight.members.accounts import Derivations
from oversight.members.known_browsers import BROWSERS_MAX, KNOWN_DAYS, remember_browser
from oversight.members.records import FailedLoginRecord, KnownBrowserRecord, MemberRecord, SessionRecord
from oversight.settings import Settings
from tests.oversight.office import OFFICE_ORIGIN, Browser, Office

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "office", database=database_url, origin=OFFICE_ORIGIN, static=static_folder)


@pytest.fixture
async def other_process(office: Office) -> AsyncIterator[Office]:
    """A second office on the same database and secrets: nothing in memory is shared."""
    app = create_app(office.settings, office.clock, parameters=MINIMUM)
    async with app.router.lifespan_context(app):
        other = Office(app, office.settings, office.clock, app.state.database, office.world)
        yield other
        for client in other.browsers:
            await client.aclose()


async def lock(browser: Browser) -> None:
    await browser.post("/lock")


async def fail(browser: Browser, office: Office, username: str = "amina") -> httpx.Response:
    """A stranger's try. An empty passphrase is refused without any derivation."""
    return await browser.log_in(office.world["amina"], username=username, passphrase="")


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


ODD = {
    "no cookie": "",
    "a made-up cookie": "5e" * 32,
    "a cookie cut short": "5e" * 31,
    "garbage": "\xff\xfe;=",
    "another member's": "bruno",
}


@pytest.mark.parametrize("kind", ODD)
async def test_to_a_stranger_known_and_unknown_usernames_are_the_same(office: Office, kind: str) -> None:
    """Byte by byte: status, headers and page, through failures, the wait, and the end of the wait."""
    cookie = ODD[kind]
    if cookie == "bruno":
        cookie = (await office.browser_of(cookie)).client.cookies["browser"]
    heard: dict[str, list[object]] = {"amina": [], "nobod": []}
    for username, answers in heard.items():
        client = office.browser().client
        for wait in (0, 0, 0, 0, 0, 1, 0, 400, 0):
            office.clock.forward(seconds=wait)
            form = {"username": username, "passphrase": "not this one", "code": "123456"}
            headers = {b"sec-fetch-site": b"same-origin", b"cookie": f"browser={cookie}".encode("latin-1")}
            answer = await client.post("/login", data=form, headers=headers)
            answers.append((answer.status_code, answer.headers.raw, answer.text.replace(username, "USERNAME")))
    assert heard["amina"] == heard["nobod"]
    assert [answer[0] for answer in heard["amina"]] == [403, 403, 403, 429, 429, 403, 429, 403, 429]
    assert "set-cookie" not in str(heard)


async def test_another_members_browser_counts_as_a_stranger(office: Office) -> None:
    bruno = await office.browser_of("bruno")
    for _ in range(3):
        await fail(bruno, office)
    assert (await fail(office.browser(), office)).status_code == 429
    assert (await KnownBrowserRecord.get(member__label="bruno")).failures == 0


async def test_two_members_may_share_a_browser(office: Office) -> None:
    browser = await office.browser_of("amina")
    await browser.log_in(office.world["bruno"])
    office.clock.forward(seconds=30)
    for username in ("amina", "bruno"):
        for _ in range(4):
            await fail(office.browser(), office, username)
        assert (await browser.log_in(office.world[username])).status_code == 303


async def test_a_known_browser_that_fails_too_often_is_a_stranger(office: Office) -> None:
    browser = await office.browser_of("amina")
    for _ in range(failed_logins.KNOWN_FAILURES_MAX):
        assert (await fail(browser, office)).status_code == 403
        office.clock.forward(seconds=failed_logins.WAIT_SECONDS_MAX)
    assert await FailedLoginRecord.all().count() == 0
    assert (await fail(browser, office)).status_code == 403
    assert (await FailedLoginRecord.get()).failures == 1
    assert await KnownBrowserRecord.all().count() == 0


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
    async with derivations.slots, derivations.slots:
        stranger = asyncio.create_task(office.browser().log_in(person, passphrase="wrong"))
        assert (await browser.log_in(person)).status_code == 303
        new = "pigeon kernel velvet harvest mustang orbit"
        answer = await browser.post("/account/passphrase", present=person.passphrase, new=new, again=new)
        assert answer.status_code == 303
        assert not stranger.done()
    assert (await stranger).status_code == 403


@pytest.mark.parametrize("username", ["amina", "nobody"])
async def test_two_processes_count_every_attempt(office: Office, other_process: Office, username: str) -> None:
    offices = [office, other_process] * 6
    answers = await asyncio.gather(*(fail(each.browser(), each, username) for each in offices))
    assert sorted(answer.status_code for answer in answers) == [403] * 3 + [429] * 9
    assert (await FailedLoginRecord.get()).failures == 3


async def test_two_processes_take_a_code_once(office: Office, other_process: Office) -> None:
    logins = [each.browser().log_in(office.world["amina"]) for each in (office, other_process)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*logins)) == [303, 403]
    assert await SessionRecord.all().count() == 1


async def test_two_processes_share_sessions_locks_and_known_browsers(office: Office, other_process: Office) -> None:
    browser, elsewhere = await office.browser_of("amina"), other_process.browser()
    elsewhere.client.cookies = browser.client.cookies
    assert (await elsewhere.get("/members")).status_code == 200
    await lock(elsewhere)
    assert (await browser.get("/members")).status_code == 303
    for _ in range(4):
        await fail(other_process.browser(), office)
    assert (await elsewhere.log_in(office.world["amina"])).status_code == 303


async def test_logins_and_failures_at_once_leave_the_right_count(office: Office, other_process: Office) -> None:
    """Rows come and go between two processes, and no attempt ends in an error."""
    for label in ("amina", "bruno", "chiara", "daud"):
        person = office.world[label]
        attempts = [
            office.browser().log_in(person),
            fail(other_process.browser(), office, label),
            fail(office.browser(), office, label),
        ]
        answers = await asyncio.gather(*attempts)
        assert [answer.status_code for answer in answers] == [303, 403, 403]
        assert await FailedLoginRecord.all().values_list("failures", flat=True) == [2]
        await FailedLoginRecord.all().delete()


async def test_two_tabs_that_log_in_at_once_are_one_browser(office: Office, other_process: Office) -> None:
    browser, tab = await office.browser_of("amina"), other_process.browser()
    tab.client.cookies = browser.client.cookies
    logins = await asyncio.gather(browser.log_in(office.world["bruno"]), tab.log_in(office.world["chiara"]))
    assert [answer.status_code for answer in logins] == [303, 303]
    assert await KnownBrowserRecord.all().count() == 3
    assert len(set(await KnownBrowserRecord.all().values_list("token_hash", flat=True))) == 1
