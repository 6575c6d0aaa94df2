# SPDX-License-Identifier: AGPL-3.0-or-later
"""The member's door on SQLite and on PostgreSQL, with one process and with two: strangers, counts, codes, sessions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.members import failed_logins
from oversight.members.records import FailedLoginRecord, KnownBrowserRecord, SessionRecord
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


async def fail(browser: Browser, office: Office, username: str = "amina") -> httpx.Response:
    """A stranger's try. An empty passphrase is refused without any derivation."""
    return await browser.log_in(office.world["amina"], username=username, passphrase="")


async def test_to_a_stranger_known_and_unknown_usernames_are_the_same(office: Office) -> None:
    """Byte by byte: status, headers and page, through failures, the wait, and the end of the wait."""
    of_another = (await office.browser_of("bruno")).client.cookies["browser"]
    for cookie in ("", "5e" * 32, "5e" * 31, "\xff\xfe;=", of_another):
        known, unknown = await _tries(office, "amina", cookie), await _tries(office, "nobod", cookie)
        assert known == unknown, cookie
        assert [answer[0] for answer in known] == [403, 403, 403, 429, 403, 429, 403, 429]
        assert "set-cookie" not in str(known)


async def _tries(office: Office, username: str, cookie: str) -> list[tuple[int, object, str]]:
    """What a stranger hears who tries this username: now and again at once, after a second, after the longest wait."""
    await FailedLoginRecord.all().delete()
    client, answers = office.browser().client, []
    for wait in (0, 0, 0, 0, 1, 0, 400, 0):
        office.clock.forward(seconds=wait)
        form = {"username": username, "passphrase": "not this one", "code": "123456"}
        headers = {b"sec-fetch-site": b"same-origin", b"cookie": f"browser={cookie}".encode("latin-1")}
        answer = await client.post("/login", data=form, headers=headers)
        answers.append((answer.status_code, answer.headers.raw, answer.text.replace(username, "USERNAME")))
    return answers


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
    await elsewhere.post("/lock")
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
