# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's database: what is in it, and transactions that say why they failed."""

import errno
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.exceptions import IntegrityError

from portal.kit import database
from portal.storage.errors import DuplicateError, StorageFullError

# A checkpoint comes every 4,000 pages, and the log keeps its length up to 64 MiB: growing a file costs a sync more than
# writing over it does.
SCHEMA = database.Schema(
    app="portal",
    models=("portal.storage.records",),
    migrations="portal.storage.migrations",
    sqlite_pragmas={"wal_autocheckpoint": 4_000, "journal_size_limit": 64 * 1024 * 1024},
)
POSTGRESQL_DISK_FULL = "53100"
FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT)


class Database(database.Database):
    """The portal's database, open and up to date."""

    schema = SCHEMA


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
        if _is_full(error):
            raise StorageFullError from error
        raise


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
