# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever members ask while the database server is away, or has just come back: 503 and when to come again, no 500."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from oversight.settings import Settings
from tests.fuzz.asgi import put
from tests.fuzz.office_surface import OfficeSurface, surface_of
from tests.oversight.office import OFFICE_ORIGIN, Office, no_portal
from tests.postgres import Postgres


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, own_postgres: Postgres) -> Iterator[Settings]:
    with own_postgres.database() as url:
        yield Settings(data=tmp_path / "office", database=url, origin=OFFICE_ORIGIN, static=static_folder)


async def wrong_answers(surface: OfficeSurface, office: Office) -> list[str]:
    """Each way once, as a member's browser: what fails, or says unavailable without a time."""
    wrong = []
    for name, call in surface.ways.items():
        answer = await put(office.app, surface.as_sent_by("amina", call))
        fails = answer.status >= 500 and answer.status != 503
        if fails or not answer.is_whole or (answer.status == 503 and int(answer.headers.get("retry-after", "0")) < 1):
            wrong.append(f"{answer.status} {name}")
    return wrong


async def test_every_route_says_when_to_come_again(office: Office, own_postgres: Postgres, rng: Random) -> None:
    office.app.state.transport = httpx.MockTransport(no_portal)
    surface = await surface_of(office)
    own_postgres.pause()
    assert await wrong_answers(surface, office) == []
    queue = next(call for call in surface.ways.values() if surface.route_of(call) == "/queue")
    assert (await put(office.app, surface.as_sent_by("amina", queue))).status == 503
    own_postgres.serve()
    # The pool has connections that have ended: nobody notices.
    assert await wrong_answers(surface, office) == []
