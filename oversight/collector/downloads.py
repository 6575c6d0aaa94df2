# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submissions on their way in, a few at once, beside the visits: a large or a slow one holds up neither the next visit
nor a small one. What goes wrong with one is the business of whoever takes it.

Small and large ones have turns of their own. While others wait for theirs, patience is short, and the shorter the more
often it ran out: who is too slow for it goes on to a lane of slow ones, which has one turn, and all patience there is.
"""

import asyncio
from collections.abc import Awaitable, Callable

from crypto.ids import SubmissionId
from oversight.reports.arrival import CheckedSubmission
from oversight.wire.patience import Patience
from portal.kit.stopping import stop

SMALL_BYTES_MAX = 1024 * 1024
SMALL_AT_ONCE = 10
LARGE_AT_ONCE = 2
SMALL_WAITING_MAX = 2_000
LARGE_WAITING_MAX = 100
SLOW_WAITING_MAX = 50
# Of patience while others wait: at most, and at least for small ones and large ones.
HURRY_SECONDS_MAX = 8.0
SMALL_HURRY_SECONDS = 0.5
LARGE_HURRY_SECONDS = 4.0
# So many are known to have been slow; then all are forgotten, and have another try as if they were new.
SLOW_KNOWN_MAX = 50_000


class _Lane:
    """Downloads of like size: so many at once, so many in all. Without a lane for slow ones it never hurries."""

    def __init__(self, at_once: int, waiting_max: int, hurry_seconds: float = 0.0, slow: "_Lane | None" = None) -> None:
        self.turns = asyncio.Semaphore(at_once)
        self.at_once = at_once
        self.waiting_max = waiting_max
        self.slow = slow
        self.tasks: dict[SubmissionId, asyncio.Task[None]] = {}
        self.unfinished = 0
        self._least, self._hurry = hurry_seconds, HURRY_SECONDS_MAX

    @property
    def is_full(self) -> bool:
        return len(self.tasks) >= self.waiting_max

    def patience(self) -> Patience:
        """For one whose turn it is."""
        return Patience(self._hurry) if self.slow and self.unfinished > self.at_once else Patience()

    def learn(self, *, in_time: bool) -> None:
        """One that was hurried was in time, or wasn't."""
        self._hurry = min(self._hurry * 2, HURRY_SECONDS_MAX) if in_time else max(self._hurry / 2, self._least)


class Downloads:
    """``take`` fetches and stores one submission, and raises what is nobody's fault but this program's.

    It returns False when nothing but a shortened patience ran out. ``put_off`` is called for each such one that finds
    no room among the slow: whoever begins it again later has it wait there.
    """

    def __init__(
        self, take: Callable[[CheckedSubmission, Patience], Awaitable[bool]], put_off: Callable[[], None]
    ) -> None:
        self._take = take
        self._put_off = put_off
        self._small = _Lane(SMALL_AT_ONCE, SMALL_WAITING_MAX, SMALL_HURRY_SECONDS, _Lane(1, SLOW_WAITING_MAX))
        self._large = _Lane(LARGE_AT_ONCE, LARGE_WAITING_MAX, LARGE_HURRY_SECONDS, _Lane(1, SLOW_WAITING_MAX))
        self._lanes = [lane for each in (self._small, self._large) for lane in (each, each.slow) if lane]
        self._slow_once: dict[SubmissionId, _Lane] = {}
        self.bytes_running = 0

    def __contains__(self, submission: SubmissionId) -> bool:
        return any(submission in lane.tasks for lane in self._lanes)

    def __len__(self) -> int:
        return sum(len(lane.tasks) for lane in self._lanes)

    @property
    def small(self) -> int:
        """How many small ones are on their way that were not slow so far."""
        return len(self._small.tasks)

    @property
    def takes_more(self) -> bool:
        """Whether a small one that was never slow can wait for its turn."""
        return not self._small.is_full

    def is_put_off(self, submission: SubmissionId) -> bool:
        """Whether it was slow once, and there is no room among the slow."""
        slow = self._slow_once.get(submission)
        return slow is not None and slow.is_full

    def begin(self, checked: CheckedSubmission) -> bool:
        """Fetch this one as soon as it is its turn; False when there are too many like it already."""
        lane = self._small if checked.size <= SMALL_BYTES_MAX else self._large
        return self._begin(self._slow_once.get(checked.manifest.submission, lane), checked)

    async def wait(self, seconds: float) -> None:
        """Wait for all that were not slow yet, at most so long. Raises what ``take`` of one of them raised."""
        tasks = [*self._small.tasks.values(), *self._large.tasks.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        failures: list[BaseException] = []
        for lane in self._lanes:
            for submission, task in list(lane.tasks.items()):
                if task.done():
                    del lane.tasks[submission]
                    failures += [failure] if not task.cancelled() and (failure := task.exception()) else []
        if failures:
            raise failures[0]

    async def close(self) -> None:
        """Break off what is under way."""
        await stop(*(task for lane in self._lanes for task in lane.tasks.values()))

    def _begin(self, lane: _Lane, checked: CheckedSubmission) -> bool:
        if lane.is_full:
            return False
        lane.unfinished += 1
        lane.tasks[checked.manifest.submission] = asyncio.create_task(self._run(lane, checked))
        return True

    async def _run(self, lane: _Lane, checked: CheckedSubmission) -> None:
        async with lane.turns:
            patience = lane.patience()
            self.bytes_running += checked.size
            try:
                in_time = await self._take(checked, patience)
            finally:
                self.bytes_running -= checked.size
                lane.unfinished -= 1
        if patience.is_short:
            lane.learn(in_time=in_time)
        if not in_time and lane.slow:
            self._hand_on(lane.slow, checked)

    def _hand_on(self, slow: _Lane, checked: CheckedSubmission) -> None:
        if len(self._slow_once) >= SLOW_KNOWN_MAX:
            self._slow_once.clear()
        self._slow_once[checked.manifest.submission] = slow
        if not self._begin(slow, checked):
            self._put_off()
