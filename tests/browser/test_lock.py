# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the browser of a member shows after a lock, in this tab and in others."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from oversight.storage import Database
from tests.browser.browsing import CHROMIUM_ARGUMENTS
from tests.browser.conftest import NewContext
from tests.people import Person, World, found_test_commission, settle_office
from tests.servers import Program, free_port

LOGIN = re.compile("/login")


@pytest.fixture(scope="module")
def commission() -> World:
    return found_test_commission()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, commission: World) -> Iterator[Program]:
    """The office as a program, with the test commission and without a portal."""
    folder = tmp_path_factory.mktemp("office")
    data, port = folder / "office", free_port()
    settings = {
        "OVERSIGHT_ORIGIN": f"http://127.0.0.1:{port}",
        "OVERSIGHT_DATA": str(data),
        "OVERSIGHT_PORT": str(port),
    }

    async def settle() -> None:
        database = await Database.open(f"sqlite://{data / 'office.sqlite3'}")
        with database.use():
            await settle_office(commission, data / "secrets")
        await database.close()

    # In a thread: the browser's event loop runs in this one.
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, settle()).result()
    office = Program("oversight", port, settings, folder / "office.log")
    office.start()
    yield office
    office.stop()


def log_in(page: Page, office: Program, person: Person) -> None:
    page.goto(f"{office.origin}/login")
    page.locator("[name=username]").fill(person.username)
    page.locator("[name=passphrase]").fill(person.passphrase)
    page.locator("[name=code]").fill(pyotp.TOTP(person.totp_secret).now())
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/queue"))


@pytest.fixture
def remembering(browser: Browser, chromium: str) -> Iterator[Browser]:
    """A browser that keeps whole pages for going back to, as people's browsers do and Playwright's does not."""
    kept = browser.browser_type.launch(
        executable_path=chromium, args=CHROMIUM_ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    )
    yield kept
    kept.close()


def test_after_a_lock_no_tab_shows_anything_by_going_back_or_reloading(
    remembering: Browser, office: Program, commission: World
) -> None:
    context = remembering.new_context()
    page, other = context.new_page(), context.new_page()
    log_in(page, office, commission["amina"])
    for each in (page, other):
        for path in ("/members", "/account", "/members"):
            each.goto(f"{office.origin}{path}")
    page.locator(".office-bar__lock button").click()
    expect(page.locator("main")).to_contain_text("What this computer may still hold")
    for each in (other, page):
        each.go_back()
        expect(each).to_have_url(LOGIN)
        each.reload()
        expect(each).to_have_url(LOGIN)
        each.go_back()
        expect(each).to_have_url(LOGIN)
        assert "Amina" not in each.content()
    assert [cookie["name"] for cookie in context.cookies()] == ["browser"]
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_a_printed_page_begins_with_what_to_do_with_it(
    new_context: NewContext, office: Program, commission: World
) -> None:
    page = new_context().new_page()
    log_in(page, office, commission["bruno"])
    line = page.locator(".print-line")
    for path in ("/queue", "/members", "/account", "/cases"):
        page.goto(f"{office.origin}{path}")
        expect(line).to_be_hidden()
        page.emulate_media(media="print")
        expect(line).to_be_visible()
        expect(line).to_contain_text("Confidential. Take it from the printer")
        expect(page.locator("nav:visible, button:visible")).to_have_count(0)
        page.emulate_media(media="screen")
