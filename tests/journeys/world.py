# SPDX-License-Identifier: AGPL-3.0-or-later
"""The world of the journeys: two real programs, a founded commission, real browsers, and what people do in them."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Request, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from oversight.demo.programs import Server
from oversight.founding.command import Founded
from oversight.founding.sheets import Sheet
from tests.waiting import wait_until

PANELS_MAX = 40
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

    @property
    def bodies(self) -> list[bytes]:
        """What the reporter's browser has sent."""
        return [request.post_data_buffer for request in self.requests if request.post_data_buffer]

    def log_in(self, page: Page, sheet: Sheet) -> None:
        """Log in with a code of this moment, and see the queue."""
        page.goto(f"{self.office.url}/login")
        page.locator("[name=username]").fill(sheet.member.username)
        page.locator("[name=passphrase]").fill(sheet.passphrase)
        page.locator("[name=code]").fill(pyotp.TOTP(sheet.totp_secret).now())
        page.locator("main button[type=submit]").click()
        expect(page).to_have_url(re.compile("/queue"))

    def _listen(self, context: BrowserContext) -> None:
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)


@dataclass(frozen=True)
class Writing:
    """What somebody writes into the form."""

    story: str
    country: str = "TR"
    file: FilePayload | None = None
    exclude: str | None = None
    consents: Collection[str] = ()


def write_report(world: World, page: Page, writing: Writing) -> str:
    """Write in Arabic, from the start page to "it has arrived"; the receipt code's seven groups."""
    page.goto(f"{world.portal.url}/ar/")
    page.locator("main a[href$='/report']").first.click()
    go_on(page)
    for _ in range(PANELS_MAX):
        if page.locator("[data-panel=check]").is_visible():
            break
        _answer(page, writing)
        assert world.bodies == [], "nothing is sent while somebody types"
        go_on(page)
    expect(page.locator("[data-summary]")).to_contain_text(writing.story)
    go_on(page)
    groups = _type_code_back(page)
    page.locator("[data-panel=code] [data-send]").click()
    expect(page.locator("[data-panel=sent]")).to_be_visible()
    return "".join(groups)


def _answer(page: Page, writing: Writing) -> None:
    """Whatever of it the panel that is shown asks for, also behind the headings of groups."""
    for heading in page.locator("[data-panel]:visible details[data-group] > summary").all():
        heading.click()
    if page.locator("#q-story").is_visible():
        page.locator("#q-story").fill(writing.story)
    if page.locator("#q-country").is_visible():
        page.locator("#q-country").select_option(writing.country)
    if writing.file is not None and page.locator("#q-files").is_visible():
        page.locator("#q-files").set_input_files(writing.file)
        expect(page.locator("[data-files] [data-name]")).to_have_text(writing.file["name"])
    for value in (writing.exclude, *writing.consents):
        if value is not None and page.locator(f"input[value={value}]").is_visible():
            page.locator(f"input[value={value}]").check()


def _type_code_back(page: Page) -> list[str]:
    """Two of the groups, in Arabic digits, as the page asks for them."""
    panel = page.locator("[data-panel=code]")
    groups = panel.locator(".code__group").all_text_contents()
    labels = panel.locator("[data-back-label]").all_text_contents()
    for label, box in zip(labels, panel.locator("[data-back-field]").all(), strict=True):
        box.fill(groups[int("".join(re.findall(r"\d", label))) - 1].translate(ARABIC_DIGITS))
    return groups


def open_mailbox(world: World, page: Page, code: str) -> None:
    """Return with the code, in Arabic digits, and read the mailbox."""
    page.goto(f"{world.portal.url}/ar/return")
    page.locator("#code").fill(code.translate(ARABIC_DIGITS))
    page.locator("[data-open]").click()
    expect(page.locator("[data-panel=mailbox]")).to_be_visible()


def go_on(page: Page) -> None:
    """To the next panel of the form."""
    page.locator("section.panel:visible [data-next]").click()


def reload_until_visible(page: Page, selector: str) -> None:
    """The collector comes by every second; a member would reload the page."""

    def is_there() -> bool:
        try:
            page.locator(selector).first.wait_for(timeout=250)
        except PlaywrightTimeout:
            page.reload()
            return False
        return True

    wait_until(is_there, f"{selector} is on the page")
