# SPDX-License-Identifier: AGPL-3.0-or-later
"""Security headers on every answer: the content policy of each kind of page, and nothing that names a visitor."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REPORTER_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; worker-src 'self'; "
    "require-trusted-types-for 'script'"
)
REGISTER_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
OFFICE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"

_COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), interest-cohort=()"
    ),
}


def security_headers(csp: str, https: bool) -> dict[str, str]:
    """The headers of an answer with the policy ``csp``. ``https`` adds Strict-Transport-Security."""
    headers = {**_COMMON, "content-security-policy": csp, "cache-control": "no-store"}
    if https:
        headers["strict-transport-security"] = "max-age=63072000; includeSubDomains; preload"
    return headers


class SecurityHeaders:
    """ASGI middleware that adds the headers that an endpoint did not set itself.

    ``csp`` is the policy of answers without one. ``https`` adds Strict-Transport-Security.
    """

    def __init__(self, app: ASGIApp, csp: str, https: bool) -> None:
        self.app = app
        # As ASGI has them: names in lower case.
        own = security_headers(csp, https)
        self._raw = {name.encode("latin-1"): value.encode("latin-1") for name, value in own.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                there = {name for name, _ in own}
                own += [(name, value) for name, value in self._raw.items() if name not in there]
                message["headers"] = own
            await send(message)

        await self.app(scope, receive, send_with_headers)
