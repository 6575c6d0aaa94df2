# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses requests that another site made a browser send: protects everything that relies on a cookie."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossOriginCheck:
    """ASGI middleware: a request that can change something must come from a page of ``origin``.

    Browsers say so in Sec-Fetch-Site; older ones in Origin. No supported browser sends a page's request with neither,
    and such a request is refused too: forms always send Origin.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self.app = app
        self.origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or self._is_ours(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        await PlainTextResponse("This request did not come from a page of this office.", 403)(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return headers.get("origin") == self.origin
