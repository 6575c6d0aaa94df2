# SPDX-License-Identifier: AGPL-3.0-or-later
"""Outgoing checks wait for each other: each takes seconds of a core, and those of all members share one.

A check of the same case as it is, asked for twice at once, is one: by an impatient member, or by two. It goes on when
whoever asked has gone, for somebody else may wait for it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from portal.kit.waiting_line import LineFullError, WaitingLine

WAITING_MAX = 7
"""Behind the one that runs. The reports of their cases are opened when their turn has come."""
OF_ONE_MAX = 2
"""Of one member, running or waiting, so that one alone never fills the line."""
T = TypeVar("T")


class CheckLine:
    """The checks of one office that are under way."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._line = WaitingLine(1, waiting_max)
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}
        self._of: Counter[str] = Counter()

    async def run(self, who: str, what: Hashable, check: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``check`` gives when its turn comes; or the one of the same ``what`` that was asked for before.

        Raises what it raises, and LineFullError when too many wait, or too many of the member ``who``.
        """
        task = self._asked.get(what)
        if task is None:
            task = asyncio.create_task(self._in_turn(who, check))
            self._asked[what] = task
            task.add_done_callback(lambda done: self._forget(what, done))
        given: T = await asyncio.shield(task)
        return given

    async def _in_turn(self, who: str, check: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self._one_of(who), self._line.place():
            async with self._line.turn:
                return await check()

    @contextmanager
    def _one_of(self, who: str) -> Iterator[None]:
        if self._of[who] >= OF_ONE_MAX:
            raise LineFullError
        self._of[who] += 1
        try:
            yield
        finally:
            self._of[who] -= 1
            if not self._of[who]:
                del self._of[who]

    def _forget(self, what: Hashable, done: "asyncio.Task[Any]") -> None:
        del self._asked[what]
        if not done.cancelled():
            # A failure that nobody waits for any more is not reported as forgotten.
            done.exception()
