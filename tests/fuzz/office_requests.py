# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hostile requests to every route of the office, as a server would hand them over: made of a seed, without an end.

What a request is made of: the routes that the application has, the fields that its source reads, values that are right,
and values that are not. ``answer`` plays the server, so that nothing on the way puts a request right.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, quote_from_bytes, unquote

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message

from tests.conftest import ROOT

_FIELD = re.compile(
    r'form\.\w+\(\s*"([a-z_-]+)"|query_params(?:\.get\(|\[)"([a-z_]+)"|"([a-z_]+)" in request\.query_params'
)
_HOLE = re.compile(r"{(\w+)(?::\w+)?}")

ODD: tuple[bytes, ...] = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"'; DROP TABLE member; --",
    b"{{7*7}}",
    b"%(name)s %s {0}",
    b"..%2f..%2fetc%2fpasswd",
    b"../../etc/passwd",
    b"//[",
    b"//[::1",
    b"http://[",
    b"\\\\evil",
    b"javascript:alert(1)",
    b"a\r\nset-cookie: x=y",
    b"-1",
    b"0",
    b"99999999999999999999999999",
    b"9" * 5000,
    b"1e999",
    b"NaN",
    b"0000-00-00",
    b"9999-12-31",
    b"0001-01-01",
    b"9999-12-31.1",
    b"9.9.999999999",
    b"x" * 33,
    b"x" * 65,
    b"x" * 300,
    b"a" * 32,
    b"f" * 64,
    b"a" * 20_001,
    "é".encode() * 300,
    "ا".encode() * 2_000,
    "\u202e\u2066\u200b".encode(),
    "\ud7ff\U0010ffff\ufffe".encode(),
    "e\u0301".encode() * 500,
    b"\n" * 3_000,
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"host", b"["),
    (b"host", b"evil.test:99999"),
    (b"host", b""),
    (b"host", b"\xff"),
    (b"accept-language", b"\xff\xfe,,;;q=,*;q=9e9,ar-XX-" + b"y" * 3000),
    (b"accept-language", b"xx, ary;q=0.9, -, --, a-b-c-d-e-f"),
    (b"accept-encoding", b"\xff"),
    (b"cookie", b"session=\xff; session=" + b"A" * 64 + b"; browser=zz;;;=;"),
    (b"cookie", b"\0\xff=" + b"B" * 5000),
    (b"content-length", b"99999999999999999999"),
    (b"content-length", b"\xb2"),
    (b"content-type", b"multipart/form-data"),
    (b"content-type", b"multipart/form-data; boundary=\xff"),
    (b"content-type", b"application/json"),
    (b"content-type", b"application/x-www-form-urlencoded; charset=utf-7"),
    (b"range", b"bytes=0-,-,9-1"),
    (b"if-modified-since", b"\xff"),
    (b"x-forwarded-host", b"evil.test"),
)
BODIES: tuple[bytes, ...] = (
    b"",
    b"&" * 5_000,
    b"a=b&" * 1_500,
    b"=%zz&%=%&%ff=%ed%a0%80",
    b'{"a": 1}',
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
    b"\xff" * 3_000,
    b"a=" + b"x" * 3_000_000,
)


@dataclass(frozen=True)
class Request:
    """A request as its bytes; the path is escaped as it would stand in the first line."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        shown = self.body if len(self.body) < 2_000 else self.body[:2_000] + b" [cut off]"
        return f"{self.method} {self.path!r} ? {self.query[:500]!r} {self.headers!r:.500} {shown!r}"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def fields_read() -> tuple[str, ...]:
    """The names of every field and parameter that the office's source asks for."""
    found: set[str] = set()
    for path in sorted((ROOT / "oversight").rglob("*.py")):
        for match in _FIELD.finditer(path.read_text(encoding="utf-8")):
            found.update(filter(None, match.groups()))
    return tuple(sorted(found))


def page_routes(app: Starlette) -> list[Route]:
    return [route for route in app.routes if isinstance(route, Route)]


def hostile_requests(
    rng: Random, routes: Sequence[Route], known: Mapping[str, Sequence[str]], headers: Sequence[tuple[bytes, bytes]]
) -> Iterator[Request]:
    """Requests to these routes in turn. ``known`` are right values: by the names of path parameters, and of ``fields``.

    ``headers`` are those of the browser: its cookies, and where the request comes from.
    """
    names = fields_read()

    def value(right: Sequence[str]) -> bytes:
        if right and rng.random() < 0.5:
            return rng.choice(right).encode()
        return rng.randbytes(rng.randrange(40)) if rng.random() < 0.1 else rng.choice(ODD)

    def form() -> bytes:
        chosen = rng.sample(names, rng.randrange(1, len(names)))
        return b"&".join(
            quote(name).encode() + b"=" + quote_from_bytes(value(known["fields"])).encode() for name in chosen
        )

    while True:
        for route in routes:
            path = _HOLE.sub(lambda hole: quote_from_bytes(value(known.get(hole[1], ())), safe="") or "%20", route.path)
            method = rng.choice(sorted(route.methods or {"GET"}))
            extra = tuple(rng.sample(HEADERS, rng.choice((0, 0, 1, 3))))
            body = form() if rng.random() < 0.9 else rng.choice(BODIES)
            query = form()[: rng.randrange(3000)] if rng.random() < 0.4 else b""
            yield Request(method, path.encode(), query, (*headers, *extra), body if method == "POST" else b"")


async def answer(app: Starlette, request: Request) -> Answer:
    """The application's answer. What it raises is raised, after a server would have answered 500."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        # As uvicorn does it.
        "path": unquote(request.path.decode("ascii")),
        "raw_path": request.path,
        "query_string": request.query,
        "root_path": "",
        "headers": [*request.headers],
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    bodies = [request.body]
    status, headers, body = 0, {}, bytearray()

    async def receive() -> Message:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.update({name.decode("latin-1"): text.decode("latin-1") for name, text in message["headers"]})
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status, headers, bytes(body))
