# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office of the test commission, driven over ASGI as a browser would drive it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from starlette.applications import Starlette

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.settings import Settings
from oversight.storage import Database
from tests.oversight.portals import Portal, running_portal
from tests.people import NOW, PORTAL_ORIGIN, Person, World, found_test_commission, settle_office

OFFICE_ORIGIN = "http://office.test"


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
    world: World
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def talk_to(self, portal: Portal) -> None:
        """Let this portal stand at the other end of the office's wire."""
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
        # The code that was used up must not stand in the way of the next login.
        self.clock.forward(seconds=30)
        return browser


@pytest.fixture(scope="session")
def world() -> World:
    return found_test_commission()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for the built styles: what an office page is does not depend on them."""
    folder = tmp_path_factory.mktemp("static")
    for name in ("office.css", "page.css", "form.js", "return.js", "leave.js", "seal-worker.js", "mailbox-worker.js"):
        (folder / name).write_text("/* stand-in */")
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office's SQLite file with all migrations applied, to be copied: applying them takes a third of a second."""
    path = tmp_path_factory.mktemp("database") / "office.sqlite3"

    async def make() -> None:
        database = await Database.open(f"sqlite://{path}")
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, empty_database: Path) -> Settings:
    (tmp_path / "office").mkdir()
    shutil.copy(empty_database, tmp_path / "office")
    return Settings(data=tmp_path / "office", origin=OFFICE_ORIGIN, static=static_folder, portal_url=PORTAL_ORIGIN)


@pytest.fixture
async def portal(tmp_path: Path, static_folder: Path) -> AsyncIterator[Portal]:
    """The portal that the office talks to, if the test needs one."""
    async with running_portal(tmp_path / "portal", static_folder) as portal:
        yield portal


@pytest.fixture
async def unfounded(settings: Settings, clock: Clock, world: World) -> AsyncIterator[Office]:
    """An office in which no commission has been founded."""
    app = create_app(settings, clock, parameters=MINIMUM)
    async with app.router.lifespan_context(app):
        office = Office(app, settings, clock, app.state.database, world)
        yield office
        for client in office.browsers:
            await client.aclose()


@pytest.fixture
async def office(unfounded: Office, world: World) -> Office:
    """The office of the test commission."""
    with unfounded.database.use():
        await settle_office(world, unfounded.settings.secrets)
    return unfounded


@pytest.fixture
def in_database(office: Office) -> Iterator[None]:
    """Makes the office's database that of the test itself."""
    with _used(office.database):
        yield


@contextmanager
def _used(database: Database) -> Iterator[None]:
    with database.use():
        yield
