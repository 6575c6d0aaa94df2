# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes on beside requests begins again when it fails, and ends when the program does, whatever it makes of it."""

import asyncio
from contextlib import suppress

import pytest

from portal.kit import stopping
from portal.kit.stopping import keep_going, stop


async def go_on() -> None:
    await asyncio.Event().wait()


async def lose_the_first_cancellation() -> None:
    """As a library does that takes it for the end of its own wait."""
    with suppress(asyncio.CancelledError):
        await go_on()
    await go_on()


async def fail_at_the_end() -> None:
    try:
        await go_on()
    finally:
        raise OSError


async def test_every_task_ends_also_one_that_loses_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "AGAIN_SECONDS", 0.01)
    tasks = [asyncio.create_task(work()) for work in (go_on, lose_the_first_cancellation, fail_at_the_end)]
    await asyncio.sleep(0)
    await stop(*tasks)
    assert [task.done() for task in tasks] == [True, True, True]


async def test_what_has_ended_and_nothing_at_all_are_stopped_too() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "done"))
    await task
    await stop(task)
    await stop()
    assert task.result() == "done"


async def test_what_fails_begins_again_until_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stopping, "AGAIN_SECONDS", 0.0)
    begun = asyncio.Queue[int]()

    async def fail_three_times() -> None:
        begun.put_nowait(1)
        if len(caplog.messages) < 3:
            raise ZeroDivisionError("what stands in here is in no log")
        await go_on()

    task = asyncio.create_task(keep_going(fail_three_times))
    for _ in range(4):
        await begun.get()
    await stop(task)
    assert task.cancelled()
    assert begun.empty()
    assert len(caplog.messages) == 3
    assert all("ZeroDivisionError" in line and "no log" not in line for line in caplog.messages)
