# SPDX-License-Identifier: AGPL-3.0-or-later
"""A request as bytes, put to a program in this process, and what must hold of whatever is answered to it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from tests.fuzz.alterations import BROKEN_UTF_8, ODD_TEXTS, SWELLING, Alter, alter_bytes, swell
from tests.fuzz.odd import ODD_HEADERS

Headers = tuple[tuple[bytes, bytes], ...]
# With these a program says that it is busy or full: no fault of it.
DELIBERATE = {503, 507}
ON_EVERY_ANSWER = (
    "x-content-type-options",
    "referrer-policy",
    "x-frame-options",
    "content-security-policy",
    "cache-control",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"get", b"X-A")
CHUNK_BYTES = 4096
# Stands in what is sent; no header of an answer may hold it.
MARK = b"zqfuzzzq"


@dataclass(frozen=True)
class Call:
    """A request: ``target`` is path and query as they stand in it."""

    method: bytes
    target: bytes
    headers: Headers = ()
    body: bytes = b""

    def encode(self) -> bytes:
        """As it goes over a wire; ``decode`` reads it again."""
        lines = [self.method + b" " + self.target + b" HTTP/1.1", *(b": ".join(header) for header in self.headers)]
        return b"\r\n".join([*lines, b"", b""]) + self.body

    @classmethod
    def decode(cls, data: bytes) -> "Call":
        head, _, body = data.partition(b"\r\n\r\n")
        line, *headers = head.split(b"\r\n")
        method, _, target = line.removesuffix(b" HTTP/1.1").partition(b" ")
        pairs = (header.partition(b": ") for header in headers)
        return cls(method, target, tuple((name, value) for name, _, value in pairs), body)

    def with_header(self, name: bytes, value: bytes) -> "Call":
        kept = tuple(header for header in self.headers if header[0] != name)
        return replace(self, headers=(*kept, (name, value)))

    def scope(self) -> Scope:
        path, _, query = self.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method.decode("latin-1").upper(),
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.headers],
            "client": None,
            "server": ("127.0.0.1", 80),
            "state": {},
        }


@dataclass
class Answer:
    """What came back, as far as it came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False


class Log(logging.Handler):
    """Everything that is logged while it listens."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")

    def __enter__(self) -> "Log":
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


async def put(app: ASGIApp, call: Call, stays: bool = True) -> Answer:
    """Put a request to a program. Who does not stay hangs up when half of the body is sent."""
    pieces = [call.body[at : at + CHUNK_BYTES] for at in range(0, len(call.body), CHUNK_BYTES)] or [b""]
    waiting = pieces if stays else pieces[: len(pieces) // 2]
    answer, sent = Answer(), 0

    async def receive() -> Message:
        nonlocal sent
        sent += 1
        if sent > len(waiting):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting[sent - 1], "more_body": sent < len(pieces)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")
            answer.is_whole = not message.get("more_body", False)

    await app(call.scope(), receive, send)
    return answer


async def fault_of(app: ASGIApp, call: Call, stays: bool = True) -> str | None:
    """What is wrong with how a program takes this request; ``None`` if nothing is."""
    with Log() as log:
        try:
            answer = await put(app, call, stays)
        except Exception as error:
            return f"raised {error!r}"
    if log.lines:
        return f"logged {log.lines}"
    if not stays:
        return None
    return _fault(answer)


def _fault(answer: Answer) -> str | None:
    if not answer.is_whole or answer.status < 200:
        return f"answered {answer.status} and did not end"
    if answer.status >= 500 and answer.status not in DELIBERATE:
        return f"answered {answer.status}"
    missing = [name for name in ON_EVERY_ANSWER if name not in answer.headers]
    if missing:
        return f"answered {answer.status} without {missing}"
    if b"Traceback" in answer.body:
        return f"answered {answer.status} with a traceback"
    location = answer.headers.get("location", "/")
    if not location.startswith("/") or location.startswith(("//", "/\\")):
        return f"answered {answer.status}, and sent to another address: {location}"
    # A login form remembers where on this site somebody wanted to go.
    headers = {name: value for name, value in answer.headers.items() if name != "location"}
    told = [name for name, value in headers.items() if MARK.decode() in value.lower()]
    return f"answered {answer.status}, and told in {told} what was asked" if told else None


def alter_call(chance: Random, call: Call, alter_body: Sequence[Alter]) -> Call:
    """One to three times: another method, path, query, header or body."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        match chance.randrange(10):
            case 0:
                call = replace(call, method=chance.choice(METHODS))
            case 1 | 2:
                call = replace(call, target=_alter_path(chance, call.target))
            case 3:
                path, _, query = call.target.partition(b"?")
                query = chance.choice((query, b"after=1", b"next=/", b"x")) + b"&" + MARK + b"="
                call = replace(call, target=path + b"?" + quoted(chance.choice((alter_bytes, swell))(chance, query)))
            case 4 | 5 if call.headers:
                call = replace(call, headers=_alter_headers(chance, call.headers))
            case _:
                call = replace(call, body=chance.choice(alter_body)(chance, call.body) if call.body else MARK)
                # What is altered need not be of its form any more.
                alter_body = (alter_bytes, swell)
    return call


def quoted(data: bytes) -> bytes:
    """Only what may stand in a request line: the rest percent-encoded."""
    return b"".join(bytes([byte]) if 0x21 <= byte < 0x7F else b"%%%02X" % byte for byte in data)


def _alter_path(chance: Random, target: bytes) -> bytes:
    path, mark, query = target.partition(b"?")
    parts = path.split(b"/")
    at = chance.randrange(1, len(parts))
    odd = chance.choice((*(text.encode() for text in (*ODD_TEXTS, *SWELLING)), *BROKEN_UTF_8))
    parts[at] = chance.choice(
        (
            odd,
            parts[at] + odd,
            b"..",
            b"",
            b"%2e%2e%2f",
            parts[at] * 40,
            MARK + odd * 300,
            parts[at][:-1],
            alter_bytes(chance, parts[at]),
            b"0" * chance.choice((1, 32, 64, 65, 4300, 5000)),
            b"9" * chance.choice((1, 10, 20, 4301)),
        )
    )
    return b"/" + quoted(b"/".join(parts[1:])) + mark + query


def _alter_headers(chance: Random, headers: Headers) -> Headers:
    at = chance.randrange(len(headers))
    name, value = headers[at]
    altered = chance.choice((alter_bytes, alter_bytes, swell))(chance, value + chance.choice((b"", MARK)))
    sendable = bytes(byte for byte in altered if byte not in b"\r\n\0")
    others = (headers[:at], headers[at + 1 :])
    return chance.choice(
        (
            (*others[0], (name, sendable), *others[1]),
            (*others[0], *others[1]),
            (*headers, (name, sendable)),
            (*headers, (b"content-length", b"9" * 30)),
            (*headers, (b"host", MARK)),
            (*headers, (b"cookie", sendable)),
            (*headers, (b"accept-language", sendable), (b"accept-encoding", sendable)),
            (*headers, (b"range", b"bytes=0-" + sendable), (b"if-none-match", sendable)),
            (*headers, *chance.sample(ODD_HEADERS, 2)),
        )
    )
