# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program's database, by a program that has one table."""

import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tortoise.context import get_current_context

from portal.kit import alone
from portal.kit.database import (
    SQLITE_PRAGMAS,
    Database,
    DatabaseError,
    Schema,
    pending_migrations,
    transaction,
    write_migrations,
)
from portal.kit.in_database import InDatabase
from portal.kit.unwritable import Unwritable, why_unwritable

RECORDS = """from tortoise import fields
from tortoise.models import Model


class Bird(Model):
    '''A bird; its name.'''

    name = fields.CharField(32, primary_key=True)
"""
SCHEMA = Schema("aviary", ("aviary.records",), "aviary.migrations", {"wal_autocheckpoint": 77})


class Aviary(Database):
    schema = SCHEMA


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program ``aviary``, whose first migration has not been written."""
    package = tmp_path / "aviary"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "migrations" / "__init__.py").touch()
    (package / "records.py").write_text(RECORDS)
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "aviary"]:
        del sys.modules[name]


async def test_a_pending_change_is_written_once_and_applied_at_the_next_opening(package: Path, tmp_path: Path) -> None:
    written = await write_migrations(SCHEMA)
    assert [path.parent for path in written] == [package / "migrations"]
    assert written[0].read_text().startswith("# SPDX-License-Identifier: AGPL-3.0-or-later\n")
    assert await write_migrations(SCHEMA) == await pending_migrations(SCHEMA) == []
    database = await Aviary.open(f"sqlite://{tmp_path}/missing/aviary.sqlite3")
    await database.close()
    with sqlite3.connect(tmp_path / "missing" / "aviary.sqlite3") as file:
        assert file.execute("SELECT count(*) FROM bird").fetchone() == (0,)
    assert (tmp_path / "missing").stat().st_mode & 0o777 == 0o700


def test_a_program_adds_pragmas_of_its_own_and_connections_bear_its_name() -> None:
    config = SCHEMA.config("sqlite:///x.sqlite3")
    ((name, connection),) = config["connections"].items()
    assert name == "aviary-sqlite"
    assert {**SQLITE_PRAGMAS, "wal_autocheckpoint": 77}.items() <= connection["credentials"].items()
    assert set(SCHEMA.config("asyncpg://a:b@c/d")["connections"]) == {"aviary-asyncpg"}


async def test_an_error_tells_nothing_of_the_url(package: Path) -> None:
    await write_migrations(SCHEMA)
    for url in ("quokka://a:wombat@c/d", "asyncpg://a:wom/bat@127.0.0.1:1/d", "asyncpg://a:wombat@127.0.0.1:1/d"):
        with pytest.raises(DatabaseError) as refused:
            await Aviary.open(url)
        assert not [part for part in ("quokka", "wom", "bat", "127") if part in str(refused.value)]


async def test_a_database_is_used_within_use_and_no_longer(package: Path, tmp_path: Path) -> None:
    await write_migrations(SCHEMA)
    one, other = [await Aviary.open(f"sqlite://{tmp_path / name}.sqlite3") for name in ("one", "other")]
    assert get_current_context() is None
    with one.use():
        outer = get_current_context()
        with other.use(), one.use():
            assert get_current_context() is outer
        assert get_current_context() is outer
    assert get_current_context() is None
    await one.close()
    await other.close()


async def test_a_request_has_the_database_of_its_application(package: Path, tmp_path: Path) -> None:
    await write_migrations(SCHEMA)

    async def answer(request: Request) -> PlainTextResponse:
        inside = get_current_context()
        with request.app.state.database.use():
            return PlainTextResponse(str(inside is get_current_context()))

    app = Starlette(routes=[Route("/", answer)], middleware=[Middleware(InDatabase)])
    app.state.database = await Aviary.open(f"sqlite://{tmp_path}/aviary.sqlite3")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://aviary") as client:
        assert (await client.get("/")).text == "True"
    assert get_current_context() is None
    await app.state.database.close()


TABLES = """CREATE TABLE cage (name TEXT PRIMARY KEY);
CREATE TABLE egg (cage TEXT REFERENCES cage DEFERRABLE INITIALLY DEFERRED);"""
LAY = "INSERT INTO egg VALUES ('none')"
BUILD = "INSERT INTO cage VALUES ('none')"


@pytest.fixture
async def aviary(package: Path, tmp_path: Path) -> AsyncIterator[Aviary]:
    """An open database with two tables more, of which one is checked at the commit."""
    await write_migrations(SCHEMA)
    database = await Aviary.open(f"sqlite://{tmp_path}/aviary.sqlite3")
    with database.use():
        async with transaction() as client:
            await client.execute_script(TABLES)
    yield database
    await database.close()


async def eggs() -> int:
    async with transaction() as client:
        return len(await client.execute_query_dict("SELECT * FROM egg"))


async def test_a_commit_that_fails_leaves_nothing_and_the_next_transaction_goes_on(aviary: Aviary) -> None:
    with aviary.use():
        with pytest.raises(sqlite3.IntegrityError):
            async with transaction() as client:
                await client.execute_query(LAY)
        assert await eggs() == 0
        async with transaction() as client:
            await client.execute_query(LAY)
            await client.execute_query(BUILD)
        assert await eggs() == 1


async def test_a_transaction_within_another_fails_alone_and_is_committed_with_it(aviary: Aviary) -> None:
    with aviary.use():
        async with transaction() as outer:
            await outer.execute_query(BUILD)
            async with transaction() as inner:
                await inner.execute_query(LAY)
            with pytest.raises(ZeroDivisionError):
                async with transaction() as inner:
                    await inner.execute_query(LAY)
                    raise ZeroDivisionError
        assert await eggs() == 1
        with pytest.raises(ZeroDivisionError):
            async with transaction() as outer:
                async with transaction() as inner:
                    await inner.execute_query(LAY)
                raise ZeroDivisionError
        assert await eggs() == 1


@pytest.mark.parametrize("kept", [0, 4096])
def test_a_file_that_is_no_database_any_more_is_a_disk_that_fails(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "damaged.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE row (text)")
        connection.executemany("INSERT INTO row VALUES (?)", [("x" * 100,)] * 1000)
        connection.commit()
    whole = file.read_bytes()
    file.write_bytes(whole[:kept] + b"\xa5" * (len(whole) - kept))
    with closing(sqlite3.connect(file)) as connection, pytest.raises(sqlite3.DatabaseError) as caught:
        connection.execute("SELECT * FROM row").fetchall()
    assert why_unwritable(caught.value) is Unwritable.FAILING


async def test_who_waits_too_long_for_another_to_migrate_is_told_so(
    package: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_migrations(SCHEMA)
    monkeypatch.setattr(alone, "WAIT_SECONDS_MAX", 0.0)
    async with AsyncExitStack() as held:
        if empty_database_url.startswith("sqlite"):
            await held.enter_async_context(alone.alone_at_file(empty_database_url.removeprefix("sqlite://")))
        else:
            connection = await asyncpg.connect(empty_database_url.replace("asyncpg", "postgresql"))
            held.push_async_callback(connection.close)
            await held.enter_async_context(alone.alone_at_server(connection))
        with pytest.raises(DatabaseError, match="another process"):
            await Aviary.open(empty_database_url)
    await (await Aviary.open(empty_database_url)).close()
