# SPDX-License-Identifier: AGPL-3.0-or-later
"""HTTP as uvicorn reads it, with a limit on what is kept of a request before anyone looks at it.

Bodies are limited where they are read. Headers, trailers and the extensions of chunks are gathered by the parser,
without any end: behind an onion service, where no proxy stands before the program, one connection could fill memory.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024


class LimitedHttpProtocol(HttpToolsProtocol):
    """Answers 400 and hangs up when more than ``HEAD_BYTES_MAX`` came without a head ending or a body going on."""

    _gathered = 0

    def data_received(self, data: bytes) -> None:
        self._gathered += len(data)
        super().data_received(data)
        if self._gathered > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._gathered = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._gathered = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._gathered = 0
        super().on_message_complete()
