# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL through asyncpg, where nothing waits for a server that does not answer.

A host that is gone, a firewall that drops packets or a server that is stopped refuse nothing: without a bound whoever
asks waits for ever, and holds a turn. So connecting, waiting for a connection of the pool and every statement have the
same seconds. Whoever did not get an answer is told that the database is lost, and hangs up: whether a commit that was
under way took place is unknown then. The server in its turn ends what we have left behind in a transaction, whose locks
would keep everybody from writing for as long as it takes us for alive.

Statements that are long for a good reason are ``unhurried``.
"""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient

ANSWER_SECONDS_MAX = 15.0
"""Longer than a statement for a request takes, also on a busy machine. ``command_timeout`` in a URL says otherwise."""
UNHURRIED_SECONDS_MAX = 3600.0
LEFT_BEHIND = 4
"""So many times as long a transaction may wait for its next statement: no work between two takes that."""
T = TypeVar("T")
# None: that of the connection.
_seconds: ContextVar[float | None] = ContextVar("seconds", default=None)


@contextmanager
def unhurried() -> Iterator[None]:
    """For what goes through whole tables, with nobody waiting: migrations, counts, commands of the terminal."""
    token = _seconds.set(UNHURRIED_SECONDS_MAX)
    try:
        yield
    finally:
        _seconds.reset(token)


class LimitedConnection(asyncpg.Connection):  # type: ignore[misc]
    """Hangs up when there is no answer in time. Asking the server to cancel would be waiting for it once more."""

    __slots__ = ()

    async def execute(self, query: str, *values: Any, **more: Any) -> Any:
        return await self._in_time(super().execute(query, *values, **_bounded(more)))

    async def executemany(self, command: str, values: Any, **more: Any) -> Any:
        return await self._in_time(super().executemany(command, values, **_bounded(more)))

    async def fetch(self, query: str, *values: Any, **more: Any) -> Any:
        return await self._in_time(super().fetch(query, *values, **_bounded(more)))

    async def fetchrow(self, query: str, *values: Any, **more: Any) -> Any:
        return await self._in_time(super().fetchrow(query, *values, **_bounded(more)))

    async def _in_time(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except TimeoutError:
            self.terminate()
            raise


def _bounded(more: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a statement with the seconds that it has; None is what the connection has for all."""
    return more if more.get("timeout") is not None else {**more, "timeout": _seconds.get()}


class LimitedClient(AsyncpgDBClient):
    """Tortoise's client, with bounds."""

    connection_class = LimitedConnection

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._answer_seconds = float(self.extra.get("command_timeout", ANSWER_SECONDS_MAX))
        self.extra |= {"command_timeout": self._answer_seconds, "timeout": self._answer_seconds}
        left_behind = str(int(self._answer_seconds * LEFT_BEHIND * 1000))
        self.server_settings.setdefault("idle_in_transaction_session_timeout", left_behind)

    async def create_pool(self, **options: Any) -> Any:
        return _LimitedPool(await super().create_pool(**options), self._answer_seconds)


class _LimitedPool:
    """A pool that nobody waits for without a bound."""

    def __init__(self, pool: asyncpg.Pool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds

    async def acquire(self) -> Any:
        return await self._pool.acquire(timeout=self._seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


client_class = LimitedClient
