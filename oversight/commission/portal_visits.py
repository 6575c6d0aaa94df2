# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages and the collector beside them tell each other, in memory."""

import asyncio
from dataclasses import dataclass, field

from oversight.wire.portal_responses import PortalProblem


@dataclass
class PortalVisits:
    """``problems`` are what of this commission's is missing on the portal's pages, as it said at the last visit.

    Whoever sets ``begin_now`` has the next visit begin at once.
    """

    problems: tuple[PortalProblem, ...] = ()
    begin_now: asyncio.Event = field(default_factory=asyncio.Event)
