# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever members ask while nothing can be written: pages that read are there, and others say what is so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from random import Random

import httpx

from tests.fuzz.office_requests import Request, answer, hostile_requests, page_routes
from tests.oversight.office import Office, no_portal
from tests.oversight.test_every_route import OWN, cookies, things_there

READING = ("/queue", "/cases", "/account", "/members", "/cases/{case}", "/cases/{case}/ledger", "/reports/{report}")
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
    known, routes = await things_there(office), page_routes(office.app)
    says = {each.gettext(SAYS) for each in office.app.state.kit.translations.values()}
    for label in ("amina", "bruno"):
        headers = [OWN, await cookies(office, label)]
        async with nothing_written(office):
            for path in READING:
                filled = path.format(case=known["case"][0], report=known["report"][0])
                got = await answer(office.app, Request("GET", filled.encode(), headers=headers))
                assert got.status in (200, 403, 404), f"{got.status} for {filled}"
            for request in islice(hostile_requests(rng, routes, known, headers), 2 * len(routes)):
                got = await answer(office.app, request)
                told = got.status == 503 and any(words in got.body.decode() for words in says)
                assert got.status < 500 or told, f"{got.status} for {request}"
