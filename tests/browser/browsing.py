# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the tests run a browser: quiet, offline but for loopback, without a trace between tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A wait that takes longer than this is a fault, on however busy a machine.
TIMEOUT_MS = 120_000


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """A browser, as long as it is needed: while Playwright runs, its event loop is in the way of every other one."""
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
