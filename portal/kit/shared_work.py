# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work that is the same for all who ask: one does it for whoever came before it began.

A lock alone would let each of them do it again, one after the other: of thirty who find a database silent, the last
would wait for thirty times its bound.
"""

import asyncio
from collections.abc import Awaitable, Callable


class SharedWork:
    """``work`` is done once at a time."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._turn = asyncio.Lock()
        # How often it began, and which of these times was the last that ended.
        self._begun = self._ended = 0
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Return when ``work`` was done that began after this call, by whomever; raise what it raised.

        What began before may have looked too early. So one waits for it and for one more, never for others.
        """
        begun = self._begun
        async with self._turn:
            if self._ended <= begun:
                await self._do()
            elif self._failure is not None:
                # Without the places of those to whom it was told before.
                raise self._failure.with_traceback(None)

    async def _do(self) -> None:
        """Whoever does it and is cancelled leaves it to the next."""
        self._begun = number = self._begun + 1
        try:
            await self._work()
        except Exception as error:
            self._ended, self._failure = number, error
            raise
        self._ended, self._failure = number, None
