# SPDX-License-Identifier: AGPL-3.0-or-later
"""A full disk: members go on reading, log in, and are told.

Reading a page writes a little, and so does a login. A ballast is dropped for that when the disk is full
(``portal.kit.free_space``); as long as it is away, every page says so.
"""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

from portal.kit.free_space import Ballast

LOG = logging.getLogger("oversight")
BALLAST_BYTES = 16 * 1024 * 1024


class FullDisk:
    """ASGI middleware that sees to the ballast before each request; ``request.state.disk_is_full`` tells pages."""

    def __init__(self, app: ASGIApp, ballast: Ballast) -> None:
        self.app = app
        self._ballast = ballast

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["disk_is_full"] = not self._is_there()
        await self.app(scope, receive, send)

    def _is_there(self) -> bool:
        try:
            return self._ballast.adjust()
        except OSError as error:
            LOG.error("the ballast could not be seen to: %s", type(error).__name__)
            return False
