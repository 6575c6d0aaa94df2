# SPDX-License-Identifier: AGPL-3.0-or-later
"""One row of many: when it can't be shown, it says so, and takes no other row with it.

A list shows what strangers and members wrote, in as many forms as the formats allow, and what a disk kept for years.
Whatever fails, fails here, at the boundary of one row. In templates the boundary is ``ui.stands`` of
``components.html``, which calls ``attempt``.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from portal.kit.quiet_logging import describe_error

LOG = logging.getLogger("oversight.rows")
T = TypeVar("T")


def attempt(make: Callable[[], T]) -> T | None:
    """What ``make`` returns, or None when it fails. The log says where, and nothing of what the row is about."""
    try:
        return make()
    except Exception as error:
        _tell(error)
        return None


async def attempt_later(made: Awaitable[T]) -> T | None:
    """As ``attempt``, for what has to be waited for."""
    try:
        return await made
    except Exception as error:
        _tell(error)
        return None


def _tell(error: Exception) -> None:
    LOG.error("a row can't be shown: %s", describe_error(error))
