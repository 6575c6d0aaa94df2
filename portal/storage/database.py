# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's database: what is in it, and transactions that say why they failed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tortoise.backends.base.client import TransactionalDBClient
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
        if why_unwritable(error) is Unwritable.FULL:
            raise StorageFullError from error
        raise
