# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office of the test commission, and browsers of its people."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import pyotp
from starlette.applications import Starlette

from oversight.settings import Settings
from oversight.storage import Database
from tests.oversight.portals import Portal
from tests.people import NOW, Person, World

OFFICE_ORIGIN = "http://office.test"


def no_portal(request: httpx.Request) -> httpx.Response:
    """The network of an office whose portal can't be reached."""
    raise httpx.ConnectError("there is no portal", request=request)


@dataclass
class Clock:
    """The office's clock; a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Browser:
    """A member's browser: it keeps cookies and says where its requests come from."""

    client: httpx.AsyncClient
    clock: Clock

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, **form: str | list[str]) -> httpx.Response:
        return await self.client.post(path, data=form, headers={"sec-fetch-site": "same-origin"})

    async def log_in(self, person: Person, **changed: str) -> httpx.Response:
        """Fill in the login form as this person would, with fields of it ``changed``."""
        code = pyotp.TOTP(person.totp_secret).at(self.clock.now)
        form = {"username": person.username, "passphrase": person.passphrase, "code": code}
        return await self.post("/login", **{**form, **changed})


@dataclass
class Office:
    """A running office."""

    app: Starlette
    settings: Settings
    clock: Clock
    database: Database
    world: World = field(repr=False)
    browsers: list[httpx.AsyncClient] = field(default_factory=list, repr=False)

    def talk_to(self, portal: Portal) -> None:
        """Connect the office to this portal."""
        self.app.state.transport = portal.transport

    def browser(self) -> Browser:
        """A fresh browser without any cookie."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        client = httpx.AsyncClient(transport=transport, base_url=self.settings.own_origin)
        self.browsers.append(client)
        return Browser(client, self.clock)

    async def browser_of(self, label: str) -> Browser:
        """A browser in which this person has just logged in."""
        browser = self.browser()
        answer = await browser.log_in(self.world[label])
        assert answer.status_code == 303, answer.text
        # The used code must not block the next login.
        self.clock.forward(seconds=30)
        return browser
