# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's database: SQLite or PostgreSQL through Tortoise and its own migrations.

An open database belongs to whoever holds it. Nothing global points at one, so that a portal, an office and a test can
live in one process: ``use`` makes it the database of the running task.
"""

import errno
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext, _current_context
from tortoise.exceptions import BaseORMException, IntegrityError
from tortoise.transactions import in_transaction

from portal.storage.errors import DatabaseError, DuplicateError, StorageFullError

if TYPE_CHECKING:
    from tortoise.migrations.writer import MigrationWriter

APP = "portal"
MODELS = "portal.storage.records"
MIGRATIONS = "portal.storage.migrations"

# A commit is on the disk before it is acknowledged. A checkpoint comes every 4,000 pages, and the log keeps its length
# up to 64 MiB: growing a file costs a sync more than writing over it does. What is deleted is overwritten.
SQLITE_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "busy_timeout": 10_000,
    "wal_autocheckpoint": 4_000,
    "journal_size_limit": 64 * 1024 * 1024,
    "secure_delete": "ON",
}
MIGRATION_HEAD = """# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
"""
POSTGRESQL_DISK_FULL = "53100"
FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT)


class Database:
    """An open database whose schema is up to date."""

    def __init__(self, context: TortoiseContext) -> None:
        self._context = context

    @classmethod
    async def open(cls, url: str) -> "Database":
        """Connect to ``url`` and apply the migrations that are due. Raises DatabaseError."""
        database = cls(TortoiseContext())
        try:
            with database.use():
                await database._context.init(config=database_config(url))
                # Tortoise connects under a lock that it keeps when connecting fails: so connect before anything waits.
                await database._context.db().create_connection(with_db=True)
                await _migrate(database._context.db())
        except (BaseORMException, OSError, sqlite3.Error) as error:
            await database.close()
            raise DatabaseError(f"the database can't be opened ({type(error).__name__})") from error
        return database

    @contextmanager
    def use(self) -> Iterator[None]:
        """Make this the database of the running task, and of the tasks that it starts.

        The context's own ``with`` remembers one entry only; requests overlap, so each sets the variable for itself.
        """
        token = _current_context.set(self._context)
        try:
            yield
        finally:
            _current_context.reset(token)

    async def close(self) -> None:
        with self.use():
            await self._context.close_connections()


@asynccontextmanager
async def transaction() -> AsyncIterator[TransactionalDBClient]:
    """One durable transaction on the running task's database.

    Raises DuplicateError when a unique key is there already and StorageFullError when there is no room; in both cases
    nothing of the transaction was written.
    """
    try:
        async with in_transaction() as client:
            yield client
            # Committed here and not by the context, which would leave the transaction open when the commit fails.
            await client.commit()
    except IntegrityError:
        raise DuplicateError from None
    except Exception as error:
        if _is_full(error):
            raise StorageFullError from error
        raise


def database_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for ``url``.

    Tortoise keeps statements by the name of the connection, for the whole process. So each kind of database has a name
    of its own.
    """
    connection = expand_db_url(url)
    kind = connection["engine"].rpartition(".")[2]
    if kind == "sqlite":
        connection["credentials"].update(SQLITE_PRAGMAS)
    name = f"{APP}-{kind}"
    return {"connections": {name: connection}, "apps": {APP: _app_config(name)}, "use_tz": True, "timezone": "UTC"}


async def write_migrations() -> list[Path]:
    """Write what the models have and the migrations lack as the next migration; its path, or nothing."""
    writers = await pending_migrations()
    for writer in writers:
        writer.path().write_text(MIGRATION_HEAD + writer.as_string(), encoding="utf-8")
    return [writer.path() for writer in writers]


async def pending_migrations() -> list["MigrationWriter"]:
    """What the models have and the migrations lack."""
    from tortoise.migrations.autodetector import MigrationAutodetector

    context = TortoiseContext()
    with Database(context).use():
        await context.init(config=database_config("sqlite://:memory:"))
        assert context.apps is not None
        for model in context.apps[APP].values():
            # Tortoise makes a comment of the docstring and then splits the statement at its semicolons.
            model._meta.table_description = ""
        writers = await MigrationAutodetector(context.apps, {APP: _app_config(f"{APP}-sqlite")}).changes()
        await context.close_connections()
    return writers


def _app_config(connection: str) -> dict[str, Any]:
    return {"models": [MODELS], "default_connection": connection, "migrations": MIGRATIONS}


async def _migrate(client: BaseDBAsyncClient) -> None:
    from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

    executor = MigrationExecutor(client, {APP: _app_config(client.connection_name)})
    await executor.migrate([MigrationTarget(APP, "__latest__")], direction="forward")


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        if getattr(error, "sqlstate", None) == POSTGRESQL_DISK_FULL:
            return True
        if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
            return True
        first = error.args[0] if error.args else None
        error = error.__cause__ or error.__context__ or (first if isinstance(first, BaseException) else None)
    return False
