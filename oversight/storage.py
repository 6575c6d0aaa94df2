# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's database: SQLite or PostgreSQL through Tortoise and its own migrations.

An open database is a context that belongs to whoever holds it. Nothing global points at one, so that an office, a
portal and a test can live in one process: ``use`` makes it the database of the running task.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext, _current_context
from tortoise.exceptions import BaseORMException
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.writer import MigrationWriter

APP = "oversight"
MIGRATIONS = "oversight.migrations"
MODELS = (
    "oversight.commission.records",
    "oversight.founding.records",
    "oversight.members.records",
    "oversight.reports.records",
    "oversight.letters.records",
    "oversight.ledger.records",
    "oversight.cases.records",
    "oversight.findings.records",
)

# A commit is on the disk before anything is answered. What is deleted is overwritten: sessions, drafts, old keyrings.
SQLITE_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "busy_timeout": 10_000,
    "journal_size_limit": 16 * 1024 * 1024,
    "secure_delete": "ON",
}

_HEADER = "# SPDX-License-Identifier: AGPL-3.0-or-later\n# ruff: noqa\n# fmt: off\n# mypy: ignore-errors\n"


class DatabaseError(Exception):
    """The database can't be opened or brought up to date."""


class Database:
    """An open database whose schema is up to date."""

    def __init__(self, context: TortoiseContext) -> None:
        self._context = context

    @classmethod
    async def open(cls, url: str) -> "Database":
        """Connect to ``url`` and apply the migrations that are due. Raises DatabaseError."""
        context = TortoiseContext()
        database = cls(context)
        try:
            with database.use():
                await context.init(config=database_config(url))
                # Tortoise connects under a lock that it keeps when connecting fails: so connect before anything waits.
                await context.db().create_connection(with_db=True)
                await _migrate(context)
        except (BaseORMException, OSError, sqlite3.Error) as error:
            await database.close()
            raise DatabaseError(f"the database can't be opened: {error}") from error
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


def database_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration.

    Tortoise keeps statements by the name of the connection, for the whole process. So each kind of database has a name
    of its own.
    """
    connection = expand_db_url(url)
    kind = connection["engine"].rpartition(".")[2]
    if kind == "sqlite":
        Path(connection["credentials"]["file_path"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection["credentials"].update(SQLITE_PRAGMAS)
    name = f"{APP}-{kind}"
    return {"connections": {name: connection}, "apps": {APP: _app_config(name)}, "use_tz": True, "timezone": "UTC"}


async def write_migration() -> list[Path]:
    """Write what the models have and the migrations lack as the next migration; its path, or nothing."""
    paths = []
    for writer in await pending_changes():
        path = writer.path()
        path.write_text(_HEADER + writer.as_string(), encoding="utf-8")
        paths.append(path)
    return paths


async def pending_changes() -> list[MigrationWriter]:
    """What the models have and the migrations lack."""
    context = TortoiseContext()
    with Database(context).use():
        await context.init(config=database_config("sqlite://:memory:"))
        assert context.apps is not None
        for models in context.apps.values():
            for model in models.values():
                # Tortoise makes a comment of the docstring and then splits the statement at its semicolons.
                model._meta.table_description = ""
        writers = await MigrationAutodetector(context.apps, {APP: _app_config(f"{APP}-sqlite")}).changes()
        await context.close_connections()
    return writers


def _app_config(connection: str) -> dict[str, Any]:
    return {"models": list(MODELS), "default_connection": connection, "migrations": MIGRATIONS}


async def _migrate(context: TortoiseContext) -> None:
    client = context.db()
    executor = MigrationExecutor(client, {APP: _app_config(client.connection_name)})
    await executor.migrate([MigrationTarget(APP, "__latest__")], direction="forward")
