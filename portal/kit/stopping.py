# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ends what goes on beside requests, so that a program that is told to end does."""

import asyncio
from typing import Any

AGAIN_SECONDS = 5.0
"""Longer than a task takes to leave things in order."""


async def stop(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel these tasks until all of them have ended, and leave aside what they raise.

    Once may not do: ``asyncio.wait_for`` of Python 3.11, by which asyncpg waits for a connection, loses a cancellation
    that comes in the same moment as what it waits for. Such a task would go on for ever, and so would the program.
    """
    left = set(tasks)
    while left:
        for each in left:
            each.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
