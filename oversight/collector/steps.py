# SPDX-License-Identifier: AGPL-3.0-or-later
"""The steps of one visit, each for itself: what goes wrong in one, or takes too long, does not stop those after it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from oversight.wire.portal_errors import PortalAway, PortalError, PortalRefused, PortalUnreachable

LOG = logging.getLogger("oversight.collector")
STEP_SECONDS_MAX = 180.0
ELSEWHERE = "office-elsewhere"
T = TypeVar("T")


class Steps:
    """``failure`` is what went wrong first, ``failed`` the name of that step.

    ``is_answered`` says whether anything was answered in this visit.
    """

    def __init__(self, is_answered: Callable[[], bool], keep_turn: Callable[[], Awaitable[bool]]) -> None:
        self.is_answered = is_answered
        self._keep_turn = keep_turn
        self._was_away = False
        self.failure: Exception | None = None
        self.failed: str | None = None

    async def step(self, name: str, work: Coroutine[Any, Any, T], *, numbers: bool = False) -> T | None:
        """The result of a step, or None when it failed.

        One that signs ``numbers`` is left out when nobody knows whether this office has the turn: a copy of it might
        give the same ones.

        Raises PortalAway alone, when no step after it would do better: one refused connection among answers is no sign
        of that, a second one is. And PortalRefused, before the step, when another office has the turn.
        """
        try:
            has_turn = await self._have_turn(name)
        except BaseException:
            work.close()
            raise
        if numbers and not has_turn:
            work.close()
            return None
        try:
            async with asyncio.timeout(STEP_SECONDS_MAX):
                return await work
        except PortalAway as error:
            if self._was_away or not self.is_answered():
                raise
            self._was_away = True
            self._fail(name, error)
        except TimeoutError:
            self._fail(name, PortalUnreachable("a step of the visit took too long", "slow"))
        except Exception as error:
            # Also what is this program's own fault: that must not keep the other steps from their work.
            self._fail(name, error)
        return None

    async def _have_turn(self, name: str) -> bool:
        """Whether the portal gave it. One that does not say so much is visited all the same."""
        try:
            return await self._keep_turn()
        except PortalAway:
            # The step itself will meet it.
            pass
        except Exception as error:
            if isinstance(error, PortalRefused) and error.code == ELSEWHERE:
                self.failed = name
                raise
            self._fail(name, error)
        return False

    def end(self) -> None:
        """Raise what went wrong first, if anything did."""
        if self.failure is not None:
            raise self.failure

    def _fail(self, name: str, error: Exception) -> None:
        if not isinstance(error, PortalError):
            LOG.error("a step of a visit to the portal failed: %s", type(error).__name__)
        if self.failure is None:
            self.failure, self.failed = error, name
