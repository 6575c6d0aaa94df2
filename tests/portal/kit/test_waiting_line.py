# SPDX-License-Identifier: AGPL-3.0-or-later
"""Long work: one after the other, so many wait, and the rest is told so at once."""

import asyncio

from portal.kit.waiting_line import LineFullError, WaitingLine

WAITING = 7


async def test_what_it_is_given_runs_one_after_the_other() -> None:
    running: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        running.append(number)
        most.append(len(running))
        running.remove(number)
        return number

    line = WaitingLine()
    assert await asyncio.gather(*(line.run(work, number) for number in range(10))) == list(range(10))
    assert max(most) == 1


async def test_who_comes_when_too_many_wait_is_told_so_at_once() -> None:
    async def ask() -> int:
        return await line.run(sum, [1])

    line = WaitingLine(waiting=WAITING)
    answers = await asyncio.gather(*(ask() for _ in range(WAITING + 5)), return_exceptions=True)
    assert [type(each) for each in answers].count(LineFullError) == 4
    assert await ask() == 1
