# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes that wait at the same moment share one transaction, and so one sync of the disk.

A write is some rows, or a change that reads and writes. Changes come one after the other, in all processes: what one
has read can't alter before it writes.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tortoise.backends.base.client import TransactionalDBClient
from tortoise.models import Model

from portal.kit.unwritable import Unwritable, why_unwritable
from portal.storage.database import transaction
from portal.storage.errors import BusyError

WRITES_MAX = 64
# Any number will do, as long as every process of the portal uses the same one.
POSTGRESQL_LOCK = 0x616D6172

T = TypeVar("T")
Change = Callable[[], Awaitable[T]]


@dataclass(frozen=True)
class Write:
    """What waits for a commit: rows to insert, or a change; and who waits for its result."""

    rows: tuple[Model, ...]
    change: Change[Any] | None
    outcome: asyncio.Future[Any]


class GroupCommit:
    """Writes in batches; each ``insert`` or ``apply`` waits for a commit and has its own outcome.

    ``run`` must be running as a task. What can't be written does not affect its neighbours: the batch is then written
    one by one, unless the database is lost.
    """

    def __init__(self, waiting_max: int) -> None:
        self._waiting: deque[Write] = deque()
        self._waiting_max = waiting_max
        self._wake = asyncio.Event()
        self._ended = False

    async def insert(self, *rows: Model) -> None:
        """Return when the rows are durable: all of them or none.

        Raises DuplicateError when a unique key exists, StorageFullError when there is no space, BusyError when too
        many are waiting. After a cancellation it is unknown whether the rows were written.
        """
        await self._wait(rows, None)

    async def apply(self, change: Change[T]) -> T:
        """Run ``change`` in a transaction, and return what it returned when that is durable.

        It may be run again from the start when a neighbour fails, and so must do nothing but read and write rows.
        Raises as ``insert``, and what ``change`` raises.
        """
        result: T = await self._wait((), change)
        return result

    async def _wait(self, rows: tuple[Model, ...], change: Change[Any] | None) -> Any:
        if self._ended or len(self._waiting) >= self._waiting_max:
            raise BusyError
        write = Write(rows, change, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        self._wake.set()
        return await write.outcome

    async def run(self) -> None:
        """Write what waits until cancelled. Writes that wait then, or come later, raise BusyError. It can run again."""
        self._ended = False
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    count = min(WRITES_MAX, len(self._waiting))
                    batch = [self._waiting.popleft() for _ in range(count)]
                    try:
                        lost = await _write(batch)
                    finally:
                        # Whatever it ended by, nobody waits for ever.
                        _fail(batch, BusyError())
                    if lost is not None:
                        # A database that does not answer is not waited for again by each batch.
                        self._fail_waiting(lost)
        finally:
            self._ended = True
            self._fail_waiting(BusyError())

    def _fail_waiting(self, error: Exception) -> None:
        _fail(self._waiting, error)
        self._waiting.clear()


async def _write(batch: Sequence[Write]) -> Exception | None:
    """Write one batch and settle all outcomes in it; return what says that the database is lost.

    Raises nothing but CancelledError.
    """
    try:
        results = await _commit(batch)
    except Exception as error:
        is_lost = why_unwritable(error) is Unwritable.LOST
        if is_lost or len(batch) == 1:
            _fail(batch, error)
            return error if is_lost else None
        # What fits is not refused for what does not, and what is damaged fails alone.
        for number, each in enumerate(batch):
            if (lost := await _write([each])) is not None:
                _fail(batch[number + 1 :], lost)
                return lost
    else:
        for write, result in zip(batch, results, strict=True):
            if not write.outcome.done():
                write.outcome.set_result(result)
    return None


def _fail(batch: Iterable[Write], error: Exception) -> None:
    for write in batch:
        if not write.outcome.done():
            # Each waiter gets an exception of its own: a shared one would grow a traceback with every raise. What the
            # database's code was stands in the one that it comes from.
            own = type(error).__new__(type(error), *error.args)
            own.__dict__.update(vars(error))
            own.__cause__ = error
            write.outcome.set_exception(own)


async def _commit(batch: Sequence[Write]) -> list[Any]:
    """Write one batch in a transaction; return what each change returned, None for rows."""
    by_model: dict[type[Model], list[Model]] = {}
    for write in batch:
        for row in write.rows:
            by_model.setdefault(type(row), []).append(row)
    async with transaction() as client:
        await _take_turns(client)
        for model, same in by_model.items():
            await model.bulk_create(same, using_db=client)
        return [None if write.change is None else await write.change() for write in batch]


async def _take_turns(client: TransactionalDBClient) -> None:
    """Make the processes write one after the other, from before their first look at the rows.

    On PostgreSQL sequences are assigned before the commit: a row could become visible after one with a higher sequence,
    and an office that asks for rows after that one would never see it. SQLite has a single writer, which
    ``transaction`` is from its beginning.
    """
    if client.capabilities.dialect == "postgres":
        await client.execute_query("SELECT pg_advisory_xact_lock($1)", [POSTGRESQL_LOCK])
