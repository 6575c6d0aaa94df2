# SPDX-License-Identifier: AGPL-3.0-or-later
"""All connections of a server process: how many there may be, how fast they have to move, which give way first.

Every visitor comes from one address, that of the proxy or of the onion service, so nothing here looks at addresses:
a connection is judged by what it does. Time is counted by ``sweep``, which runs once a second: when the loop is late,
so is the count, and nobody is blamed for it.
"""

import asyncio
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

# One or two cells of Tor hold a head; a circuit that takes longer than this for them is given up by its client too.
HEAD_SECONDS_MAX = 15
IDLE_SECONDS_MAX = 30
# A body or a reader is not judged by its rate before.
SECONDS_MIN = 5
# From this share of connections or of gathered bytes on, the slow are given less time.
CROWDED = 0.5
GATHERED_BYTES_MAX = 96 * 1024 * 1024
SWEEP_SECONDS = 1.0


class Phase(IntEnum):
    """What a connection is about. The first three wait for the client, and give way in this order."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    WORK = 3


@dataclass(frozen=True)
class Pace:
    """``patience`` seconds, and one more for every ``rate`` bytes that moved."""

    patience: int
    rate: int

    def allows(self, seconds: int, moved: int) -> bool:
        return seconds <= self.patience + moved / self.rate


CALM_PACE = Pace(60, 1024)
CROWDED_PACE = Pace(15, 2048)


class Connection(Protocol):
    """What is asked of a connection and noted in it. ``since`` and ``unsent_since`` are counted in sweeps."""

    phase: Phase
    since: int
    came: int
    gathered: int
    unsent_since: int
    unsent_peak: int

    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""

    def is_held_back(self) -> bool:
        """Whether we do not read, because what came has to be worked on first."""

    def refuse(self, status: int) -> None:
        """Answer with this status if there is no answer yet, and disconnect."""

    def abort(self) -> None:
        """Disconnect at once, whatever is unsent."""


class Connections:
    """The connections of one process. ``bytes_max`` bounds what all heads and bodies hold before their requests begin.

    ``now`` is the number of sweeps; what is compared with it is in seconds.
    """

    def __init__(self, count_max: int, bytes_max: int = GATHERED_BYTES_MAX) -> None:
        self.now = 0
        self.gathered = 0
        self._count_max = count_max
        self._bytes_max = bytes_max
        # In the order in which they came.
        self._all: dict[Connection, None] = {}
        # Refused, with the last words on their way; they count no more.
        self._leaving: dict[Connection, int] = {}
        self._giving_way: list[Connection] = []
        self._none_gave_way_at = -1
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._all)

    def share_in_use(self) -> float:
        """From 0 to 1: of the connections, or of the bytes, whichever is more."""
        return min(1.0, max(len(self._all) / self._count_max, self.gathered / self._bytes_max))

    def admit(self, connection: Connection) -> bool:
        """Take a connection in. When there are too many another one gives way; False when none can."""
        admitted = len(self._all) < self._count_max or self.make_room()
        self._all[connection] = None
        if self._timer is None:
            self._wait_for_sweep()
        return admitted

    def make_room(self) -> bool:
        """Disconnect one that can be spared; whether there was one.

        Looking for them is work, so several are found at a time.
        """
        while True:
            if not self._giving_way:
                self._find_spare()
            if not self._giving_way:
                return False
            spared = self._giving_way.pop()
            if spared in self._all and self._can_be_spared(spared):
                spared.refuse(503)
                return True

    def dismiss(self, connection: Connection) -> None:
        """It is disconnected by us, and has a moment to read why."""
        self.release(connection)
        if connection in self._all:
            del self._all[connection]
            self._leaving[connection] = self.now

    def leave(self, connection: Connection) -> None:
        """It is gone."""
        self.release(connection)
        self._all.pop(connection, None)
        self._leaving.pop(connection, None)

    def gather(self, connection: Connection, size: int) -> None:
        """``size`` more bytes are held of a request that has not begun. If that is too much, slow ones give way."""
        connection.gathered += size
        self.gathered += size
        if self.gathered > self._bytes_max:
            self._drop_slowest()

    def release(self, connection: Connection) -> None:
        """Its request has begun, or never will."""
        self.gathered -= connection.gathered
        connection.gathered = 0

    def sweep(self) -> None:
        """A second has passed: what does not move is disconnected."""
        self.now += 1
        self._giving_way.clear()
        pace = CROWDED_PACE if self.share_in_use() >= CROWDED else CALM_PACE
        for connection in tuple(self._all):
            unsent = connection.unsent()
            if unsent:
                self._judge_reader(connection, unsent, pace)
            else:
                connection.unsent_peak = 0
                self._judge_sender(connection, pace)
        for connection, since in tuple(self._leaving.items()):
            if self.now - since > SECONDS_MIN:
                connection.abort()

    def _wait_for_sweep(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep_and_wait)

    def _sweep_and_wait(self) -> None:
        self._timer = None
        self.sweep()
        if self._all or self._leaving:
            self._wait_for_sweep()

    def _judge_reader(self, connection: Connection, unsent: int, pace: Pace) -> None:
        if not connection.unsent_peak:
            connection.unsent_since = self.now
        connection.unsent_peak = max(connection.unsent_peak, unsent)
        if not pace.allows(self.now - connection.unsent_since, connection.unsent_peak - unsent):
            connection.abort()

    def _judge_sender(self, connection: Connection, pace: Pace) -> None:
        seconds = self.now - connection.since
        match connection.phase:
            case Phase.IDLE if seconds > IDLE_SECONDS_MAX:
                connection.abort()
            case Phase.HEAD if seconds > HEAD_SECONDS_MAX:
                connection.refuse(408)
            case Phase.BODY if connection.is_held_back():
                connection.since += 1
            case Phase.BODY if not pace.allows(seconds, connection.came):
                connection.refuse(408)

    def _find_spare(self) -> None:
        if self._none_gave_way_at == self.now:
            return
        candidates = (each for each in self._all if self._can_be_spared(each))
        found = heapq.nsmallest(max(16, self._count_max // 16), candidates, key=self._order)
        self._giving_way = found[::-1]
        if not found:
            self._none_gave_way_at = self.now

    def _can_be_spared(self, connection: Connection) -> bool:
        # Whoever still reads an answer is a reader, though the program is done with it and nothing else was asked.
        if connection.unsent():
            return connection.unsent_peak > 0 and self.now - connection.unsent_since >= SECONDS_MIN
        match connection.phase:
            case Phase.IDLE | Phase.HEAD:
                return True
            case Phase.BODY:
                return self.now - connection.since >= SECONDS_MIN and not connection.is_held_back()
            case _:
                return False

    def _order(self, connection: Connection) -> tuple[int, float]:
        """First who asks for nothing, then whose head has not come, both the oldest first; then the slowest."""
        if connection.phase < Phase.BODY and not connection.unsent():
            return connection.phase, connection.since
        return Phase.BODY, self._rate(connection)

    def _rate(self, connection: Connection) -> float:
        if unsent := connection.unsent():
            return (connection.unsent_peak - unsent) / max(1, self.now - connection.unsent_since)
        return connection.came / max(1, self.now - connection.since)

    def _drop_slowest(self) -> None:
        """Make an eighth free, so that the next bytes don't ask for it again."""
        holding: Iterable[Connection] = [each for each in self._all if each.gathered]
        for connection in sorted(holding, key=self._rate):
            if self.gathered <= self._bytes_max * 7 // 8:
                return
            connection.refuse(503)
