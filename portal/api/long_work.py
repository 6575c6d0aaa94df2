# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work that takes longer than a request may keep the others waiting: off the event loop, and few at a time."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from portal.storage.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")
# Parsing holds the interpreter's lock: more threads would not be faster, and would leave the loop less of it.
RUNNING_MAX = 1
WAITING_MAX = 32


class LongWork:
    """One turn after the other, for whoever asks; who comes when ``waiting_max`` are waiting is refused."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._turns = asyncio.Semaphore(RUNNING_MAX)
        self._asking = 0
        self._asking_max = waiting_max + RUNNING_MAX

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns, called in a thread. Raises what it raises, and BusyError."""
        if self._asking >= self._asking_max:
            raise BusyError
        self._asking += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._asking -= 1
