# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program that is told to end ends, whatever its tasks make of it."""

import asyncio
from contextlib import suppress

import pytest

from portal.kit import stopping
from portal.kit.stopping import stop


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
