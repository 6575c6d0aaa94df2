# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever members ask while nothing can be written: pages that read are there, and others say what is so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import httpx

from tests.fuzz.asgi import put
from tests.fuzz.office_surface import surface_of
from tests.oversight.office import Office, no_portal

READING = ("/queue", "/cases", "/account", "/members", "/cases/{case}", "/cases/{case}/ledger", "/reports/{id}")
SAYS = "The disk takes nothing"


@asynccontextmanager
async def nothing_written(office: Office) -> AsyncIterator[None]:
    """SQLite refuses every write, as on a disk that can only be read."""
    client = office.database._client()
    await client.execute_script("PRAGMA query_only = ON")
    yield
    await client.execute_script("PRAGMA query_only = OFF")


async def test_pages_that_read_are_there_and_the_others_say_what_is_so(office: Office, rng: Random) -> None:
    office.app.state.transport = httpx.MockTransport(no_portal)
    surface = await surface_of(office)
    says = {each.gettext(SAYS) for each in office.app.state.kit.translations.values()}
    async with nothing_written(office):
        for name, call in surface.ways.items():
            if surface.route_of(call) in READING and call.method == b"GET":
                got = await put(office.app, surface.as_sent_by("amina", call))
                assert got.status in (200, 403, 404), f"{got.status} for {name}"
            altered = surface.altered(name, rng)
            got = await put(office.app, altered)
            told = got.status == 503 and any(words in got.body.decode() for words in says)
            assert got.status < 500 or told, f"{got.status} for {altered!r:.2000}"
