# SPDX-License-Identifier: AGPL-3.0-or-later
"""One connection to one portal: the only place that knows the library of the wire.

Nothing that comes back is trusted with time or memory: an answer begins soon, goes on at a least rate, and ends at a
length, its head too; it is never decompressed, no redirect is followed, and no cookie is kept. Bytes are handed on
as they come, and between any two pieces everything else in the process has its turn.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from oversight.wire.heads import Connections, bounded_head
from oversight.wire.patience import SECONDS, Patience
from oversight.wire.portal_errors import PortalAway, PortalUnreachable

CONNECT_SECONDS_MAX = 15.0
CONNECTIONS_MAX = 16
# What an answer wants kept would make the head of every later request longer, until an honest portal refuses it.
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=[])


class Answer:
    """An answer whose head has come: its status, and its body in pieces."""

    def __init__(self, response: httpx.Response, patience: Patience, seconds: Callable[[], float]) -> None:
        self._response = response
        self._patience = patience
        self._seconds = seconds
        self.status = response.status_code

    @property
    def is_success(self) -> bool:
        return self._response.is_success

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it came. Raises PortalUnreachable (``slow``), or a TimeoutError that ``ask`` makes one, when it
        comes slower than the patience lasts.

        What the caller does between two pieces does not count.
        """
        stream = self._response.aiter_raw()
        while True:
            began = self._seconds()
            # What comes may be no piece for ever: the line before a chunk, or fields behind the last one.
            async with asyncio.timeout(self._patience.left):
                piece = await anext(stream, None)
            self._patience.wait(self._seconds() - began, len(piece or b""))
            if piece is None:
                return
            yield piece
            # Many small pieces may lie in one buffer, and come without the loop ever waiting.
            await asyncio.sleep(0)

    async def whole(self, bytes_max: int) -> bytes:
        """The whole body. Raises PortalUnreachable, ``too-long`` above ``bytes_max``."""
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > bytes_max:
                raise PortalUnreachable("the portal's answer is too long", "too-long")
        return bytes(body)


class Connection:
    """Requests to ``portal_url``, each over its own or a kept connection. ``transport`` stands for the network.

    ``answers`` counts those to which something was answered, whatever it was.
    """

    def __init__(
        self,
        portal_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.answers = 0
        self._seconds = seconds
        self._http = httpx.AsyncClient(
            base_url=portal_url,
            transport=transport or Connections(CONNECTIONS_MAX),
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "amparo-office", "Accept-Encoding": "identity"},
            cookies=CookieJar(_NO_COOKIES),
        )

    async def close(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def ask(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> AsyncIterator[Answer]:
        """The answer, its body not read yet; every failure on the way becomes a PortalUnreachable."""
        timeout = httpx.Timeout(patience.seconds, connect=CONNECT_SECONDS_MAX)
        try:
            request = self._http.build_request(method, target, content=body, headers=dict(headers), timeout=timeout)
            began = self._seconds()
            with bounded_head():
                async with asyncio.timeout(patience.seconds):
                    response = await self._http.send(request, stream=True)
            self.answers += 1
            try:
                patience.wait(self._seconds() - began)
                yield Answer(response, patience, self._seconds)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PortalAway(f"no connection to the portal ({type(error).__name__})") from None
        except (httpx.TimeoutException, TimeoutError) as error:
            raise PortalUnreachable(f"no answer from the portal ({type(error).__name__})", "slow") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PortalUnreachable(f"the connection to the portal broke off ({type(error).__name__})") from None
