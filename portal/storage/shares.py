# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is kept for others has shares: no kind of it takes the room of another one.

- ``UPLOADS`` are parts that no accepted submission names. They give way by themselves, what lies still and what is
  large first (``intake.uploads``); all other kinds are full when they are full.
- ``ATTACHMENTS`` are parts that one names. ``REPORTS`` are its rows, so that a report without files finds room when
  files don't, and a small one when large ones don't.
- ``FOLLOW_UPS`` and ``MAILBOXES`` are rows too. A mailbox stays when its report is deleted.
- ``REPLIES`` are what offices post. Of this share, as of the reports', no portion is more than half: not that
  of one commission, and not that of the long reports.

Shares are parts of what the disk has. What is held is counted at the start and with every sweep (``intake.counting``);
in between each process adds up what it takes. Several processes divide among themselves what a count left free. If all
count at one time, they never exceed a share; otherwise docs/adr/0016 says by how much.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic

from portal.storage.errors import BusyError, StorageFullError


class Kind(StrEnum):
    """What others fill; all but the replies are strangers'."""

    UPLOADS = "uploads"
    ATTACHMENTS = "attachments"
    REPORTS = "reports"
    FOLLOW_UPS = "follow-ups"
    MAILBOXES = "mailboxes"
    REPLIES = "replies"


# In hundredths of the disk. The rest is for charters and findings, and for the database itself.
PARTS: Mapping[Kind, int] = {
    Kind.UPLOADS: 25,
    Kind.ATTACHMENTS: 30,
    Kind.REPORTS: 20,
    Kind.FOLLOW_UPS: 8,
    Kind.MAILBOXES: 10,
    Kind.REPLIES: 5,
}
IN_BLOBS = frozenset({Kind.UPLOADS, Kind.ATTACHMENTS})
SMALL_ROW_BYTES = 256 * 1024
"""Reports whose rows weigh more fill half of the reports' share at most, so that the other half is for small ones."""
LONG = "long"
Portion = tuple[Kind, str]
"""What fills half of a kind's share at most: of reports the long ones, of replies those of one commission."""
HALF_LIFE_SECONDS = 600.0


@dataclass
class Arrivals:
    """How much came within the last minutes; what came longer ago counts less and less."""

    _came: float = 0.0
    _at: float = 0.0

    def add(self, amount: int, now: float) -> None:
        self._came, self._at = self.recently(now) + amount, now

    def recently(self, now: float) -> float:
        return self._came * math.exp2(-(now - self._at) / HALF_LIFE_SECONDS)

    def pressure(self, now: float, left: float, limit: int) -> float:
        """From 0 to 1: one half if as much came as is ``left`` of ``limit``."""
        came = self.recently(now)
        return came / (came + max(left, limit // 16)) if came and limit else 0.0

    def pressure_by_turnover(self, now: float, limit: int) -> float:
        """The same for what makes room by itself: how fast things push each other out."""
        return self.pressure(now, limit - self.recently(now), limit)


@dataclass
class _Share:
    """One kind's, or a portion's. ``bound`` is how far this process may fill it until the next count."""

    limit: int = 0
    bound: int = 0
    used: int = 0
    since_count: int = 0
    arrivals: Arrivals = field(default_factory=Arrivals)

    def take(self, size: int) -> None:
        self.used += size
        self.since_count += size

    def give_back(self, size: int) -> None:
        self.used = max(0, self.used - size)
        self.since_count = max(0, self.since_count - size)

    def end_count(self, used: int, limit: int, processes: int) -> None:
        self.used, self.limit = used, limit
        self.bound = used + max(0, limit - used) // processes


@dataclass
class Shares:
    """The shares of all kinds. ``processes``: how many portals fill them. ``is_low`` tells that the disk is nearly full
    whatever the shares say, since others use it too: then no rows are taken."""

    processes: int = 1
    is_low: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = monotonic
    is_counted: bool = False
    has_refused: bool = False
    """Whether anything found no room since the last count."""
    _shares: dict[Kind, _Share] = field(default_factory=lambda: {kind: _Share() for kind in Kind})
    _portions: dict[Portion, _Share] = field(default_factory=dict)

    def has_room(self, kind: Kind, size: int, portion: str = "") -> bool:
        """Whether ``size`` bytes more of this kind may be kept, of a portion of it if one is named.

        Raises BusyError before the first count.
        """
        if not self.is_counted:
            raise BusyError
        fits = all(share.used + size <= share.bound for share in self._filled(kind, portion))
        return fits and (kind in IN_BLOBS or not self.is_low())

    def take(self, kind: Kind, size: int, portion: str = "") -> None:
        """Count ``size`` bytes more. Raises StorageFullError, or BusyError before the first count."""
        if not self.has_room(kind, size, portion):
            self.has_refused = True
            raise StorageFullError
        for share in self._filled(kind, portion):
            share.take(size)
        self._shares[kind].arrivals.add(size, self.clock())

    def give_back(self, kind: Kind, size: int, portion: str = "") -> None:
        """Count ``size`` bytes less."""
        for share in self._filled(kind, portion):
            share.give_back(size)

    def _filled(self, kind: Kind, portion: str) -> Iterator[_Share]:
        """The shares that what is of this portion of this kind fills."""
        yield self._shares[kind]
        if portion:
            half = self._shares[kind].limit // 2
            yield self._portions.setdefault((kind, portion), _Share(half, half // self.processes))

    def begin_count(self) -> None:
        """What is taken from now on may be seen by the count or not: ``end_count`` adds it, rather twice than never.

        Uploads are known one by one, so that theirs are not added.
        """
        for share in (*self._shares.values(), *self._portions.values()):
            share.since_count = 0

    def end_count(
        self, held: Mapping[Kind, int], portions: Mapping[Portion, int], blobs_room: int, rows_room: int
    ) -> None:
        """Take over what a count found held, of kinds and of their portions.

        ``blobs_room`` and ``rows_room``: how many bytes of attachments and of rows the disks can have in all.
        """
        for kind, share in self._shares.items():
            since = 0 if kind is Kind.UPLOADS else share.since_count
            limit = max(0, blobs_room if kind in IN_BLOBS else rows_room) * PARTS[kind] // 100
            share.end_count(held[kind] + since, limit, self.processes)
        for portion in self._portions.keys() | portions.keys():
            share, half = self._portions.setdefault(portion, _Share()), self._shares[portion[0]].limit // 2
            share.end_count(portions.get(portion, 0) + share.since_count, half, self.processes)
        self.is_counted, self.has_refused = True, False

    def pressure(self) -> float:
        """How fast the share is filled that is filled fastest, from 0 to 1: one half if as much came within the last
        minutes as it has left.

        A share that is full for long is none: nothing comes, and no work would make room. Uploads make room by
        themselves; of their share counts how fast they push each other out. What offices post is no stranger's.
        """
        strangers = [each for each in self._shares.items() if each[0] is not Kind.REPLIES]
        return max(self._pressure(kind, share) for kind, share in strangers)

    def _pressure(self, kind: Kind, share: _Share) -> float:
        if kind is Kind.UPLOADS:
            return share.arrivals.pressure_by_turnover(self.clock(), share.limit)
        return share.arrivals.pressure(self.clock(), share.limit - share.used, share.limit)

    def used(self, kind: Kind) -> int:
        """Bytes that this kind fills, as far as this process knows."""
        return self._shares[kind].used
