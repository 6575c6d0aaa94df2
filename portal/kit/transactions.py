# SPDX-License-Identifier: AGPL-3.0-or-later
"""Transactions that leave nothing behind when they can't even begin.

Tortoise's own enter the task's context before the first statement, and don't leave it when that fails: because the
server is away, the disk takes nothing, or the task was cancelled. From then on the task would write into a transaction
that is over, and on SQLite nobody would get the connection's lock again.
"""

import sqlite3
import sys
from typing import Any, cast

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient, TransactionContextPooled
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError


def mend_transactions(client: BaseDBAsyncClient) -> None:
    """Make all outermost transactions of an open connection those of this module, also Tortoise's own."""
    each = cast(Any, client)
    if isinstance(client, SqliteClient):
        each._in_transaction = lambda: _OnSqlite(SqliteTransactionWrapper(client), client._lock)
    elif isinstance(client, AsyncpgDBClient):
        each._in_transaction = lambda: _OnPostgresql(_postgresql_wrapper(client), client._pool_init_lock)


class _OnSqlite(SqliteTransactionContext):
    """Nobody else writes from its beginning: who reads and then writes would fail if somebody had in between."""

    __slots__ = ()

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        self.token = get_connections().set(self.connection_name, self.connection)
        try:
            await _begin_to_write(self.connection)
        except BaseException:
            # What was cancelled may have begun all the same: it is rolled back.
            await self.__aexit__(*sys.exc_info())
            raise
        return cast(TransactionalDBClient, self.connection)


class _OnPostgresql(TransactionContextPooled):
    __slots__ = ()

    async def __aenter__(self) -> TransactionalDBClient:
        await self.ensure_connection()
        parent = cast(Any, self.client)._parent
        self.client._connection = await parent._pool.acquire()
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException:
            get_connections().reset(self.token)
            # Which rolls back what may have begun all the same.
            await parent._pool.release(self.client._connection)
            raise
        return self.client

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            await super().__aexit__(exc_type, exc_val, exc_tb)
        except asyncpg.InterfaceError:
            # The connection is gone, and the transaction with it. What it ended with says why.
            if exc_val is None:
                raise


def _postgresql_wrapper(client: AsyncpgDBClient) -> TransactionalDBClient:
    context = AsyncpgDBClient._in_transaction(client)
    assert isinstance(context, TransactionContextPooled)
    return context.client


async def _begin_to_write(client: SqliteTransactionWrapper) -> None:
    """As Tortoise's own ``begin``, which waits for the first statement that writes."""
    try:
        await client._connection.commit()
        await client._connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise OperationalError(error) from None
