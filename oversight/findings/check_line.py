# SPDX-License-Identifier: AGPL-3.0-or-later
"""Outgoing checks and comparisons wait for each other: each takes seconds of a core, and those of all share one.

A check of the same case as it is, asked for twice at once, is one: by an impatient member, or by two. It goes on when
whoever asked has gone, for somebody else may wait for it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
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
        self._asked: dict[Hashable, tuple[str, asyncio.Task[Any]]] = {}

    async def run(self, who: str, what: Hashable, check: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``check`` gives when its turn comes; or the one of the same ``what`` that was asked for before.

        Raises what it raises, and LineFullError when too many wait, or too many of the member ``who``.
        """
        if what not in self._asked:
            if [each for each, _ in self._asked.values()].count(who) >= OF_ONE_MAX:
                raise LineFullError
            task = asyncio.create_task(self._in_turn(check))
            self._asked[what] = (who, task)
            task.add_done_callback(lambda done: self._forget(what, done))
        given: T = await asyncio.shield(self._asked[what][1])
        return given

    async def _in_turn(self, check: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self._line.place():
            async with self._line.turn:
                return await check()

    def _forget(self, what: Hashable, done: "asyncio.Task[Any]") -> None:
        del self._asked[what]
        if not done.cancelled():
            # A failure that nobody waits for any more is not reported as forgotten.
            done.exception()
