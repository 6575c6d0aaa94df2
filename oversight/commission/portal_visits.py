# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages and the collector beside them tell each other, in memory."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from oversight.wire.portal_responses import PortalProblem


@dataclass
class PortalVisits:
    """``problems`` are what of this commission's is missing on the portal's pages, as it said at the last visit.

    ``clocks_differ`` says that the portal refused requests for their time, until a visit goes well.

    Whoever sets ``begin_now`` has the next visit begin at once. ``let_in`` counts how often a member had as much again
    taken as this office takes in a day; a restart forgets it.
    """

    problems: tuple[PortalProblem, ...] = ()
    clocks_differ: bool = False
    begin_now: asyncio.Event = field(default_factory=asyncio.Event)
    let_in: Counter[date] = field(default_factory=Counter)

    def shares(self, today: date) -> int:
        """How many times as much as in any other day is taken today."""
        return 1 + self.let_in[today]
