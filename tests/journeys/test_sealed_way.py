# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sealed way, whole: a report written in Arabic on a phone, read and answered in the office, read with the code.

Two real programs, two real browsers, and a rare word that may be found in the office alone.
"""

import asyncio
import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from oversight.demo.programs import Server, demo_office, demo_portal
from oversight.demo.stage import found_commission
from oversight.members.founding.ceremony import Sheet
from oversight.members.founding.command import Founded
from tests.browser.browsing import CHROMIUM_ARGUMENTS
from tests.servers import free_port

CANARY = "زمردخبيئةٌ٧٣١"
FILE_CANARY = "quokkapapers-٩٤"
STORY = f"أخذوا أخي ليلًا ولم يقولوا إلى أين. الكلمة {CANARY} لا يعرفها أحد."
FILE_BYTES = f"{FILE_CANARY}: what the doctor wrote\n".encode() * 40_000
REPLY = "Thank you. We have read it, and we are writing to the ministry today."
FOLLOW_UP = f"شكرًا لكم. {CANARY}"
EXCLUDED = "investigator-2"
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@dataclass
class World:
    """Portal, office and browser; what the reporter's browser asked for, and what both pages complained about."""

    folder: Path
    portal: Server
    office: Server
    founded: Founded
    browser: Browser
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def reporter(self) -> BrowserContext:
        context = self.browser.new_context(
            viewport={"width": 360, "height": 740}, locale="ar", has_touch=True, is_mobile=True
        )
        context.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108 - it must be a function
        self._listen(context)
        return context

    def member(self) -> BrowserContext:
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
        self._listen(context)
        return context

    def _listen(self, context: BrowserContext) -> None:
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)


@pytest.fixture
def world(tmp_path: Path, chromium: str) -> Iterator[World]:
    temporary = tmp_path / "portal-temporary"
    temporary.mkdir()
    portal = demo_portal(tmp_path, free_port())
    portal = dataclasses.replace(portal, settings={**portal.settings, "TMPDIR": str(temporary)})
    office = demo_office(tmp_path, free_port(), portal)
    office = dataclasses.replace(office, settings={**office.settings, "OVERSIGHT_COLLECT_SECONDS": "1"})
    try:
        portal.start()
        founded = asyncio.run(
            found_commission(tmp_path, portal, dataclasses.replace(office, settings=_own(office.settings)))
        )
        office.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
            yield World(tmp_path, portal, office, founded, browser)
            browser.close()
    finally:
        office.stop()
        portal.stop()


def test_a_report_goes_sealed_to_the_office_and_the_answer_comes_back(world: World) -> None:
    code = _write_report(world)
    _check_canary_is_nowhere_on_the_portal(world)
    submission = _read_and_answer(world)
    _check_an_excluded_member_sees_nothing(world, submission)
    _read_the_answer_and_write_again(world, code)
    _check_the_follow_up_arrived(world, submission)
    _check_canary_is_nowhere_on_the_portal(world)
    assert world.complaints == []


def _write_report(world: World) -> str:
    """Write in Arabic at phone width, enclose a file, exclude a member, send; the receipt code."""
    context = world.reporter()
    page = context.new_page()
    page.goto(f"{world.portal.url}/ar/")
    page.locator("main a[href$='/report']").first.click()
    _next(page)
    while not page.locator("[data-panel=check]").is_visible():
        for selector, fill in (("#q-story", STORY),):
            if page.locator(selector).is_visible():
                page.locator(selector).fill(fill)
        if page.locator("#q-country").is_visible():
            page.locator("#q-country").select_option("TR")
        if page.locator("#q-files").is_visible():
            name = f"{FILE_CANARY}.txt"
            page.locator("#q-files").set_input_files({"name": name, "mimeType": "text/plain", "buffer": FILE_BYTES})
            expect(page.locator("[data-files] [data-name]")).to_have_text(name)
        if page.locator(f"input[value={EXCLUDED}]").is_visible():
            page.locator(f"input[value={EXCLUDED}]").check()
        assert _bodies(world) == [], "nothing is sent while somebody types"
        _next(page)
    expect(page.locator("[data-summary]")).to_contain_text(CANARY)
    _next(page)
    panel = page.locator("[data-panel=code]")
    groups = panel.locator(".code__group").all_text_contents()
    for label, box in zip(
        panel.locator("[data-back-label]").all_text_contents(), panel.locator("[data-back-field]").all(), strict=True
    ):
        box.fill(groups[int("".join(re.findall(r"\d", label))) - 1].translate(ARABIC_DIGITS))
    panel.locator("[data-send]").click()
    expect(page.locator("[data-panel=sent]")).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        page.locator("[data-save]").click()
    acknowledgement = Path(download.value.path()).read_text(encoding="utf-8")
    assert acknowledgement.startswith("amparo acknowledgement v1\n")
    _check_no_traces(context, page)
    context.close()
    return "".join(groups)


def _read_and_answer(world: World) -> str:
    """Log in, find the report in the queue, read it, take the file, answer; the submission's id."""
    page = world.member().new_page()
    _log_in(world, page, world.founded.sheets["registrar"])
    link = page.locator("main a[href^='/reports/']").first
    _reload_until_visible(page, "main a[href^='/reports/']")
    link.click()
    expect(page.get_by_text(STORY)).to_be_visible()
    story = page.get_by_text(STORY)
    assert story.evaluate("element => getComputedStyle(element).direction") == "rtl"
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(FILE_CANARY)).click()
    assert Path(download.value.path()).read_bytes() == FILE_BYTES
    submission = page.url.rstrip("/").split("/")[-1].split("?")[0]
    page.locator(f"a[href='/reports/{submission}/reply']").first.click()
    page.locator("[name=language]").select_option("en")
    page.locator("[name=body]").fill(REPLY)
    page.locator("main form[action$='/reply'] button[type=submit]").click()
    expect(page.locator(".preview")).to_contain_text(REPLY)
    page.locator("main form[action$='/send'] button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(REPLY)
    page.context.close()
    return submission


def _check_an_excluded_member_sees_nothing(world: World, submission: str) -> None:
    page = world.member().new_page()
    _log_in(world, page, world.founded.sheets[EXCLUDED])
    expect(page.locator("main a[href^='/reports/']")).to_have_count(0)
    answer = page.request.get(f"{world.office.url}/reports/{submission}")
    assert answer.status == 404
    assert CANARY not in answer.text()
    page.context.close()


def _read_the_answer_and_write_again(world: World, code: str) -> None:
    context = world.reporter()
    page = context.new_page()
    page.goto(f"{world.portal.url}/ar/return")
    page.locator("#code").fill(code.translate(ARABIC_DIGITS))
    page.locator("[data-open]").click()
    expect(page.locator("[data-letters]")).to_contain_text(REPLY, timeout=30_000)
    expect(page.locator("[data-collected]")).to_be_visible()
    page.locator("#body").fill(FOLLOW_UP)
    page.locator("[data-panel=mailbox] [data-send]").click()
    expect(page.locator("[data-followed-up]")).to_be_visible(timeout=30_000)
    _check_no_traces(context, page)
    context.close()


def _check_the_follow_up_arrived(world: World, submission: str) -> None:
    page = world.member().new_page()
    _log_in(world, page, world.founded.sheets["investigator-1"])
    page.goto(f"{world.office.url}/reports/{submission}")
    _reload_until_visible(page, f"main :text('{FOLLOW_UP}')")
    page.locator("form[action='/lock'] button").first.click()
    expect(page.locator("[name=passphrase]")).to_be_visible()
    assert page.request.get(f"{world.office.url}/reports/{submission}", max_redirects=0).status == 303
    page.context.close()


def _check_canary_is_nowhere_on_the_portal(world: World) -> None:
    """In no file of the portal, no temporary file, no log, and in no request that the reporter's browser made."""
    needles = [text.encode(coding) for text in (CANARY, FILE_CANARY) for coding in ("utf-8", "utf-16-le")]
    searched = 0
    for folder in ("portal", "portal-temporary"):
        for path in (world.folder / folder).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                searched += len(data)
                assert not any(needle in data or needle in str(path).encode() for needle in needles), path
    assert searched > len(FILE_BYTES), "the sealed file itself was among what was searched"
    log = (world.folder / "portal.log").read_bytes()
    assert log == b""
    bodies = _bodies(world)
    assert bodies
    for seen in [*bodies, *(request.url.encode() for request in world.requests)]:
        assert not any(needle in seen for needle in needles)


def _bodies(world: World) -> list[bytes]:
    return [request.post_data_buffer for request in world.requests if request.post_data_buffer]


def _check_no_traces(context: BrowserContext, page: Page) -> None:
    assert context.cookies() == []
    assert context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}
    held = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,"
        " (await caches.keys()).length]"
    )
    assert held == [0, 0, 0, 0]
    assert context.service_workers == []


def _log_in(world: World, page: Page, sheet: Sheet) -> None:
    page.goto(f"{world.office.url}/login")
    page.locator("[name=username]").fill(sheet.member.username)
    page.locator("[name=passphrase]").fill(sheet.passphrase)
    page.locator("[name=code]").fill(pyotp.TOTP(sheet.totp_secret).now())
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/queue"))


def _reload_until_visible(page: Page, selector: str, tries_max: int = 60) -> None:
    """The collector comes by every second; a member would reload the page."""
    for _ in range(tries_max):
        if page.locator(selector).first.is_visible():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{selector} did not appear")


def _next(page: Page) -> None:
    page.locator("section.panel:visible [data-next]").click()


def _own(settings: object) -> dict[str, str]:
    """The office's own settings, without what only its process takes."""
    assert isinstance(settings, dict)
    return {name: value for name, value in settings.items() if name.startswith("OVERSIGHT_")}
