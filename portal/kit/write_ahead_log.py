# SPDX-License-Identifier: AGPL-3.0-or-later
"""SQLite's write-ahead log: it keeps pages as they once were, with what was deleted since, until it is emptied.

Whoever reads and then writes in one transaction fails if the log was emptied in between, even an empty one. So it is
emptied while no transaction of this process is open; those of ``transaction`` hold off other processes.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing, nullcontext, suppress
from typing import Any

READER_SECONDS_MAX = 0.25
RETRY_SECONDS = 5.0


class WriteAheadLog:
    """The log of one database file, emptied through a connection of its own: no other one waits for a reader."""

    def __init__(
        self,
        file: str,
        hold: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """``hold()`` is entered while the log is emptied: it keeps transactions of this process from beginning."""
        self._file = file
        self._hold = hold
        self._retry_seconds = retry_seconds
        self._retries: asyncio.Task[None] | None = None

    async def empty(self) -> None:
        """Bring everything into the database file, where what was deleted is overwritten, and leave a log of no bytes.

        While somebody reads, such as a backup, that can't be done: then it is tried again until it is, or until
        ``close``. It is done at the next start at the latest.
        """
        if self._retries is not None and not self._retries.done():
            return
        if not await self._empty_now():
            self.empty_later()

    def empty_later(self) -> None:
        """``empty``, for who is in a transaction: when that has ended."""
        if self._retries is None or self._retries.done():
            self._retries = asyncio.create_task(self._retry())

    async def close(self) -> None:
        if self._retries is not None:
            self._retries.cancel()
            with suppress(asyncio.CancelledError):
                await self._retries

    async def _retry(self) -> None:
        emptied = False
        while not emptied:
            await asyncio.sleep(self._retry_seconds)
            emptied = await self._empty_now()

    async def _empty_now(self) -> bool:
        async with self._hold():
            return await asyncio.to_thread(self._try_to_empty)

    def _try_to_empty(self) -> bool:
        try:
            with closing(sqlite3.connect(self._file, timeout=READER_SECONDS_MAX)) as connection:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:
            return False
        return not busy
