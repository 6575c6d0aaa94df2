# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gives each request the application's open database."""

from starlette.types import ASGIApp, Receive, Scope, Send

from portal.kit.database import Database


class InDatabase:
    """ASGI middleware that makes ``app.state.database`` the database of the request's task."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        database: Database = scope["app"].state.database
        with database.use():
            await self.app(scope, receive, send)
