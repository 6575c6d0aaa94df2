# SPDX-License-Identifier: AGPL-3.0-or-later
"""uvicorn's HTTP protocol, where a stranger's connection costs no more than what it sends.

- A request begins when its body is there, or ``GATHERED_BYTES`` of it: the program sees no body that never comes.
- What follows a request waits, unparsed, until that one is answered and the client has read: of more than a head
  nothing is kept.
- A chunked body may come in so many pieces as its bytes pay for: it is cut wherever a request may end in it.
- Heads, trailers and the extensions of chunks are limited; uvicorn's parser collects them without a limit.
- Answers that no part of the program gave have the headers of all others, and none repeats anything of the request.

Who is too slow, and who gives way when there are too many: ``connections``.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from portal.kit.body import GATHERED_BYTES
from portal.kit.connections import Connections, Phase

HEAD_BYTES_MAX = 16 * 1024
HEADERS_MAX = 100
# A client may send this much more than it is answered for before it is hung up on.
DISCARDED_BYTES_MAX = 8 * 1024 * 1024
RETRY_SECONDS = 5
# What a chunked body may be cut into: so many pieces, and one more for so many bytes.
PIECES_FREE = 128
PIECE_BYTES = 256
_HEAD_END = b"\r\n\r\n"
_WORDS = {
    400: "This is not a request that the server understands.",
    408: "The request took too long to arrive.",
    431: "The head of the request is too large.",
    503: "Too many connections are open. Try again in a moment.",
}


class _HeadTooLargeError(Exception):
    """Raised within the parser, which wraps it."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection. ``headers`` go on the answers that the server gives by itself."""

    def __init__(self, *given: Any, connections: Connections, own_headers: Mapping[str, str], **options: Any) -> None:
        super().__init__(*given, **options)
        self._peers = connections
        self._own_headers = own_headers
        self.phase = Phase.HEAD
        self.since = connections.now
        self.came = self.gathered = self.unsent_since = self.unsent_peak = 0
        self._head_bytes = 0
        self._body_left = 0
        self._pieces = 0
        self._head_is_open = True
        # Whole, and not answered: nothing is parsed meanwhile.
        self._is_asked = False
        self._ends = False
        self._behind = b""
        self._to_begin: tuple[Any, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._peers.admit(self):
            self.refuse(503)

    def data_received(self, data: bytes) -> None:
        if self._ends:
            return
        if self._behind:
            data, self._behind = self._behind + data, b""
        view, at, end = memoryview(data), 0, len(data)
        while at < end:
            if self._must_wait():
                self._keep(data[at:])
                return
            if self._body_left:
                stop = min(end, at + self._body_left)
            else:
                found = data.find(_HEAD_END, at)
                stop = end if found < 0 else found + len(_HEAD_END)
            self._parse(view[at:stop])
            if self.transport.is_closing():
                return
            at = stop

    def _parse(self, piece: memoryview) -> None:
        self._head_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here: it is answered as what it would be without.
            self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            self.refuse(431 if isinstance(error.__context__, _HeadTooLargeError) else 400)
            return
        if self._head_bytes > HEAD_BYTES_MAX:
            self.refuse(431)
        elif self._head_bytes and self._head_is_open:
            self._await_head(len(piece))

    def _await_head(self, size: int) -> None:
        if self.phase == Phase.IDLE:
            self.phase, self.since = Phase.HEAD, self._peers.now
        self._peers.gather(self, size)

    def _must_wait(self) -> bool:
        """Whether nothing is parsed: a request is not answered, or it is, and too much of the answers is not read."""
        return self._is_asked or bool(self.pipeline) or (self.flow.write_paused and self._head_is_open)

    def _keep(self, data: bytes) -> None:
        """What came behind an answer that is to be given or read. More than a head ends the connection with it."""
        self.flow.pause_reading()
        if len(data) > HEAD_BYTES_MAX:
            self._ends = True
        else:
            self._behind = data

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_is_open = True

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are headers that come after all checks; nobody here has a use for them.
        if not self._head_is_open:
            raise ValueError("a trailer")
        if len(self.headers) >= HEADERS_MAX:
            raise _HeadTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._head_bytes > HEAD_BYTES_MAX:
            raise _HeadTooLargeError
        self._head_bytes = 0
        self._head_is_open = False
        self._peers.release(self)
        super().on_headers_complete()
        # The scope has the address now; here it would stay as long as the connection.
        self.url = b""
        self._body_left = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        self._pieces = 0
        if self._is_asked:
            return
        self.phase, self.since, self.came = Phase.BODY, self._peers.now, 0
        if self.expect_100_continue:
            # The program asks for a body only once it has come.
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.cycle.waiting_for_100_continue = False

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if cycle.more_body and len(cycle.body) < GATHERED_BYTES:
            self._to_begin = (cycle, app)
            return
        self._to_begin = None
        self._peers.release(self)
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        size = len(body)
        self._head_bytes = 0
        self.came += size
        if self._body_left:
            self._body_left = max(0, self._body_left - size)
        else:
            self._count_piece()
        cycle = self.cycle
        if cycle.response_complete:
            if self.came > DISCARDED_BYTES_MAX:
                self.transport.close()
            return
        cycle.body += body
        if self._to_begin is None:
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()
        elif len(cycle.body) >= GATHERED_BYTES:
            self._start_asgi_task(*self._to_begin)
        else:
            self._peers.gather(self, size)

    def _count_piece(self) -> None:
        self._pieces += 1
        if self._pieces > PIECES_FREE + self.came // PIECE_BYTES:
            raise ValueError("a body in too many pieces")

    def on_message_complete(self) -> None:
        self._head_bytes = self._body_left = 0
        self._head_is_open = True
        cycle = self.cycle
        if cycle.response_complete:
            self._rest()
            return
        cycle.more_body = False
        cycle.message_event.set()
        self._is_asked = True
        self.phase = Phase.WORK
        if self._to_begin is not None:
            self._start_asgi_task(*self._to_begin)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.cycle is not None and self.cycle.response_complete:
            # What of a body nobody has read would stay until the next request.
            self.cycle.body = bytearray()
        if self.transport.is_closing():
            return
        self._is_asked = False
        if not self._must_wait():
            # The rest of a body, maybe.
            self.flow.resume_reading()
        if not self.pipeline and not self.cycle.more_body:
            self._rest()
        self._go_on()

    def _go_on(self) -> None:
        """With what waited behind an answer. Whoever reads nothing would get answer after answer into our memory."""
        is_between = bool(self.pipeline) or self._head_is_open
        if self._is_asked or self.flow.write_paused or not is_between or self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._begin_pipelined()
        elif self._ends:
            self.transport.close()
        if self._behind and not self._is_asked:
            self.data_received(b"")

    def _begin_pipelined(self) -> None:
        """The one request that may have been parsed together with the one before."""
        cycle, app = self.pipeline.pop()
        self._is_asked = not cycle.more_body
        self.phase, self.since, self.came = Phase.WORK if self._is_asked else Phase.BODY, self._peers.now, 0
        self._start_asgi_task(cycle, app)

    def _rest(self) -> None:
        self.phase, self.since = Phase.IDLE, self._peers.now

    def refuse(self, status: int) -> None:
        """Answer with this status unless the program is answering, and disconnect."""
        if self.transport.is_closing():
            return
        if self.unsent():
            # Who does not read would not read this either.
            self.transport.abort()
        elif self._may_answer():
            self.transport.write(self._own_answer(status))
        self.transport.close()
        self._drop()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn's own protocol asks for; its words are left out."""
        self.refuse(400)

    def abort(self) -> None:
        """Disconnect at once, whatever is unsent."""
        self.transport.abort()
        self._drop()

    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def is_held_back(self) -> bool:
        return self.flow.read_paused

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unsent_peak = 0
        # The transport is not done yet with what it wrote.
        self.loop.call_soon(self._go_on)

    def shutdown(self) -> None:
        if self._to_begin is not None:
            self.refuse(503)
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._drop()
        self._peers.leave(self)
        # What was never answered would stay until garbage is collected; a request that runs has what it needs.
        self.url, self.headers = b"", []
        self.scope = self.cycle = None  # type: ignore[assignment]

    def _may_answer(self) -> bool:
        """Whether something was asked, or may be, that has no answer yet, and no other answer is under way."""
        if self.phase == Phase.HEAD:
            return self.cycle is None or self.cycle.response_complete
        return self.phase == Phase.BODY and not self.cycle.response_started

    def _own_answer(self, status: int) -> bytes:
        words = _WORDS[status].encode("ascii")
        more = {"retry-after": str(RETRY_SECONDS)} if status == 503 else {}
        fields = {
            **self._own_headers,
            **more,
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(words)),
            "connection": "close",
        }
        lines = [b"%s: %s\r\n" % (name, value) for name, value in self.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode("ascii") for name, value in fields.items()]
        return b"".join([STATUS_LINE[status], *lines, b"\r\n", words])

    def _drop(self) -> None:
        """Nothing of this connection goes on: whoever reads from it is told that the client has gone."""
        self._ends = True
        self._behind = b""
        self._to_begin = None
        self.pipeline.clear()
        self._peers.dismiss(self)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
