# SPDX-License-Identifier: AGPL-3.0-or-later
"""Between requests the office holds nothing of those that it has answered: no cookie, no key, no text."""

import gc
import urllib.parse

from starlette.types import ASGIApp, Receive, Scope, Send


def forgetting(app: ASGIApp) -> ASGIApp:
    """``app``, and nothing of a request once it is answered.

    A server keeps what it knows of a request until the next one comes by the same connection. Objects that refer to
    each other, as errors do to what they passed through, are looked for at once instead of some time later.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        # The server's own list: pages put another one into the scope.
        headers = scope["headers"]
        try:
            await app(scope, receive, send)
        finally:
            headers.clear()
            # A server that has to answer by itself asks for these two.
            for name in scope.keys() - {"type", "method"}:
                del scope[name]
            # Python keeps the last addresses that it took apart.
            urllib.parse.clear_cache()  # type: ignore[attr-defined]
            gc.collect()

    return answer
