# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much work is asked of strangers (docs/protocol.md §7.4): nothing at all, until too much of something is in use.

- Half of any gauge in use begins the first step.
- While it lasts, the next step begins after another period; there are three.
- Each time it has been calm for some minutes one step ends, so that a flood that pauses does not find the door open.

Nothing is timed: gauges are read when somebody asks, and between two requests there is nothing to decide.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

Gauge = Callable[[], float]

THRESHOLD = 0.5
# Challenges are told by it too.
PERIOD_SECONDS = 120
PERIOD = timedelta(seconds=PERIOD_SECONDS)
CALM = timedelta(minutes=5)
# Zero bits of each search, step by step: seconds of an old phone, up to a minute at the last one
# (benchmarks/proof_of_work.py).
STEPS = (12, 14, 16)


class Pressure:
    """``gauges`` give the share of what strangers may have of something that is in use, from 0 to 1."""

    def __init__(self, gauges: Sequence[Gauge], clock: Callable[[], datetime]) -> None:
        self.gauges = gauges
        self._clock = clock
        self._step = 0
        self._risen = self._high = clock()

    def bits(self) -> int | None:
        """How many zero bits a device is asked for now; ``None`` for no work."""
        self._follow()
        return STEPS[self._step - 1] if self._step else None

    def bits_min(self) -> int | None:
        """How many do: for a period after a rise those of the step before, as somebody may have begun with it."""
        self._follow()
        if self._step > 1 and self._clock() - self._risen < PERIOD:
            return STEPS[self._step - 2]
        return STEPS[self._step - 1] if self._step else None

    def _follow(self) -> None:
        now = self._clock()
        # A clock that was put back must not make what is over last until it has caught up.
        self._risen, self._high = min(self._risen, now), min(self._high, now)
        if max((gauge() for gauge in self.gauges), default=0) >= THRESHOLD:
            self._high = now
            if self._step < len(STEPS) and (self._step == 0 or now - self._risen >= PERIOD):
                self._step += 1
                self._risen = now
        while self._step and now - self._high >= CALM:
            self._step -= 1
            self._high += CALM
