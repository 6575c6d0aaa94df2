# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns: how many requests of one kind are worked on at once, so that no kind keeps another waiting.

The server starts a request when its body is there, or ``GATHERED_BYTES`` of it, so a turn is taken by bytes that came.
A longer body goes on coming during its turn. When there is no turn left, the one that comes slowest gives its own up.
A turn ends when the answer begins: the work is done then, and how long the client takes to read is its own affair.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.kit.body import GATHERED_BYTES, declared_length
from portal.storage.errors import BusyError

# A body is not judged by its rate before.
SECONDS_MIN = 5
# Of a long report 1.3 MB are in memory at a time.
LONG_REPORTS_SHARE = 4
DOWNLOADS_SHARE = 4


class Turn:
    """One request that is worked on. ``limit`` ends it when its turn is taken from it."""

    def __init__(self, began: float, *, comes: bool) -> None:
        self.limit = asyncio.timeout(None)
        self.began = began
        self.came = 0
        self.comes = comes

    def rate(self, now: float) -> float:
        """Bytes a second since it began."""
        return self.came / max(now - self.began, 1e-6)

    def counting(self, receive: Receive) -> Receive:
        async def counted() -> Message:
            message = await receive()
            self.came += len(message.get("body", b""))
            self.comes = self.comes and message.get("more_body", False)
            return message

        return counted


class Turns:
    """``count_max`` turns of one kind."""

    def __init__(self, count_max: int) -> None:
        self.count_max = count_max
        self._taken: set[Turn] = set()

    def share_in_use(self) -> float:
        """From 0 to 1."""
        return min(1.0, len(self._taken) / self.count_max)

    def take(self, *, comes: bool) -> Turn:
        """For a request whose body still ``comes``, or is there. Raises BusyError when there is none, and nobody slow
        to take it from."""
        now = asyncio.get_running_loop().time()
        if len(self._taken) >= self.count_max:
            self._take_from_slowest(now)
        turn = Turn(now, comes=comes)
        self._taken.add(turn)
        return turn

    def give_back(self, turn: Turn) -> None:
        self._taken.discard(turn)

    def _take_from_slowest(self, now: float) -> None:
        coming = [turn for turn in self._taken if turn.comes and now - turn.began >= SECONDS_MIN]
        if not coming:
            raise BusyError
        slowest = min(coming, key=lambda turn: turn.rate(now))
        self._taken.remove(slowest)
        slowest.limit.reschedule(now)


class SharedTurns:
    """``count_max`` turns, of which one commission holds a quarter at most, or two: they last as long as it reads."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._each_max = max(2, count_max // DOWNLOADS_SHARE)
        self._taken: Counter[str] = Counter()

    def in_use(self) -> int:
        return self._taken.total()

    @contextmanager
    def turn(self, slug: str) -> Iterator[None]:
        """Raises BusyError when there is none, or none for this commission."""
        if self.in_use() >= self._count_max or self._taken[slug] >= self._each_max:
            raise BusyError
        self._taken[slug] += 1
        try:
            yield
        finally:
            self._taken[slug] -= 1


@dataclass(frozen=True)
class RequestTurns:
    """The kinds, each with ``count_max`` turns; long reports, which take memory, have a quarter of them.

    ``downloads`` are taken by an office's request for a file, beside its turn of ``offices``, and last longer.
    """

    count_max: int
    reports: Turns = field(init=False)
    long_reports: Turns = field(init=False)
    parts: Turns = field(init=False)
    mailboxes: Turns = field(init=False)
    offices: Turns = field(init=False)
    charters: Turns = field(init=False)
    downloads: SharedTurns = field(init=False)

    def __post_init__(self) -> None:
        for name in ("reports", "parts", "mailboxes", "offices", "charters"):
            object.__setattr__(self, name, Turns(self.count_max))
        object.__setattr__(self, "downloads", SharedTurns(self.count_max))
        object.__setattr__(self, "long_reports", Turns(max(1, self.count_max // LONG_REPORTS_SHARE)))

    def writes_max(self) -> int:
        """How many requests may wait for the database at once."""
        kinds = (self.reports, self.long_reports, self.mailboxes, self.offices, self.charters)
        return sum(kind.count_max for kind in kinds)

    def share_in_use(self) -> float:
        """From 0 to 1: how close the portal is to refusing what strangers send, by the kind that has least left."""
        return max(kind.share_in_use() for kind in (self.reports, self.long_reports, self.parts, self.mailboxes))

    def for_bundle(self, scope: Scope) -> Turns:
        """Reports that are here already don't wait for those that are still coming."""
        return self.long_reports if _comes(scope) else self.reports


def _comes(scope: Scope) -> bool:
    """Whether the body may still be coming when its request begins: it is long, or its length is not known."""
    headers = Headers(scope=scope)
    length = declared_length(headers)
    return "transfer-encoding" in headers if length is None else length > GATHERED_BYTES


class InTurn:
    """ASGI middleware of a route: raises BusyError when there is no turn, or when it was taken away."""

    def __init__(self, app: ASGIApp, choose: Callable[[Scope], Turns]) -> None:
        self._app = app
        self._choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        turns = self._choose(scope)
        turn = turns.take(comes=_comes(scope))

        async def give_back_and_send(message: Message) -> None:
            # Before it is sent: sending waits for whoever does not read.
            turns.give_back(turn)
            await send(message)

        try:
            async with turn.limit:
                await self._app(scope, turn.counting(receive), give_back_and_send)
        except TimeoutError:
            if turn.limit.expired():
                raise BusyError from None
            raise
        finally:
            turns.give_back(turn)
