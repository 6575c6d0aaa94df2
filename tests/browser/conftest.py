# SPDX-License-Identifier: AGPL-3.0-or-later
"""A browser for the session, and a clean context of it for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.browsing import TIMEOUT_MS, launched

NewContext = Callable[..., BrowserContext]


# Ended with the tests of this folder.
@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def new_context(browser: Browser) -> Iterator[NewContext]:
    """Makes contexts at the width of a phone; options are those of Playwright's ``new_context``."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        chosen = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**chosen)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
