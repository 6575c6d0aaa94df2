# SPDX-License-Identifier: AGPL-3.0-or-later
"""Waiting for a condition, never for a length of time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

# Only a fault takes longer, on however busy a machine: for whatever a test waits for.
SECONDS_MAX = 180
_LOOK_EVERY_SECONDS = 0.005


def wait_until(condition: Callable[[], object], what: str, seconds_max: float = SECONDS_MAX) -> None:
    """Return as soon as ``condition`` holds; fail, and say ``what`` did not come, when it never does."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds_max} seconds"
        time.sleep(_LOOK_EVERY_SECONDS)


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, seconds_max: float = SECONDS_MAX) -> None:
    """The same on an event loop, which goes on meanwhile."""
    deadline = time.monotonic() + seconds_max
    while not (await found if inspect.isawaitable(found := condition()) else found):
        assert time.monotonic() < deadline, f"{what}: not within {seconds_max} seconds"
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
