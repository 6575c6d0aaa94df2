# SPDX-License-Identifier: AGPL-3.0-or-later
"""The time that one item has, and a portal that lets it run out: at once, so that no test waits for it."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import httpx
import pytest

from oversight.wire import retry
from tests.oversight.portal_simulator import PortalSimulator


class TimesUp:
    """Keeps the last bound that was set, and ends it for whoever hangs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.last: asyncio.Timeout | None = None
        monkeypatch.setattr(retry, "asyncio", SimpleNamespace(timeout=self._timeout))

    def _timeout(self, seconds: float) -> asyncio.Timeout:
        self.last = asyncio.timeout(seconds)
        return self.last

    async def hang(self) -> None:
        """Do nothing until the time is over. Fails when no bound was set."""
        assert self.last is not None, "nothing bounds the time of this item"
        self.last.reschedule(asyncio.get_running_loop().time())
        await asyncio.Event().wait()


class HangingTransport(httpx.AsyncBaseTransport):
    """The way to a portal that hangs at some requests."""

    def __init__(self, portal: PortalSimulator, times: TimesUp, hangs: Callable[[httpx.Request], bool]) -> None:
        self.inner, self.times, self.hangs = portal.transport(), times, hangs

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if self.hangs(request):
            await self.times.hang()
        return await self.inner.handle_async_request(request)
