# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading one of the portal's lists, visit by visit.

- A round begins at the beginning of the list and ends at its end, which may take several visits: one visit reads
  PAGES_MAX pages at most. After its end only what is new is asked for, until somebody begins another round.
- What a visit passes over, for whatever reason, is met again in the next round: no entry is ever lost by a number.
- A list that says it goes on, and doesn't, is no list.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from oversight.wire.portal_errors import PortalUnreachable
from oversight.wire.portal_responses import Page

PAGES_MAX = 50
E = TypeVar("E")


@dataclass
class ListReading:
    """How far a list was read. ``whole`` says that the round began at its beginning and is not over.

    ``ended`` says that the last visit read up to the end; ``passed`` counts what this round passed over, by reason;
    ``seen`` are names that the reader wants to remember till the end of the round.
    """

    after: int = 0
    whole: bool = True
    ended: bool = False
    passed: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    _is_asked_for: bool = False

    def ask_again(self) -> None:
        """Another round, once the one that is under way is over: what is at its end would not be met otherwise.

        A round that has passed nothing yet is that round.
        """
        if self.whole:
            self._is_asked_for = self._is_asked_for or self.after > 0
        else:
            self.begin_again()

    def begin_again(self) -> None:
        """Begin another round, whatever is under way."""
        self.after, self.whole, self._is_asked_for = 0, True, False
        self.passed.clear()
        self.seen.clear()

    def finish_round(self) -> None:
        """Go on with what is new; what was passed over stays counted until the next round."""
        self.whole = False
        self.seen.clear()
        if self._is_asked_for:
            self.begin_again()

    async def pages(self, fetch: Callable[[int], Awaitable[Page[E]]]) -> AsyncIterator[tuple[E, ...]]:
        """The entries of each page of this visit. A page that the caller did not finish with is read again.

        Raises as ``fetch``, and PortalUnreachable (``endless``) for a list that does not get on.
        """
        self.ended = False
        for _ in range(PAGES_MAX):
            page = await fetch(self.after)
            yield page.entries
            self.passed["unreadable"] += page.unreadable
            gets_on = page.highest > self.after
            self.after = max(self.after, page.highest)
            if not page.more:
                self.ended = True
                return
            if not gets_on:
                raise PortalUnreachable("the portal's list does not get on", "endless")
