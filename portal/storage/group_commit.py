# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows that wait at the same moment share one transaction, and so one sync of the disk."""

import asyncio
from collections import deque
from collections.abc import Sequence

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.models import Model

from portal.storage.database import transaction
from portal.storage.errors import BusyError, DuplicateError

ROWS_MAX = 64
# Any number will do, as long as every process of the portal uses the same one.
POSTGRESQL_LOCK = 0x616D6172

Waiting = tuple[Model, asyncio.Future[None]]


class GroupCommit:
    """Writes rows in batches; each ``insert`` waits for a commit and has its own outcome.

    ``run`` must be running as a task. A row whose unique key already exists does not affect its neighbours: the batch
    is then written row by row.
    """

    def __init__(self, waiting_max: int) -> None:
        self._waiting: deque[Waiting] = deque()
        self._waiting_max = waiting_max
        self._wake = asyncio.Event()
        self._ended = False

    async def insert(self, row: Model) -> None:
        """Return when the row is durable.

        Raises DuplicateError when its unique key exists, StorageFullError when there is no space, BusyError when too
        many are waiting. After a cancellation it is unknown whether the row was written.
        """
        if self._ended or len(self._waiting) >= self._waiting_max:
            raise BusyError
        outcome = asyncio.get_running_loop().create_future()
        self._waiting.append((row, outcome))
        self._wake.set()
        await outcome

    async def run(self) -> None:
        """Write waiting rows until cancelled. Inserts that wait then, or come later, raise BusyError."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    count = min(ROWS_MAX, len(self._waiting))
                    await _write([self._waiting.popleft() for _ in range(count)])
        finally:
            self._ended = True
            for _, outcome in self._waiting:
                if not outcome.done():
                    outcome.set_exception(BusyError())
            self._waiting.clear()


async def _write(batch: Sequence[Waiting]) -> None:
    """Write one batch and settle all outcomes in it; raises nothing but CancelledError."""
    try:
        await _insert([row for row, _ in batch])
    except DuplicateError as error:
        if len(batch) == 1:
            _settle(batch, error)
            return
        for each in batch:
            await _write([each])
    except asyncio.CancelledError:
        _settle(batch, BusyError())
        raise
    except Exception as error:
        _settle(batch, error)
    else:
        _settle(batch, None)


def _settle(batch: Sequence[Waiting], error: Exception | None) -> None:
    for _, outcome in batch:
        if outcome.done():
            continue
        if error is None:
            outcome.set_result(None)
        else:
            # Each waiter gets an exception of its own: a shared one would grow a traceback with every raise.
            outcome.set_exception(type(error)(*error.args))


async def _insert(rows: Sequence[Model]) -> None:
    by_model: dict[type[Model], list[Model]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    async with transaction() as client:
        await _take_turns(client)
        for model, same in by_model.items():
            await model.bulk_create(same, using_db=client)


async def _take_turns(client: TransactionalDBClient) -> None:
    """On PostgreSQL, make the processes commit one after the other.

    Sequences are assigned before the commit. Without this, a row could become visible after one with a higher sequence,
    and an office that asks for rows after that one would never see it. SQLite has a single writer anyway.
    """
    if client.capabilities.dialect == "postgres":
        await client.execute_query("SELECT pg_advisory_xact_lock($1)", [POSTGRESQL_LOCK])
