# SPDX-License-Identifier: AGPL-3.0-or-later
"""Between requests the office holds nothing of those that it has answered: no cookie, no key, no text."""

import asyncio
import gc
import time
import urllib.parse
from contextvars import Context

from starlette.types import ASGIApp, Receive, Scope, Send

# Looking through a hundred requests that are under way takes as long as answering one. Half a second keeps it to a part
# of the processor, whatever a stranger asks for.
BUSY_SECONDS = 0.5
# All that lives takes a tenth of a second, so it is looked through from time to time.
UNFREEZE_SECONDS = 60.0


class Garbage:
    """Finds what answered requests left behind: objects that refer to each other, as errors do to what they passed.

    It is looked for as soon as nothing is under way, and every ``BUSY_SECONDS`` as long as something is. What lives
    while nothing is under way is none of a request's: it is passed by from then on, so that a thousand open connections
    do not make each answer dearer. What of that gives itself up in a circle is found after ``UNFREEZE_SECONDS``.
    """

    def __init__(self) -> None:
        self._under_way = 0
        self._planned: asyncio.Handle | None = None
        self._is_soon = False
        self._unfrozen_at = time.monotonic()

    def begin(self) -> None:
        """A request is under way."""
        self._under_way += 1

    def end(self, _: object) -> None:
        """Its task has ended."""
        self._under_way -= 1
        loop = asyncio.get_running_loop()
        if self._under_way:
            self._planned = self._planned or loop.call_later(BUSY_SECONDS, self._collect, context=Context())
        elif not self._is_soon:
            if self._planned is not None:
                self._planned.cancel()
            self._planned, self._is_soon = loop.call_soon(self._collect, context=Context()), True

    def _collect(self) -> None:
        self._planned, self._is_soon = None, False
        now = time.monotonic()
        if not self._under_way and now - self._unfrozen_at >= UNFREEZE_SECONDS:
            self._unfrozen_at = now
            gc.unfreeze()
        gc.collect()
        if not self._under_way:
            gc.freeze()


def forgetting(app: ASGIApp) -> ASGIApp:
    """``app``, and nothing of a request once it is answered.

    A server keeps what it knows of a request until the next one comes by the same connection.
    """
    garbage = Garbage()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        # The server's own list: pages put another one into the scope.
        headers = scope["headers"]
        garbage.begin()
        task = asyncio.current_task()
        assert task is not None
        # When it has ended: it holds its request, and all that was kept for its time.
        task.add_done_callback(garbage.end, context=Context())
        try:
            await app(scope, receive, send)
        finally:
            headers.clear()
            # A server that has to answer by itself asks for these two.
            for name in scope.keys() - {"type", "method"}:
                del scope[name]
            # Python keeps the last addresses that it took apart.
            urllib.parse.clear_cache()  # type: ignore[attr-defined]

    return answer
