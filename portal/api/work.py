# SPDX-License-Identifier: AGPL-3.0-or-later
"""The work that strangers do under pressure (docs/protocol.md §7.4): asked for, checked, counted once.

Checked before a body is read: a hash for a guess, at most eighteen for work that counts.
"""

import asyncio
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.encoding import label
from crypto.errors import CryptoError
from crypto.work import CHALLENGE_BYTES, HEADER, Work, parse_work
from portal.api.content_digest import content_digest
from portal.api.pressure import PERIOD_SECONDS, Pressure
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.api.used_work import UsedWork
from portal.storage.errors import BusyError

_BASE = "/api/v1/"


class StrangersWork:
    """``secret`` (32 bytes) is the same in all processes of a portal and after a restart: so are the challenges."""

    def __init__(self, secret: bytes, pressure: Pressure, clock: Callable[[], datetime]) -> None:
        self._key = hmac.digest(secret, label("work"), "sha256")
        self.pressure = pressure
        self._clock = clock
        self._used = UsedWork()

    def routes(self) -> list[Route]:
        return [Route("/work", self.tell)]

    async def tell(self, _: Request) -> Response:
        """Say what work is asked for, if any."""
        return json_response({"work": self._asked()})

    @contextmanager
    def admit(self, request: Request) -> Iterator[None]:
        """Let a stranger's request in, whose body must not have been read.

        Raises Refusal ``work-needed`` when there is pressure and its work does not count, or was used. A BusyError of
        what stands inside gives the work back, and so does the loss of its turn, which cancels it.
        """
        bits = self.pressure.bits_min()
        if bits is None:
            yield
            return
        period, seed = self._check(request, bits)
        if not self._used.use(period, seed):
            raise self._refusal()
        try:
            yield
        except (BusyError, asyncio.CancelledError):
            self._used.give_back(period, seed)
            raise

    def _asked(self) -> dict[str, str | int] | None:
        bits = self.pressure.bits()
        return None if bits is None else {"challenge": self._challenge(self._period()).hex(), "bits": bits}

    def _refusal(self) -> Refusal:
        """It says what is asked for: whoever asks first may be told so by a process that asks for less."""
        return Refusal("work-needed", work=self._asked())

    def _check(self, request: Request, bits: int) -> tuple[int, bytes]:
        """Return the period and the seed of the request's work. Raises Refusal."""
        try:
            work = parse_work(request.headers.get(HEADER, ""))
        except CryptoError:
            raise self._refusal() from None
        period = self._period_of(work)
        path, digest = request.scope["path"].removeprefix(_BASE), bytes.fromhex(content_digest(request))
        try:
            work.check(path, digest, bits)
        except CryptoError:
            raise self._refusal() from None
        return period, work.seed(path, digest)

    def _period_of(self, work: Work) -> int:
        now = self._period()
        for period in (now, now - 1):
            if hmac.compare_digest(work.challenge, self._challenge(period)):
                return period
        raise self._refusal()

    def _period(self) -> int:
        return int(self._clock().timestamp()) // PERIOD_SECONDS

    def _challenge(self, period: int) -> bytes:
        return hmac.digest(self._key, period.to_bytes(8, "big"), "sha256")[:CHALLENGE_BYTES]
