# SPDX-License-Identifier: AGPL-3.0-or-later
"""A line of bounded length: who finds a place in it waits for a turn, and who finds none is told so at once.

An endless line helps nobody: of two hundred people at one moment the last would wait for twenty seconds, and whoever
sends two hundred requests makes it as long as they like.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class LineFullError(Exception):
    """There is no place in the line; nothing was done."""


class WaitingLine:
    """``turns`` at a time, and ``waiting`` more who wait for one of them, in their order.

    One turn is enough for what holds the interpreter's lock: more threads would not be faster, and would leave the loop
    less of it.
    """

    def __init__(self, turns: int = 1, waiting: int = 32) -> None:
        self.turn = asyncio.Semaphore(turns)
        self._places = turns + waiting

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place in the line, for as long as this is open; then ``turn`` comes soon. Raises LineFullError."""
        if self._places == 0:
            raise LineFullError
        self._places -= 1
        try:
            yield
        finally:
            self._places += 1

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns, called in a thread when its turn comes; raise what it raises, or LineFullError.

        For work that takes longer than a request may keep the others waiting.
        """
        with self.place():
            async with self.turn:
                return await asyncio.to_thread(work, *args, **kwargs)
