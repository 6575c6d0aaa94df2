# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many like requests to the portal, a few at once: over a slow line one after the other would take the longer for every
round trip."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from oversight.wire.portal_errors import PortalAway
from oversight.wire.retry import time_of_one

AT_ONCE = 8
SECONDS_MAX = 30.0
T = TypeVar("T")


async def in_parallel(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do ``work`` for the items, at most ``AT_ONCE`` at a time, each within the time of one item.

    After ``SECONDS_MAX`` none is begun any more: other things of a visit have their turn, and the rest is for the next.
    Raises PortalAway at once, and what went wrong first after every item had its turn.
    """
    # The first one alone: there may be as many as items.
    failures: list[Exception] = []
    # One source for all: each takes the next when it is done.
    source, deadline = iter(items), time.monotonic() + SECONDS_MAX

    async def lane() -> None:
        for item in source:
            if time.monotonic() > deadline:
                return
            try:
                async with time_of_one():
                    await work(item)
            except PortalAway:
                raise
            except Exception as error:
                failures[:] = failures or [error]

    lanes = [asyncio.create_task(lane()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*lanes)
    finally:
        for each in lanes:
            each.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
    if failures:
        raise failures[0]
