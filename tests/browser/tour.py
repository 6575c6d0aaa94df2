# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of the office, the register and the pages of the README's tour: ``python -m tests.browser.tour``.

It starts the demonstration in ``var/tour``, logs in, and takes every page in English and Arabic, on a phone and on a
desktop, light and dark, into ``var/screenshots``; those that the README shows go to ``docs/images``.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.browsing import CHROMIUM_ARGUMENTS
from tests.conftest import ROOT, find_chromium
from tests.servers import free_port
from tests.waiting import wait_until

FOLDER = ROOT / "var" / "tour"
PICTURES = ROOT / "var" / "screenshots"
IMAGES = ROOT / "docs" / "images"
START_SECONDS_MAX = 180
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 860}
LOOKS = (
    ("en-desktop-light", "en", DESKTOP, "light"),
    ("ar-desktop-dark", "ar", DESKTOP, "dark"),
    ("en-phone-dark", "en", PHONE, "dark"),
    ("ar-phone-light", "ar", PHONE, "light"),
)
# What the README shows: a page in one of its looks, cut at the first screen.
SHOWN = {
    ("start", "en-phone-dark"),
    ("report", "ar-phone-light"),
    ("queue", "en-desktop-light"),
    ("case", "en-desktop-light"),
    ("finding", "en-desktop-light"),
    ("finding", "ar-phone-light"),
}


def main() -> int:
    """Take all pictures; the exit status."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _demonstration() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        for look in LOOKS:
            _take_public(browser, demo, look)
        _take_office(browser, demo)
        browser.close()
    return 0


def _take_public(browser: Browser, demo: dict[str, Any], look: tuple[str, str, Any, Any]) -> None:
    name, locale, size, scheme = look
    context = browser.new_context(viewport=size, color_scheme=scheme, locale=locale)
    page = context.new_page()
    base = f"{demo['portal_url']}/{locale}"
    finding = demo["findings"][0].replace(":", "-").replace(".", "-").lower()
    paths = {
        "start": "/",
        "report": f"/{demo['commission']}/report",
        "return": "/return",
        "protection": "/protection",
        "findings": "/findings/",
        "finding": f"/findings/{finding}",
    }
    for page_name, path in paths.items():
        page.goto(base + path)
        _take(page, page_name, name)
    context.close()


def _take_office(browser: Browser, demo: dict[str, Any]) -> None:
    """With one session: a login code is taken once."""
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{demo['office_url']}/login")
    _take(page, "login", "en-desktop-light")
    _log_in(page, next(member for member in demo["members"] if member["username"] == "publisher"))
    pages = _office_pages(page, demo["office_url"])
    for name, locale, size, scheme in LOOKS:
        _speak(context, demo["office_url"], locale)
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for page_name, address in pages.items():
            page.goto(address)
            _take(page, page_name, name)
    context.close()


def _office_pages(page: Page, office: str) -> dict[str, str]:
    """Every kind of page that a member meets, with a report and a case that have much to show."""
    page.goto(f"{office}/queue")
    report = page.locator("main a[href^='/reports/']").nth(1).get_attribute("href")
    page.goto(f"{office}/cases")
    published = page.locator("main tr", has_text="Finding published").first
    case = published.locator("a[href^='/cases/']").first.get_attribute("href")
    return {
        "queue": f"{office}/queue",
        "report": f"{office}{report}",
        "cases": f"{office}/cases",
        "case": f"{office}{case}",
        "case-people": f"{office}{case}/people",
        "case-ledger": f"{office}{case}/ledger",
        "case-finding": f"{office}{case}/finding",
        "members": f"{office}/members",
        "account": f"{office}/account",
    }


def _take(page: Page, page_name: str, look: str) -> None:
    page.screenshot(path=PICTURES / f"tour-{page_name}-{look}.png", full_page=True)
    if (page_name, look) in SHOWN:
        page.screenshot(path=IMAGES / f"{page_name}-{look}.png")


def _log_in(page: Page, member: dict[str, str]) -> None:
    page.locator("[name=username]").fill(member["username"])
    page.locator("[name=passphrase]").fill(member["passphrase"])
    page.locator("[name=code]").fill(pyotp.TOTP(member["totp_secret"]).now())
    page.locator("main button[type=submit]").click()
    page.wait_for_url(re.compile("/queue"))


def _speak(context: BrowserContext, office: str, locale: str) -> None:
    page = context.new_page()
    page.goto(f"{office}/account")
    page.locator(f"[name=locale][value={locale}]").check()
    page.locator("form:has([name=locale]) button").click()
    page.close()


@contextmanager
def _demonstration() -> Iterator[dict[str, Any]]:
    """A fresh demonstration, stopped by its process id."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    ports = ["--portal-port", str(free_port()), "--office-port", str(free_port())]
    command = [sys.executable, "-m", "oversight", "demo", "--folder", str(FOLDER), *ports]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield _wait_for(FOLDER / "demo.json", process)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(described: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    wait_until(lambda: described.exists() or process.poll() is not None, "the demonstration is up", START_SECONDS_MAX)
    if process.poll() is not None:
        raise RuntimeError("the demonstration did not start")
    description: dict[str, Any] = json.loads(described.read_text(encoding="utf-8"))
    return description


if __name__ == "__main__":
    sys.exit(main())
