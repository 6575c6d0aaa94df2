# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program's database: SQLite or PostgreSQL through Tortoise, and the program's own migrations.

Each program names its tables in a ``Schema`` and derives a ``Database`` that bears it. An open database belongs to
whoever holds it. Nothing global points at one, so that a portal, an office and a test can live in one process: ``use``
makes it the database of the running task.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient, NestedTransactionContext, TransactionalDBClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext, _current_context
from tortoise.exceptions import BaseORMException
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.writer import MigrationWriter
from tortoise.transactions import in_transaction

from portal.kit import postgresql
from portal.kit.addresses import SQLITE
from portal.kit.alone import LockedError, alone_at_file, alone_at_server
from portal.kit.postgresql import unhurried
from portal.kit.transactions import mend_transactions
from portal.kit.write_ahead_log import WriteAheadLog

# A commit is on the disk before anything is answered. What is deleted is overwritten, in the file itself:
# ``forget_deleted`` does it to the log. What SQLite puts aside stays in memory.
SQLITE_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "busy_timeout": 10_000,
    "secure_delete": "ON",
    "temp_store": "MEMORY",
}
STORAGE_ERRORS = (OSError, sqlite3.Error, BaseORMException, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a write raises that the disk or the server does not take."""
MIGRATION_HEAD = """# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
"""


class DatabaseError(Exception):
    """The database can't be opened or brought up to date."""


@dataclass(frozen=True)
class Schema:
    """What a program keeps: the modules of its models, the package of its migrations.

    ``app`` names both for Tortoise; stored migrations and connections bear it. ``sqlite_pragmas`` are set besides
    ``SQLITE_PRAGMAS``.
    """

    app: str
    models: tuple[str, ...]
    migrations: str
    sqlite_pragmas: Mapping[str, int | str]

    def config(self, url: str) -> dict[str, Any]:
        """Tortoise's configuration for ``url``.

        Tortoise keeps statements by the name of the connection, for the whole process. So each kind of database of each
        program has a name of its own, such as ``portal-sqlite``.
        """
        if url.startswith(SQLITE):
            # Not by Tortoise, which takes a path with ? or # in it for a shorter one.
            credentials = {"file_path": url.removeprefix(SQLITE), **SQLITE_PRAGMAS, **self.sqlite_pragmas}
            connection: dict[str, Any] = {"engine": "tortoise.backends.sqlite", "credentials": credentials}
        else:
            connection = expand_db_url(url)
        kind = connection["engine"].rpartition(".")[2]
        if kind == "asyncpg":
            connection["engine"] = postgresql.__name__
        name = f"{self.app}-{kind}"
        return {"connections": {name: connection}, "apps": self.apps(name), "use_tz": True, "timezone": "UTC"}

    def apps(self, connection: str) -> dict[str, dict[str, Any]]:
        """The part of Tortoise's configuration that names models and migrations."""
        app = {"models": list(self.models), "default_connection": connection, "migrations": self.migrations}
        return {self.app: app}


class Database:
    """An open database whose tables are as its program's migrations leave them."""

    schema: ClassVar[Schema]

    def __init__(self, context: TortoiseContext) -> None:
        self._context = context
        self._log: WriteAheadLog | None = None

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to ``url`` and apply the migrations that it lacks, one process at a time. Raises DatabaseError.

        The folder of an SQLite file is made if it is missing, for its owner only. The error names the kind of failure
        alone: what the library says may hold a part of the URL, and a URL may hold a password.
        """
        database = cls(TortoiseContext())
        try:
            with database.use(), unhurried():
                await database._bring_up_to_date(cls.schema.config(url))
        except DatabaseError:
            await database.close()
            raise
        except LockedError:
            await database.close()
            raise DatabaseError("another process has been bringing the database up to date for too long") from None
        except _opening_errors(url) as error:
            await database.close()
            raise DatabaseError(f"the database can't be opened ({type(error).__name__})") from error
        return database

    @contextmanager
    def use(self) -> Iterator[None]:
        """Make this the database of the running task, and of the tasks that it starts."""
        token = _used.set(self)
        try:
            with _in_context(self._context):
                yield
        finally:
            _used.reset(token)

    async def close(self) -> None:
        if self._log is not None:
            await self._log.close()
        with self.use():
            await self._context.close_connections()

    def _client(self) -> BaseDBAsyncClient:
        """The connection itself, also for a task that was started in a transaction."""
        client = self._context.db()
        return getattr(client, "_parent", client)

    async def _bring_up_to_date(self, config: dict[str, Any]) -> None:
        [file] = [each["credentials"].get("file_path") for each in config["connections"].values()]
        if file:
            Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # From the connecting on: one process at a time makes a file one with a write-ahead log.
            async with alone_at_file(file):
                await self._connect(config)
                await self._migrate()
        else:
            await self._connect(config)
            async with self._client().acquire_connection() as connection, alone_at_server(connection):
                await self._migrate()

    async def _migrate(self) -> None:
        executor = MigrationExecutor(self._context.db(), self.schema.apps(self._context.db().connection_name))
        await executor.migrate([MigrationTarget(self.schema.app, "__latest__")], direction="forward")
        if set(await executor.recorder.applied_migrations()) - executor.loader.graph.nodes.keys():
            raise DatabaseError("the database is one of a later version of this program")
        # What was deleted before a crash.
        await forget_deleted()

    async def _connect(self, config: dict[str, Any]) -> None:
        for connection in config["connections"].values():
            if file := connection["credentials"].get("file_path"):
                # What can't be opened fails here: aiosqlite leaves a thread that fails when the program ends.
                sqlite3.connect(file).close()
                self._log = WriteAheadLog(file, lambda: self._client().acquire_connection())
        await self._context.init(config=config)
        # Tortoise connects under a lock that it keeps when connecting fails: so connect before anything waits.
        await self._context.db().create_connection(with_db=True)
        mend_transactions(self._context.db())
        if self._log is not None:
            async with self._client().acquire_connection() as connection:
                # One damaged text must not hide the rows beside it.
                connection.text_factory = partial(str, encoding="utf-8", errors="replace")


def _opening_errors(url: str) -> tuple[type[Exception], ...]:
    """Tortoise hands on as they are what a server of PostgreSQL refuses, such as a wrong password."""
    if url.startswith(SQLITE):
        return STORAGE_ERRORS
    # Imported late: a program on SQLite does without.
    from asyncpg import InterfaceError, PostgresError

    return (*STORAGE_ERRORS, PostgresError, InterfaceError)


_used: ContextVar[Database] = ContextVar("database")


async def forget_deleted() -> None:
    """After something was deleted that must not stay, or replaced: see that it is in no file of the database any more.

    SQLite's write-ahead log is emptied: at once, or as soon as no reader and no transaction holds it. PostgreSQL has no
    way to: deleted rows stay in its files until they are vacuumed, and in its log until that is used again.
    """
    database = _used.get()
    if database._log is None:
        return
    if isinstance(database._context.db(), TransactionalDBClient):
        database._log.empty_later()
    else:
        await database._log.empty()


@asynccontextmanager
async def transaction() -> AsyncIterator[TransactionalDBClient]:
    """One durable transaction on the running task's database; within another one, a part of it that can fail alone.

    Nothing was written when it raises, also when it is the commit that fails. On SQLite nobody else writes meanwhile:
    who reads and then writes would fail if somebody had written in between.
    """
    context = in_transaction()
    async with context as client:
        yield client
        if not isinstance(context, NestedTransactionContext):
            # Committed here and not by the context, which would leave the transaction open when the commit fails.
            await client.commit()


async def pending_migrations(schema: Schema) -> list[MigrationWriter]:
    """What the models have and the migrations lack."""
    context = TortoiseContext()
    with _in_context(context):
        await context.init(config=schema.config("sqlite://:memory:"))
        assert context.apps is not None
        for model in context.apps[schema.app].values():
            # Tortoise makes a comment of the docstring and then splits the statement at its semicolons.
            model._meta.table_description = ""
        writers = await MigrationAutodetector(context.apps, schema.apps(f"{schema.app}-sqlite")).changes()
        await context.close_connections()
    return writers


async def write_migrations(schema: Schema) -> list[Path]:
    """Write what the models have and the migrations lack as the next migration; its path, or nothing."""
    writers = await pending_migrations(schema)
    for writer in writers:
        writer.path().write_text(MIGRATION_HEAD + writer.as_string(), encoding="utf-8")
    return [writer.path() for writer in writers]


def make_migrations(schema: Schema) -> int:
    """The command ``makemigrations`` of both programs: print the path of what was written, or that nothing was."""
    paths = asyncio.run(write_migrations(schema))
    for path in paths:
        print(path)
    if not paths:
        print(f"{schema.app}: the migrations have everything that the models have.")
    return 0


@contextmanager
def _in_context(context: TortoiseContext) -> Iterator[None]:
    """The context's own ``with`` remembers one entry only; requests overlap, so each sets the variable for itself."""
    token = _current_context.set(context)
    try:
        yield
    finally:
        _current_context.reset(token)
