# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ASGI endpoint of the site: one look-up in a dictionary for each request, the same answer for everyone."""

from functools import lru_cache

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal.pages.site import Page, Site

_READING = ("GET", "HEAD")
RETRY_SECONDS = "60"
# Browsers send a few different ones; a stranger's, of any length that a head may have, push one another out.
ACCEPTED_KEPT_MAX = 64
_IMMUTABLE = "public, max-age=31536000, immutable"


class SiteEndpoint:
    """Serves ``site``; a new charter replaces it.

    Documents are never cached (``no-store``), assets forever: their path changes with their bytes. A path that lacks
    only its trailing slash is redirected, to a relative address. A page that is withheld is answered 503.
    """

    def __init__(self, site: Site) -> None:
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site, path = self.site, scope["path"]
        page = site.get(path) if scope["method"] in _READING else None
        if page is not None and not page.immutable:
            # Nearly every request, and so without the detour over a Response.
            encoding, body = _choose(page, _accepted(scope))
            await send(
                {"type": "http.response.start", "status": 200, "headers": _document_headers(page, encoding, body)}
            )
            await send({"type": "http.response.body", "body": body})
            return
        response = self._answer(site, scope["method"], path, Headers(scope=scope))
        await response(scope, receive, send)

    async def answer_unavailable(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that a page can't be shown at the moment."""
        response = _unavailable(self.site, scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    def _answer(self, site: Site, method: str, path: str, headers: Headers) -> Response:
        if method not in _READING:
            return PlainTextResponse("Method Not Allowed", 405, {"allow": ", ".join(_READING)})
        page = site.get(path)
        if page is not None:
            return _page_response(page, headers, 200)
        if path in site.withheld:
            return _unavailable(site, path, headers)
        if site.get(f"{path}/") is not None:
            return RedirectResponse(f"{path.rsplit('/', 1)[1]}/", 308)
        return _page_response(site.not_found(path), headers, 404)


def _accepted(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted: str = value.decode("latin-1")
            return accepted
    return ""


def _document_headers(page: Page, encoding: str, body: bytes) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-security-policy", page.csp.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept-encoding"),
        (b"content-type", page.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(body)),
    ]
    return [*headers, (b"content-encoding", encoding.encode("latin-1"))] if encoding else headers


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


def _unavailable(site: Site, path: str, headers: Headers) -> Response:
    response = _page_response(site.unavailable(path), headers, 503)
    response.headers["retry-after"] = RETRY_SECONDS
    return response


def _choose(page: Page, accepted: str) -> tuple[str, bytes]:
    """Return the smallest encoding that the page has and the client accepts: brotli, gzip, or the bytes as they are."""
    taken = _codings(accepted)
    for coding, body in (("br", page.brotli), ("gzip", page.gzip)):
        if body and coding in taken:
            return coding, body
    return "", page.body


@lru_cache(ACCEPTED_KEPT_MAX)
def _codings(accepted: str) -> frozenset[str]:
    return frozenset(_coding(item) for item in accepted.lower().split(","))


def _coding(item: str) -> str:
    """Return the name in one item of Accept-Encoding, or an empty string when its weight is zero."""
    name, _, weight = item.partition(";")
    refused = weight.replace(" ", "").removeprefix("q=").strip("0.") == "" and weight != ""
    return "" if refused else name.strip()
