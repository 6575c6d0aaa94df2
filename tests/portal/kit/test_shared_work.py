# SPDX-License-Identifier: AGPL-3.0-or-later
"""What many ask for at once is done once for all who came before it began, and fails for all of them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from portal.kit.shared_work import SharedWork

MANY = 30


class Work:
    """Each time waits until it may go on, and then fails if it is told to."""

    def __init__(self) -> None:
        self.times = 0
        self.error: Exception | None = None
        self.goes_on = asyncio.Event()
        self.shared = SharedWork(self.do)

    async def do(self) -> None:
        self.times += 1
        await self.goes_on.wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
def work() -> Work:
    return Work()


async def begin(given: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Let a task go as far as it can."""
    task = asyncio.create_task(given)
    await asyncio.sleep(0)
    return task


async def test_who_comes_meanwhile_shares_one_that_began_later(work: Work) -> None:
    tasks = [await begin(work.shared.run()) for _ in range(MANY)]
    assert work.times == 1
    work.goes_on.set()
    await asyncio.gather(*tasks)
    assert work.times == 2
    await work.shared.run()
    assert work.times == 3


async def test_a_failure_is_told_to_all_and_forgotten(work: Work) -> None:
    work.error = OSError("silent")
    tasks = [await begin(work.shared.run()) for _ in range(MANY)]
    work.goes_on.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [work.error] * MANY
    assert work.times == 2
    work.error = None
    await work.shared.run()


async def test_who_goes_away_leaves_it_to_the_next(work: Work) -> None:
    first, second, third = [await begin(work.shared.run()) for _ in range(3)]
    for leaving in (first, second):
        leaving.cancel()
        await asyncio.wait([leaving])
    work.goes_on.set()
    await third
    assert work.times >= 2
