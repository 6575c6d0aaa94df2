# SPDX-License-Identifier: AGPL-3.0-or-later
"""A transaction that can't begin leaves nothing behind: the next one goes on, in the same task too."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from portal.kit.database import transaction
from portal.storage.database import Database
from tests.postgres import Postgres
from tests.waiting import SECONDS_MAX

ONE = "SELECT 1 AS one"
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(f"sqlite://{tmp_path / 'test.sqlite3'}")
    yield database
    await database.close()


async def one() -> int:
    async with transaction() as client:
        (row,) = await client.execute_query_dict(ONE)
        found: int = row["one"]
        return found


async def patience(milliseconds: int) -> None:
    """How long SQLite waits for another writer."""
    async with transaction() as client:
        await client.execute_query(f"PRAGMA busy_timeout = {milliseconds}")


@contextmanager
def another_writer(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_one_that_another_writer_keeps_out(database: Database, tmp_path: Path) -> None:
    with database.use():
        await patience(0)
        with another_writer(tmp_path / "test.sqlite3"):
            for _ in range(2):
                with pytest.raises(OperationalError):
                    await one()
            with pytest.raises(OperationalError):
                async with in_transaction():
                    pass
        async with asyncio.timeout(SECONDS_MAX):
            assert await one() == 1


async def test_one_that_is_cancelled_while_it_begins(database: Database, tmp_path: Path) -> None:
    with database.use():
        await patience(1000 * SECONDS_MAX)
        with another_writer(tmp_path / "test.sqlite3"):
            waiting = asyncio.create_task(one())
            # To where the library's own thread waits for the file.
            for _ in range(10):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(SECONDS_MAX):
            assert await one() == 1
        # What was begun is over: another one can write.
        with another_writer(tmp_path / "test.sqlite3"):
            pass


async def test_one_whose_server_is_away(own_postgres: Postgres) -> None:
    with own_postgres.database() as url:
        database = await Database.open(url)
        with database.use():
            assert await one() == 1
            own_postgres.pause()
            # More often than the pool has connections.
            for _ in range(8):
                with pytest.raises(AWAY):
                    await one()
            own_postgres.serve()
            async with asyncio.timeout(SECONDS_MAX):
                assert [await one() for _ in range(8)] == [1] * 8
        await database.close()


async def test_one_whose_server_goes_in_the_middle(own_postgres: Postgres) -> None:
    with own_postgres.database() as url:
        database = await Database.open(url)
        with database.use():
            with pytest.raises(AWAY):
                async with transaction() as client:
                    own_postgres.pause()
                    await client.execute_query(ONE)
            own_postgres.serve()
            async with asyncio.timeout(SECONDS_MAX):
                assert await one() == 1
        await database.close()
