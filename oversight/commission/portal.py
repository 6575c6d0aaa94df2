# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal of this commission: where every connection to it is opened, and closed by its ``async with``."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import httpx
from starlette.requests import Request

from crypto.charter import Charter
from crypto.note import SigningKey
from oversight.commission.keys import OfficeSafe
from oversight.settings import Settings
from oversight.wire.connection import Connection
from oversight.wire.portal_client import PortalClient

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def connect(
    settings: Settings,
    safe: OfficeSafe,
    charter: Charter,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock = _now,
) -> AsyncIterator[PortalClient]:
    """A client that signs with the office's key. ``transport`` stands for the network, where it is not the network.

    Raises OfficeLockedError.
    """
    key = safe.keys.signing_key(charter.slug)
    client = PortalClient(Connection(settings.portal_url, transport), charter.origin, key, clock)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def connect_before_founding(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None, clock: Clock = _now
) -> AsyncIterator[PortalClient]:
    """A client for the founding, of which no request is signed: any key will do until there is a commission."""
    key = SigningKey.generate("founding")
    client = PortalClient(Connection(settings.portal_url, transport), settings.portal_name, key, clock)
    try:
        yield client
    finally:
        await client.close()


def portal_for(request: Request, charter: Charter) -> AbstractAsyncContextManager[PortalClient]:
    """``connect`` for what a page has to do at the portal."""
    state = request.app.state
    return connect(state.settings, state.office_safe, charter, state.transport, state.clock)


def portal_before_founding(request: Request) -> AbstractAsyncContextManager[PortalClient]:
    """``connect_before_founding`` for a page of the founding."""
    state = request.app.state
    return connect_before_founding(state.settings, state.transport, state.clock)
