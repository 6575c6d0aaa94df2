# SPDX-License-Identifier: AGPL-3.0-or-later
"""The real portal in the test's own process, for offices to talk to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from portal.app import create_app
from portal.charters.known import invite
from portal.settings import Settings
from tests.people import NOW, PORTAL_ORIGIN, REALM


@dataclass
class Portal:
    """A portal that can be cut off, and that can lose the answers it gives, to all or to POST alone."""

    app: Starlette
    cut_off: bool = False
    loses_answers: bool = False
    loses_posts: bool = False
    requests: int = 0

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self._answer)

    async def invitation(self, slug: str) -> str:
        with self.app.state.database.use():
            return await invite(slug)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        if self.cut_off:
            raise httpx.ConnectError("cut off")
        await self.app(scope, receive, send)
        if self.loses_answers or (self.loses_posts and scope["method"] == "POST"):
            raise httpx.ReadError("the answer is lost")


@asynccontextmanager
async def running_portal(folder: Path, static: Path) -> AsyncIterator[Portal]:
    """A portal with its data in ``folder``, at the origin and the time of the tests."""
    (folder / "secrets").mkdir(parents=True, exist_ok=True)
    (folder / "secrets" / "realm").write_bytes(bytes.fromhex(REALM))
    app = create_app(Settings(origin=PORTAL_ORIGIN, data=folder, static=static), lambda: NOW)
    # Building pages takes longer than everything that an office does with a portal, and no office looks at them.
    app.state.assembly.pages.renew = lambda *_: None
    async with app.router.lifespan_context(app):
        yield Portal(app)
