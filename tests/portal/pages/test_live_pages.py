# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages that could not be built are built as soon as they can be, and those that are there go on being served."""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crypto.charter import read_charter
from portal.kit.compression import compress
from portal.kit.i18n import LOCALES
from portal.pages import build, live_pages, site
from portal.pages.build import SiteMaker
from tests.people import SLUG, found_test_commission
from tests.portal.charters.test_charters import post, successor
from tests.portal.register.test_register import portal_with_styles, put_one, write_styles
from tests.portal.world import API, RunningPortal, error_code, publish, running_portal
from tests.waiting import SECONDS_MAX

START, REPORT = "/en/", f"/en/{SLUG}/report"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_pages, "RETRY_SECONDS_MIN", 0)
    monkeypatch.setattr(site, "compress", lambda body, *, quick=False: compress(body, quick=True))


@pytest_asyncio.fixture
async def pages(tmp_path: Path) -> AsyncIterator[RunningPortal]:
    async with portal_with_styles(tmp_path) as running:
        yield running


class Trouble:
    """Makes every build fail as long as it lasts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.attempts = 0
        original = SiteMaker.build

        def attempt(builder: SiteMaker, *charters: Any) -> Any:
            self.attempts += 1
            if self.error is not None:
                raise self.error
            return original(builder, *charters)

        monkeypatch.setattr(SiteMaker, "build", attempt)


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(monkeypatch)


async def until_served(portal: RunningPortal, path: str) -> None:
    """Ask for a page until it is there."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            if (await portal.client.get(path)).status_code == 200:
                return
            await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            if condition():
                return
            await asyncio.sleep(0)


async def test_before_there_are_pages_a_visitor_is_asked_to_come_back(portal: RunningPortal) -> None:
    """In every language, with our headers, and with nothing in it that says what the site is for."""
    answer = await portal.client.get(START)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for locale in LOCALES:
        assert f'<p lang="{locale}"' in answer.text
    assert "Please come back in a few minutes." in answer.text
    assert "src=" not in answer.text


async def test_a_visitor_is_told_so_even_where_no_template_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "TEMPLATES", tmp_path / "none")
    async with running_portal(tmp_path) as portal:
        answer = await portal.client.get(START)
        assert answer.status_code == 503
        assert "can’t be shown" in answer.text


async def test_a_portal_that_started_without_files_shows_its_pages_once_they_are_there(tmp_path: Path) -> None:
    async with running_portal(tmp_path) as portal:
        assert (await portal.client.get(START)).status_code == 503
        write_styles(tmp_path)
        await until_served(portal, START)
        assert (await portal.client.get(REPORT)).status_code == 200
        # The register was given up as well, and comes back beside it.
        with portal.database.use():
            await portal.assembly.register.refresh()
        assert (await portal.client.get("/en/findings/")).status_code == 200


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "files"), OSError(errno.ENOSPC, "full"), MemoryError(), RuntimeError("secret")],
    ids=repr,
)
async def test_a_build_that_failed_is_tried_again(
    tmp_path: Path, trouble: Trouble, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    trouble.error = error
    async with portal_with_styles(tmp_path) as portal:
        assert (await portal.client.get(START)).status_code == 503
        await until(lambda: trouble.attempts > 3)
        trouble.error = None
        await until_served(portal, START)
        attempts = trouble.attempts
    assert attempts == trouble.attempts
    assert "secret" not in caplog.text
    assert any("tried again" in record.message for record in caplog.records if record.levelno == logging.ERROR)


async def test_attempts_become_rarer_up_to_five_minutes(
    monkeypatch: pytest.MonkeyPatch, trouble: Trouble, tmp_path: Path
) -> None:
    waited: list[float] = []

    async def note(pages: live_pages.LivePages, seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 12:
            trouble.error = None

    monkeypatch.setattr(live_pages, "RETRY_SECONDS_MIN", 5)
    monkeypatch.setattr(live_pages.LivePages, "_wait", note)
    trouble.error = OSError()
    async with portal_with_styles(tmp_path) as portal:
        await until_served(portal, START)
    assert waited == [5, 10, 20, 40, 80, 160, *[300] * 6]


async def test_what_shows_a_charter_that_was_replaced_is_not_served_while_builds_fail(
    pages: RunningPortal, trouble: Trouble
) -> None:
    """Nobody is to seal to people who have left. The way back with a code stays."""
    await put_one(pages)
    assert (await pages.client.get(REPORT)).status_code == 200
    trouble.error = OSError(errno.EMFILE, "files")
    second = successor(pages.world, pages.world.charter, grace_days=3)
    assert (await post(pages, second)).status_code == 201
    for path in (REPORT, START, "/ar/", "/ar/protection", "/manifest.json"):
        answer = await pages.client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert pages.world.charter.hash not in answer.text
    assert "This page can’t be shown at the moment" in (await pages.client.get(REPORT)).text
    for path in ("/", "/en/return", "/en/findings/", "/en/findings/xfi-zz-demo-commission-2026-f-0001"):
        assert (await pages.client.get(path)).status_code == 200
    trouble.error = None
    await until_served(pages, REPORT)
    assert read_charter(second).hash in (await pages.client.get(REPORT)).text
    await until_served(pages, "/manifest.json")


async def test_pages_stay_when_a_build_fails_that_would_change_nothing(pages: RunningPortal, trouble: Trouble) -> None:
    before = (await pages.client.get(REPORT)).content
    trouble.error = OSError()
    pages.assembly.pages.renew(pages.assembly.charters.all())
    await until(lambda: trouble.attempts > 1)
    assert (await pages.client.get(REPORT)).content == before
    assert (await pages.client.get(START)).status_code == 200


class TestANewCharter:
    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(build, "_section", lambda *_: 1 / 0)

    async def test_that_cannot_be_shown_is_refused(self, pages: RunningPortal) -> None:
        answer = await post(pages, successor(pages.world, pages.world.charter, grace_days=3))
        assert error_code(answer) == (422, "charter-invalid")
        assert answer.json()["error"]["field"] == "pages"
        newest = await pages.client.get(f"{API}/commissions/{SLUG}/charter")
        assert newest.content == pages.world.charter.note

    async def test_is_taken_by_a_portal_whose_scripts_are_missing(self, portal: RunningPortal) -> None:
        assert (await post(portal, successor(portal.world, portal.world.charter, grace_days=3))).status_code == 201


async def test_a_new_charter_is_taken_while_memory_or_files_are_short(
    pages: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "files")

    monkeypatch.setattr(SiteMaker, "check", fail)
    assert (await post(pages, successor(pages.world, pages.world.charter, grace_days=3))).status_code == 201


async def test_a_form_under_the_registers_name_does_not_wait_for_the_register(pages: RunningPortal) -> None:
    await publish(pages, found_test_commission(slug="findings"))
    pages.assembly.register._refreshed.clear()
    for path in ("/en/findings/report", "/ar/", REPORT):
        assert (await pages.client.get(path)).status_code == 200


async def test_what_only_the_api_needs_is_not_asked_for_a_page(
    pages: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_one(pages)
    monkeypatch.delattr(pages.app.state, "database")
    for path, status in ((START, 200), ("/en/findings/", 200), ("/api", 404), ("/api/v1", 404)):
        answer = await pages.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert error_code(await pages.client.get(f"{API}/portal")) == (500, "internal")


async def test_a_page_that_fails_is_answered_and_logged_without_what_the_error_says(
    pages: RunningPortal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("quokka")

    monkeypatch.setattr(site.Site, "get", fail)
    answer = await pages.client.get(START)
    assert error_code(answer) == (500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "quokka" not in answer.text + caplog.text
