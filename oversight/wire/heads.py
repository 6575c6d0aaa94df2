# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: ASYNC109 (the signatures are the library's)
"""The network below the library of the wire, with a bound on what comes before an answer.

The library reads any number of interim answers (status 100 to 199) before the one that counts, without an end and, as
long as some lie ready, without a pause: a portal that sends nothing else would hold the loop. While a head is waited
for, bytes are therefore handed on few at a time, everything else has its turn between them, and they are counted.
"""

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

from oversight.wire.portal_errors import PortalUnreachable

# A head of the portal's has less than one, and proxies add little.
HEAD_BYTES_MAX = 16 * 1024
HEAD_PIECE_BYTES = 1024

_head: ContextVar["_Head | None"] = ContextVar("_head", default=None)


class _Head:
    """What a request's task has read while it waits for the head of the answer."""

    def __init__(self) -> None:
        self._bytes = 0

    async def read(self, stream: httpcore.AsyncNetworkStream, timeout: float | None) -> bytes:
        if self._bytes >= HEAD_BYTES_MAX:
            raise PortalUnreachable("the head of the portal's answer is too long", "too-long")
        data = await stream.read(HEAD_PIECE_BYTES, timeout)
        self._bytes += len(data)
        await asyncio.sleep(0)
        return data


@contextmanager
def bounded_head() -> Iterator[None]:
    """Within, the task reads no more than one head. The read that goes on raises PortalUnreachable (``too-long``)."""
    token = _head.set(_Head())
    try:
        yield
    finally:
        _head.reset(token)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        head = _head.get()
        return await (head.read(self._stream, timeout) if head else self._stream.read(max_bytes, timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Network(httpcore.AnyIOBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await super().connect_tcp(host, port, timeout, local_address, socket_options))


class Connections(httpx.AsyncHTTPTransport):
    """HTTP/1.1 over at most ``connections_max`` connections to a portal, with no proxy from the environment."""

    def __init__(self, connections_max: int) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections_max,
            keepalive_expiry=httpx.Limits().keepalive_expiry,
            network_backend=_Network(),
        )
