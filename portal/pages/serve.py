# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ASGI endpoint of the site: one look-up in a dictionary for each request, the same answer for everyone."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal.pages.site import Page, SiteHolder

_READING = ("GET", "HEAD")
RETRY_SECONDS = "60"
_IMMUTABLE = "public, max-age=31536000, immutable"


class SiteEndpoint:
    """Serves the current site of ``holder``.

    Documents are never cached (``no-store``), assets forever: their path changes with their bytes. A path that lacks
    only its trailing slash is redirected, to a relative address. A page that is withheld is answered 503.
    """

    def __init__(self, holder: SiteHolder) -> None:
        self.holder = holder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._answer(scope["method"], scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    def _answer(self, method: str, path: str, headers: Headers) -> Response:
        if method not in _READING:
            return PlainTextResponse("Method Not Allowed", 405, {"allow": ", ".join(_READING)})
        site = self.holder.site
        page = site.get(path)
        if page is not None:
            return _page_response(page, headers, 200)
        if path in site.withheld:
            response = _page_response(site.unavailable(path), headers, 503)
            response.headers["retry-after"] = RETRY_SECONDS
            return response
        if site.get(f"{path}/") is not None:
            return RedirectResponse(f"{path.rsplit('/', 1)[1]}/", 308)
        return _page_response(site.not_found(path), headers, 404)


def _page_response(page: Page, headers: Headers, status: int) -> Response:
    own = {
        "content-security-policy": page.csp,
        "cache-control": _IMMUTABLE if page.immutable else "no-store",
        "vary": "accept-encoding",
    }
    if page.immutable:
        own["etag"] = page.etag
        if page.etag in [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=own)
    encoding, body = _choose(page, headers.get("accept-encoding", ""))
    if encoding:
        own["content-encoding"] = encoding
    own["content-type"] = page.content_type
    return Response(body, status, own)


def _choose(page: Page, accepted: str) -> tuple[str, bytes]:
    """Return the smallest encoding that the client accepts: brotli, gzip, or the bytes as they are."""
    taken = {_coding(item) for item in accepted.lower().split(",")}
    for coding, body in (("br", page.brotli), ("gzip", page.gzip)):
        if coding in taken:
            return coding, body
    return "", page.body


def _coding(item: str) -> str:
    """Return the name in one item of Accept-Encoding, or an empty string when its weight is zero."""
    name, _, weight = item.partition(";")
    refused = weight.replace(" ", "").removeprefix("q=").strip("0.") == "" and weight != ""
    return "" if refused else name.strip()
