# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's database: what is in it, and transactions that say why they failed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError

from portal.kit import database
from portal.kit.unwritable import Unwritable, why_unwritable
from portal.storage.errors import DuplicateError, StorageFullError

# A checkpoint comes every 4,000 pages, and the log keeps its length up to 64 MiB: growing a file costs a sync more than
# writing over it does.
SCHEMA = database.Schema(
    app="portal",
    models=("portal.storage.records",),
    migrations="portal.storage.migrations",
    sqlite_pragmas={"wal_autocheckpoint": 4_000, "journal_size_limit": 64 * 1024 * 1024},
)
_FREED = "SELECT freelist_count * page_size AS freed FROM pragma_freelist_count, pragma_page_size"


class Database(database.Database):
    """The portal's database, open and up to date."""

    schema = SCHEMA


def connection() -> BaseDBAsyncClient:
    """The running task's database, for statements of one's own."""
    [client] = get_connections().all()
    return client


async def freed_bytes() -> int:
    """Bytes of SQLite's file that hold nothing any more: rows can use them, and nobody else. 0 on PostgreSQL."""
    if connection().capabilities.dialect != "sqlite":
        return 0
    [row] = await connection().execute_query_dict(_FREED)
    return int(row["freed"])


@asynccontextmanager
async def transaction() -> AsyncIterator[TransactionalDBClient]:
    """One durable transaction on the running task's database.

    Raises DuplicateError when a unique key is there already and StorageFullError when there is no room; in both cases
    nothing of the transaction was written.
    """
    try:
        async with database.transaction() as client:
            yield client
    except IntegrityError:
        raise DuplicateError from None
    except Exception as error:
        if why_unwritable(error) is Unwritable.FULL:
            raise StorageFullError from error
        raise


async def server_time() -> datetime | None:
    """What the clock of a PostgreSQL server says; None for SQLite, which has that of this machine."""
    if connection().capabilities.dialect == "sqlite":
        return None
    [row] = await connection().execute_query_dict("SELECT now() AS now")
    return cast(datetime, row["now"])
