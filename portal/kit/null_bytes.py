# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses addresses with a null byte: PostgreSQL cannot store one in a text, and fails when asked for it."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class NoNullBytes:
    """ASGI middleware: such an address is answered 404."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await PlainTextResponse("There is no such page.", 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)
