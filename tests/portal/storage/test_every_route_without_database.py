# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever is asked of the portal while the database server is away, or is just back: 503 and when to come again."""

from pathlib import Path
from random import Random

from tests.fuzz.asgi import Call, put
from tests.fuzz.portal_surface import PortalSurface, portal_surface
from tests.portal.world import API, fresh_report
from tests.postgres import Postgres

# What can't be shown is in memory, and so is the nonce while no row can be written.
NO_DATABASE = {"GET /office/problems"}


async def answers(surface: PortalSurface, rng: Random) -> dict[str, tuple[int, int]]:
    """Status and seconds to wait for each way, asked as it should be."""
    found = {}
    for name, way in surface.ways.items():
        call = Call(b"GET", b"/en/") if name == "GET a page" else way.make(rng)
        answer = await put(surface.portal.app, surface.sign(call) if way.is_signed else call)
        assert answer.is_whole
        found[name] = answer.status, int(answer.headers.get("retry-after", "0"))
    return found


async def test_every_route_says_when_to_come_again(tmp_path: Path, own_postgres: Postgres, rng: Random) -> None:
    with own_postgres.database() as url:
        async with portal_surface(tmp_path, url) as surface:
            surface.portal.ask_for_no_work()
            own_postgres.pause()
            away = await answers(surface, rng)
            unfit = {
                name: answer
                for name, answer in away.items()
                if answer[0] >= 500 and (answer[0] != 503 or not answer[1])
            }
            assert unfit == {}
            assert {name for name, (status, _) in away.items() if "/office/" in name and status != 503} == NO_DATABASE
            assert away["GET a page"][0] == 200
            secrets = surface.thread.secrets
            ask = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}
            assert (await surface.portal.client.post(f"{API}/mailbox", json=ask)).status_code == 503
            assert (await surface.portal.submit(fresh_report().bundle())).status_code == 503
            own_postgres.serve()
            back = await answers(surface, rng)
            assert {name: answer for name, answer in back.items() if answer[0] >= 500} == {}
