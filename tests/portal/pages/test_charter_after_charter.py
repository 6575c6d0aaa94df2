# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charters that come faster than pages are built keep nobody waiting but who asks for the form of that commission."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crypto.charter import Charter, read_charter
from portal.kit.compression import compress
from portal.pages import live_pages, site
from portal.pages.build import SiteMaker
from tests.people import World
from tests.portal.charters.test_charters import post, successor
from tests.portal.pages.test_live_pages import REPORT, START, until_served
from tests.portal.register.test_register import portal_with_styles
from tests.portal.world import RunningPortal
from tests.waiting import SECONDS_MAX

CHARTERS = 12


@pytest_asyncio.fixture
async def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningPortal]:
    monkeypatch.setattr(site, "compress", lambda body, *, quick=False: compress(body, quick=True))
    async with portal_with_styles(tmp_path) as running:
        await running.assembly.pages.built()
        yield running


class Chain:
    """A commission whose charters come faster than pages are built: a newer one during every build, until the end."""

    def __init__(self, portal: RunningPortal, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self.pages = portal.assembly.pages
        self.charters = portal.assembly.charters.all()
        self.left = self._successors(portal.world, count)
        original, loop = SiteMaker.build, asyncio.get_running_loop()

        def build(maker: SiteMaker, *charters: Any) -> Any:
            done = threading.Event()
            loop.call_soon_threadsafe(lambda: (self.go_on(), done.set()))
            assert done.wait(SECONDS_MAX)
            return original(maker, *charters)

        monkeypatch.setattr(SiteMaker, "build", build)

    def _successors(self, world: World, count: int) -> list[Charter]:
        chain = [world.charter]
        for _ in range(count):
            chain.append(read_charter(successor(world, chain[-1], grace_days=len(chain))))
        return chain[1:]

    def go_on(self) -> None:
        if self.left:
            self.charters.append(self.left.pop(0))
            self.pages.renew(self.charters)


class TestCharterAfterCharter:
    @pytest_asyncio.fixture
    async def chain(self, pages: RunningPortal, monkeypatch: pytest.MonkeyPatch) -> Chain:
        return Chain(pages, monkeypatch, CHARTERS)

    @pytest.mark.parametrize("path", [START, "/ar/", "/en/protection"])
    async def test_leaves_the_pages_that_list_all_commissions(
        self, pages: RunningPortal, chain: Chain, path: str
    ) -> None:
        chain.go_on()
        for builds in range(1, 5):
            assert (await pages.client.get(path)).status_code == 200
            assert len(chain.left) >= CHARTERS - 2 - builds, "it waited for more than one build"

    async def test_lets_nobody_write_under_one_that_was_replaced(self, pages: RunningPortal, chain: Chain) -> None:
        assert (await pages.client.get(REPORT)).status_code == 200
        chain.go_on()
        last = chain.left[-1]
        while chain.left:
            answer = await pages.client.get(REPORT)
            if chain.left:
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        await until_served(pages, REPORT)
        assert last.hash in (await pages.client.get(REPORT)).text


async def test_nobody_waits_for_a_build_that_does_not_end(
    pages: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await pages.client.get(START)).status_code == 200
    monkeypatch.setattr(live_pages, "WAIT_SECONDS_MAX", 0)
    goes_on, original = threading.Event(), SiteMaker.build

    def build(maker: SiteMaker, *charters: Any) -> Any:
        assert goes_on.wait(SECONDS_MAX)
        return original(maker, *charters)

    monkeypatch.setattr(SiteMaker, "build", build)
    assert (await post(pages, successor(pages.world, pages.world.charter, grace_days=3))).status_code == 201
    for path in (START, REPORT):
        answer = await pages.client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert (await pages.client.get("/en/return")).status_code == 200
    goes_on.set()
    await pages.assembly.pages.built()
    assert (await pages.client.get(REPORT)).status_code == 200
