# SPDX-License-Identifier: AGPL-3.0-or-later
"""uvicorn's HTTP protocol, with a limit on the size of a request's head.

Bodies are limited where they are read. Headers, trailers and the extensions of chunks are collected by the parser
without a limit: behind an onion service, where there is no proxy, one connection could fill the memory.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024


class LimitedHttpProtocol(HttpToolsProtocol):
    """Answers 400 and disconnects after ``HEAD_BYTES_MAX`` without the end of a head or more of a body."""

    _gathered = 0

    def data_received(self, data: bytes) -> None:
        self._gathered += len(data)
        super().data_received(data)
        if self._gathered > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._gathered = 0
        super().on_headers_complete()
        # The scope has the address now; here it would stay as long as the connection.
        self.url = b""

    def on_body(self, body: bytes) -> None:
        self._gathered = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._gathered = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # What of a body nobody has read would stay until the next request.
        if self.cycle is not None and self.cycle.response_complete:
            self.cycle.body = bytearray()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # What was never answered would stay until garbage is collected; a request that runs has what it needs.
        self.pipeline.clear()
        self.url, self.headers = b"", []
        self.scope = self.cycle = None  # type: ignore[assignment]
