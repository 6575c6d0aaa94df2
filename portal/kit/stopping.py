# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes on beside requests goes on until a program is told to end, and then ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from portal.kit.quiet_logging import describe_error

LOG = logging.getLogger("portal.kit")
AGAIN_SECONDS = 5.0
"""Longer than a task takes to leave things in order."""


async def keep_going(work: Callable[[], Awaitable[None]]) -> None:
    """Begin this again whenever it fails, after a moment, until cancelled: else nobody would do it from then on."""
    while True:
        try:
            await work()
        except Exception as error:
            LOG.error("what goes on beside requests has failed, and begins again: %s", describe_error(error))
        await asyncio.sleep(AGAIN_SECONDS)


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
