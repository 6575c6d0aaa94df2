# SPDX-License-Identifier: AGPL-3.0-or-later
"""One at a time, of all processes that use a database: who brings it up to date is alone.

On SQLite it is a lock on the folder of the file, on PostgreSQL an advisory lock within a transaction, which a pooler in
between leaves alone. The system, or the server, lets go of either when the process ends, however it does.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

WAIT_SECONDS_MAX = 600.0
"""Longer than any migration so far took on a large database."""
TRY_EVERY_SECONDS = 0.1
# Of this house's programs: "amparo" in ASCII.
_KEY = int.from_bytes(b"amparo")
# Nothing is said on the connection that holds the lock, for as long as the migrations take.
_STAY = "SET LOCAL idle_in_transaction_session_timeout = 0"


class LockedError(Exception):
    """Another process has held the lock for all the time that we waited."""


@asynccontextmanager
async def alone_at_file(file: str) -> AsyncIterator[None]:
    """Hold the lock of the folder of an SQLite file. Raises LockedError after ``WAIT_SECONDS_MAX``, or OSError."""
    folder = os.open(Path(file).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = monotonic() + WAIT_SECONDS_MAX
        while not lock(folder):
            await _wait_before(deadline)
        yield
    finally:
        os.close(folder)


@asynccontextmanager
async def alone_at_server(connection: Any) -> AsyncIterator[None]:
    """Hold the lock of the database of a connection of asyncpg, on which nothing else may be said meanwhile.

    Raises LockedError after ``WAIT_SECONDS_MAX``, or what asyncpg raises.
    """
    async with connection.transaction():
        await connection.execute(_STAY)
        deadline = monotonic() + WAIT_SECONDS_MAX
        while not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _KEY):
            await _wait_before(deadline)
        yield


def lock(descriptor: int) -> bool:
    """Lock an open file or folder, unless another process has; the system lets go when it is closed. Raises OSError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _wait_before(deadline: float) -> None:
    if monotonic() > deadline:
        raise LockedError
    await asyncio.sleep(TRY_EVERY_SECONDS)
