# SPDX-License-Identifier: AGPL-3.0-or-later
"""A desk with an empty database for each test; one on each kind of database for those that ask for ``any_desk``."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from oversight.storage import Database
from tests.oversight.cases.desk import Desk
from tests.people import World, settle_office


@pytest.fixture
async def database(world: World, tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(f"sqlite://{tmp_path / 'office.sqlite3'}")
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
