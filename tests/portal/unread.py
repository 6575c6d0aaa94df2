# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests whose answers nobody reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Message

from tests.portal.kit.http_server import until
from tests.portal.world import API, RunningPortal


@asynccontextmanager
async def answer_that_nobody_reads(
    portal: RunningPortal, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> AsyncIterator[list[Message]]:
    """The request is answered as far as it can be: the first of it is there. At the end the client reads."""
    sent: list[Message] = []
    bodies, reads = [body], asyncio.Event()

    async def receive() -> Message:
        if not bodies:
            # Nobody hangs up either.
            await asyncio.Event().wait()
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)
        await reads.wait()

    path = API + path
    pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    answering = asyncio.create_task(portal.app({**scope, "root_path": "", "headers": pairs}, receive, send))
    await until(lambda: bool(sent) or answering.done())
    assert not answering.done()
    try:
        yield sent
    finally:
        reads.set()
        await answering
