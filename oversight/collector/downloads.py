# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submissions on their way in, a few at once, beside the visits: a large or a slow one holds up neither the next visit
nor a small one. What goes wrong with one is the business of whoever takes it."""

import asyncio
from collections.abc import Awaitable, Callable

from crypto.ids import SubmissionId
from oversight.reports.arrival import CheckedSubmission

SMALL_BYTES_MAX = 1024 * 1024
SMALL_AT_ONCE = 6
LARGE_AT_ONCE = 2
SMALL_WAITING_MAX = 500
LARGE_WAITING_MAX = 100


class _Lane:
    """Downloads of like size: so many at once, so many in all."""

    def __init__(self, at_once: int, waiting_max: int) -> None:
        self.turns = asyncio.Semaphore(at_once)
        self.waiting_max = waiting_max
        self.tasks: dict[SubmissionId, asyncio.Task[None]] = {}

    @property
    def is_full(self) -> bool:
        return len(self.tasks) >= self.waiting_max


class Downloads:
    """``take`` fetches and stores one submission, and raises what is nobody's fault but this program's."""

    def __init__(self, take: Callable[[CheckedSubmission], Awaitable[None]]) -> None:
        self._take = take
        self._small = _Lane(SMALL_AT_ONCE, SMALL_WAITING_MAX)
        self._large = _Lane(LARGE_AT_ONCE, LARGE_WAITING_MAX)
        self.bytes_running = 0

    def __contains__(self, submission: SubmissionId) -> bool:
        return submission in self._small.tasks or submission in self._large.tasks

    def __len__(self) -> int:
        return len(self._small.tasks) + len(self._large.tasks)

    def has_room(self, size: int) -> bool:
        """Whether one more of ``size`` bytes can wait for its turn."""
        return not self._lane(size).is_full

    def begin(self, acknowledged: CheckedSubmission) -> None:
        """Fetch this one as soon as it is its turn."""
        lane = self._lane(acknowledged.size)
        lane.tasks[acknowledged.manifest.submission] = asyncio.create_task(self._run(lane, acknowledged))

    async def wait(self, seconds: float) -> None:
        """Wait for all, at most so long. Raises what ``take`` of one of them raised."""
        tasks = [*self._small.tasks.values(), *self._large.tasks.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        failures: list[BaseException] = []
        for lane in (self._small, self._large):
            for submission, task in list(lane.tasks.items()):
                if task.done():
                    del lane.tasks[submission]
                    failures += [failure] if not task.cancelled() and (failure := task.exception()) else []
        if failures:
            raise failures[0]

    async def close(self) -> None:
        """Break off what is under way."""
        tasks = [*self._small.tasks.values(), *self._large.tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _lane(self, size: int) -> _Lane:
        return self._small if size <= SMALL_BYTES_MAX else self._large

    async def _run(self, lane: _Lane, acknowledged: CheckedSubmission) -> None:
        async with lane.turns:
            self.bytes_running += acknowledged.size
            try:
                await self._take(acknowledged)
            finally:
                self.bytes_running -= acknowledged.size
