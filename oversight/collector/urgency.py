# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads how urgent reports are, beside the visits: seconds after they arrived, or after the office's keys opened."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from oversight.commission.keys import OfficeSafe
from oversight.reports.sealed_urgency import read_waiting

LOG = logging.getLogger("oversight.collector")
READ_SECONDS = 5.0


async def read_urgency_while_serving(
    safe: OfficeSafe, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """``read_waiting`` every ``READ_SECONDS`` while the office's keys are open, until cancelled.

    No member has to be there for it, and no portal: what a restore or an earlier run left unread is read too.
    """
    while True:
        try:
            if safe.is_open:
                await read_waiting(safe.keys.urgency_identity)
        except Exception as error:
            LOG.error("the urgency of reports can't be read: %s", type(error).__name__)
        await sleep(READ_SECONDS)
