# SPDX-License-Identifier: AGPL-3.0-or-later
"""A database at one moment, in one file, while the program goes on; and the way back into an empty database.

SQLite writes it with ``VACUUM INTO``: as a reader, whom no writer waits for, and without what was deleted. PostgreSQL
writes it with ``pg_dump``, from the same snapshot in which rows are read here. Rows of the tables ``left_out`` are not
in it.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import asyncpg

from portal.kit.addresses import SQLITE
from portal.kit.backup_form import BackupError
from portal.kit.files import sync_folder
from portal.kit.postgresql_programs import connect, database_name, run_program, with_database

Row = Sequence[Any]
Read = Callable[[str], Awaitable[list[Row]]]
"""The rows of a statement."""
SQLITE_KIND, POSTGRESQL_KIND = "sqlite", "postgresql"
LOADING = ".loading"
BUSY_SECONDS = 10.0
_MIGRATION = "SELECT max(name) FROM tortoise_migrations WHERE app = '{}'"
_REPORTS = "SELECT count(*) FROM submission"
_ONE_MOMENT = {"isolation": "repeatable_read", "readonly": True}
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"


@dataclass(frozen=True)
class Snapshot:
    """What was read of it: its newest migration, how many reports it has, the rows that were asked for."""

    migration: str
    reports: int
    rows: list[Row]


@dataclass(frozen=True)
class StoredDatabase:
    """The database of a program: its URL, and the tables whose rows go into no backup."""

    app: str
    url: str
    left_out: tuple[str, ...]

    @property
    def kind(self) -> str:
        return SQLITE_KIND if self.url.startswith(SQLITE) else POSTGRESQL_KIND

    @property
    def file(self) -> Path:
        """The file of SQLite."""
        return Path(self.url.removeprefix(SQLITE))

    async def snapshot(self, target: Path, statement: str) -> Snapshot:
        """Write the database to ``target``, an empty file, and read the rows of a statement as they are in it.

        Raises BackupError, and OSError.
        """
        with _told():
            if self.kind == SQLITE_KIND:
                _copy_sqlite(self.file, target, self.left_out)
                with closing(_open_sqlite(target)) as copy:
                    return await self._read(partial(_read_sqlite, copy), statement)
            async with _connection(self.url) as connection, connection.transaction(**_ONE_MOMENT):
                moment = await connection.fetchval("SELECT pg_export_snapshot()")
                left_out = [f"--exclude-table-data={table}" for table in self.left_out]
                await run_program("pg_dump", self.url, "-Fc", f"--snapshot={moment}", f"--file={target}", *left_out)
                return await self._read(connection.fetch, statement)

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Read]:
        """Read rows as they are now. Raises BackupError."""
        with _told():
            if self.kind == SQLITE_KIND:
                with closing(_open_sqlite(self.file)) as live:
                    yield partial(_read_sqlite, live)
            else:
                async with _connection(self.url) as connection:
                    yield connection.fetch

    async def _read(self, read: Read, statement: str) -> Snapshot:
        [[migration]] = await read(_MIGRATION.format(self.app))
        if not migration:
            raise BackupError("the database is not of this program: it has none of its migrations")
        [[reports]] = await read(_REPORTS)
        return Snapshot(str(migration), int(reports), await read(statement))

    async def check_empty(self) -> None:
        """Raise BackupError unless there is no SQLite file, or nothing in PostgreSQL's database."""
        if self.kind == SQLITE_KIND:
            for file in self._files():
                if file.exists():
                    raise BackupError(f"{file} is there already; a restore needs an empty place")
            return
        async with self.reader() as read:
            [[tables]] = await read(_TABLES)
        if tables:
            raise BackupError("the database of the settings is not empty; a restore needs an empty one")

    async def find_damage(self) -> list[str]:
        """What SQLite finds wrong with its file, a line each; PostgreSQL has no such check."""
        if self.kind != SQLITE_KIND:
            return []
        async with self.reader() as read:
            return [f"database: {line}" for [line] in await read("PRAGMA integrity_check") if line != "ok"]

    def dump_in(self, data: Path) -> Path:
        """Where a snapshot lies before it is loaded: in the folder ``data``, or beside the file of SQLite."""
        return self.file.with_name(f"{self.file.name}{LOADING}") if self.kind == SQLITE_KIND else data / LOADING

    @asynccontextmanager
    async def loaded(self, dump: Path) -> AsyncIterator[None]:
        """Bring a snapshot into the empty database: all of it or nothing. SQLite's becomes the file itself.

        That is taken back after an error of the body; what PostgreSQL has is not. Raises BackupError, and OSError.
        """
        if self.kind != SQLITE_KIND:
            options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
            await run_program("pg_restore", self.url, *options, "--dbname", database_name(self.url), str(dump))
            yield
            return
        await self.check_empty()
        _rename(dump, self.file)
        try:
            yield
        except BaseException:
            for file in self._files():
                file.unlink(missing_ok=True)
            raise

    def copy_bytes(self) -> int:
        """As much room as a snapshot takes at the most, as far as it is known before. Raises OSError."""
        return self.file.stat().st_size if self.kind == SQLITE_KIND else 0

    def _files(self) -> list[Path]:
        return [self.file.with_name(self.file.name + ending) for ending in ("", "-wal", "-shm", "-journal")]


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def passing_database(url: str) -> AsyncIterator[str]:
    """The URL of an empty database of PostgreSQL on the server of ``url``, dropped at the end. Raises BackupError."""
    name = f"amparo_exercise_{token_hex(8)}"
    async with _connection(url) as connection:
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        except asyncpg.PostgresError as error:
            said = type(error).__name__
            raise BackupError(f"no database for the exercise can be made on the server ({said})") from None
        try:
            yield with_database(url, name)
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _copy_sqlite(file: Path, target: Path, left_out: Sequence[str]) -> None:
    with closing(_open_sqlite(file)) as live:
        live.execute("VACUUM INTO ?", (str(target),))
    with closing(_open_sqlite(target)) as copy:
        # What is deleted is overwritten, and no journal keeps it.
        copy.execute("PRAGMA secure_delete = ON")
        copy.execute("PRAGMA journal_mode = MEMORY")
        for table in left_out:
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of our own


def _open_sqlite(file: Path) -> sqlite3.Connection:
    """Open a file that is there: none is made."""
    connection = sqlite3.connect(
        f"file:{quote(str(file))}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    # One damaged text must not hide the rows beside it.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    return connection


def _rename(file: Path, place: Path) -> None:
    file.rename(place)
    sync_folder(place.parent)


async def _read_sqlite(connection: sqlite3.Connection, statement: str) -> list[Row]:
    return connection.execute(statement).fetchall()


@contextmanager
def _told() -> Iterator[None]:
    """By its kind alone: what a library says may quote rows, or the address of a database."""
    try:
        yield
    except sqlite3.Error as error:
        raise BackupError(f"the database can't be read or copied ({error.sqlite_errorname})") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupError(f"the database can't be read or copied ({type(error).__name__})") from error
