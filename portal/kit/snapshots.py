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
"""Rows of a statement, as they were at the moment of the snapshot."""
SQLITE_KIND, POSTGRESQL_KIND = "sqlite", "postgresql"
LOADING = ".loading"
BUSY_SECONDS = 10.0
_MIGRATION = "SELECT max(name) FROM tortoise_migrations WHERE app = '{}'"
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"


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

    @asynccontextmanager
    async def snapshot(self, target: Path) -> AsyncIterator[Read]:
        """Write the snapshot to ``target``, an empty file, and read rows of it. Raises BackupError, OSError."""
        with _told():
            if self.kind == SQLITE_KIND:
                _copy_sqlite(self.file, target, self.left_out)
                with closing(_open_sqlite(target)) as copy:
                    yield partial(_read_sqlite, copy)
                return
            connection = await connect(self.url)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    moment = await connection.fetchval("SELECT pg_export_snapshot()")
                    left_out = [f"--exclude-table-data={table}" for table in self.left_out]
                    await run_program("pg_dump", self.url, "-Fc", f"--snapshot={moment}", f"--file={target}", *left_out)
                    yield connection.fetch
            finally:
                await connection.close()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Read]:
        """Read rows as they are now. Raises BackupError."""
        with _told():
            if self.kind == SQLITE_KIND:
                with closing(_open_sqlite(self.file)) as live:
                    yield partial(_read_sqlite, live)
                return
            connection = await connect(self.url)
            try:
                yield connection.fetch
            finally:
                await connection.close()

    async def newest_migration(self, read: Read) -> str:
        """The newest step to its form that the database has taken. Raises BackupError when it is no such database."""
        [[name]] = await read(_MIGRATION.format(self.app))
        if not name:
            raise BackupError("the database is not of this program: it has none of its migrations")
        return str(name)

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

    def undo(self) -> None:
        """Remove a file of SQLite that was loaded. PostgreSQL's database is loaded last, or not at all."""
        if self.kind == SQLITE_KIND:
            for file in self._files():
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [self.file.with_name(self.file.name + ending) for ending in ("", "-wal", "-shm", "-journal")]

    async def load(self, dump: Path) -> None:
        """Bring a snapshot into the empty database: all of it or nothing. SQLite's becomes the file itself."""
        if self.kind == SQLITE_KIND:
            _rename(dump, self.file)
            return
        options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
        await run_program("pg_restore", self.url, *options, "--dbname", database_name(self.url), str(dump))


@asynccontextmanager
async def passing_database(url: str) -> AsyncIterator[str]:
    """The URL of an empty database of PostgreSQL on the server of ``url``, dropped at the end. Raises BackupError."""
    name = f"amparo_exercise_{token_hex(8)}"
    connection = await connect(url)
    try:
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        except asyncpg.PostgresError as error:
            said = type(error).__name__
            raise BackupError(f"no database for the exercise can be made on the server ({said})") from None
        try:
            yield with_database(url, name)
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


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
