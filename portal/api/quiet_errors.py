# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unexpected errors: logged by class and place only, as a message may quote a request.

What the disk or the database does not take is answered with ``unavailable`` or ``storage-full``, and tried again by
itself; anything else with ``internal``.
"""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.api.responses import error_response
from portal.kit.quiet_logging import describe_error
from portal.kit.unwritable import Unwritable, why_unwritable

LOG = logging.getLogger("portal")


class QuietErrors:
    """ASGI middleware, the outermost one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception as error:
            LOG.error(describe_error(error))
            if not started:
                await error_response(_code(error))(scope, receive, send)


def _code(error: Exception) -> str:
    match why_unwritable(error):
        case None:
            return "internal"
        case Unwritable.FULL:
            return "storage-full"
        case _:
            return "unavailable"
