# SPDX-License-Identifier: AGPL-3.0-or-later
"""Outgoing checks wait for each other: each takes seconds of a core, and those of all members share one.

A check of the same case as it is, asked for twice at once, is one: by an impatient member, or by two. It goes on when
whoever asked has gone, for somebody else may wait for it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

from portal.kit.waiting_line import WaitingLine

WAITING_MAX = 7
"""Behind the one that runs. The reports of their cases are opened when their turn has come."""
T = TypeVar("T")


class CheckLine:
    """The checks of one office that are under way."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._line = WaitingLine(1, waiting_max)
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(self, what: Hashable, check: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``check`` gives when its turn comes; or the one of the same ``what`` that was asked for before.

        Raises what it raises, and LineFullError when too many wait.
        """
        task = self._asked.get(what)
        if task is None:
            task = asyncio.create_task(self._in_turn(check))
            self._asked[what] = task
            task.add_done_callback(lambda done: self._forget(what, done))
        given: T = await asyncio.shield(task)
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
