# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office of the test commission, driven over ASGI as a browser would drive it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.settings import Settings
from oversight.storage import Database
from oversight.web.rendering import PageKit, load_page_kit
from tests.oversight.case_desk import Desk
from tests.oversight.office import OFFICE_ORIGIN, Clock, Office
from tests.oversight.portals import Portal, running_portal
from tests.people import PORTAL_ORIGIN, World, found_test_commission, settle_office
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def world() -> World:
    return found_test_commission()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for the built styles, on which the contents of pages do not depend."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "office.css").write_text("/* stand-in */")
    return folder


@pytest.fixture(scope="session", autouse=True)
def page_kits() -> Iterator[None]:
    """Offices with the same styles share catalogs and compiled templates, instead of loading them for every test."""
    kits: dict[Path, PageKit] = {}

    def load(settings: Settings) -> PageKit:
        if settings.static not in kits:
            kits[settings.static] = load_page_kit(settings)
        return kits[settings.static]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oversight.app.load_page_kit", load)
        yield


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office's SQLite file with all migrations applied, to be copied: applying them takes a third of a second."""
    path = tmp_path_factory.mktemp("database") / "office.sqlite3"
    _migrate(f"sqlite://{path}")
    return path


@pytest.fixture(scope="session")
def empty_on_postgres(postgres: Postgres) -> Iterator[str]:
    """The same on PostgreSQL: its URL."""
    with postgres.database() as url:
        _migrate(url)
        yield url


def _migrate(url: str) -> None:
    async def make() -> None:
        database = await Database.open(url)
        await database.close()

    asyncio.run(make())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Iterator[str]:
    """The URL of an office's database without rows, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite://{shutil.copy(empty_database, tmp_path / 'test.sqlite3')}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(request.getfixturevalue("empty_on_postgres")) as url:
        yield url


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


@pytest.fixture
async def database(world: World, tmp_path: Path, empty_database: Path) -> AsyncIterator[Database]:
    database = await Database.open(f"sqlite://{shutil.copy(empty_database, tmp_path)}")
    with database.use():
        await settle_office(world, tmp_path / "secrets")
    yield database
    await database.close()


@pytest.fixture
async def any_database(database_url: str, world: World, tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(database_url)
    with database.use():
        await settle_office(world, tmp_path / "secrets")
    yield database
    await database.close()


@pytest.fixture
def desk(database: Database, world: World) -> Iterator[Desk]:
    # Not in the fixture that opens the database: what a coroutine sets in its context does not reach the test.
    with database.use():
        yield Desk(world)


@pytest.fixture
def any_desk(any_database: Database, world: World) -> Iterator[Desk]:
    with any_database.use():
        yield Desk(world)
