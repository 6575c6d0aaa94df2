# SPDX-License-Identifier: AGPL-3.0-or-later
"""The fixture of the journeys."""

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from crypto.age import PqIdentity
from oversight.demo.programs import demo_office, demo_portal
from oversight.demo.stage import found_commission
from portal.kit.files import write_secret_file
from tests.browser.browsing import CHROMIUM_ARGUMENTS, TIMEOUT_MS
from tests.journeys.world import World
from tests.servers import free_port


@pytest.fixture
def world(tmp_path: Path, chromium: str) -> Iterator[World]:
    expect.set_options(timeout=TIMEOUT_MS)
    temporary = tmp_path / "portal-temporary"
    temporary.mkdir()
    portal = demo_portal(tmp_path, free_port())
    portal = dataclasses.replace(portal, settings={**portal.settings, "TMPDIR": str(temporary)})
    write_secret_file(tmp_path / "start.key", f"{PqIdentity.generate()}\n".encode("ascii"))
    office = demo_office(tmp_path, free_port(), portal)
    office = dataclasses.replace(office, settings={**office.settings, "OVERSIGHT_COLLECT_SECONDS": "1"})
    try:
        portal.start()
        founded = asyncio.run(found_commission(tmp_path, portal, office))
        office.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
            yield World(tmp_path, portal, office, founded, browser)
            browser.close()
    finally:
        office.stop()
        portal.stop()
