# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever is asked of whichever route, by whomever: the office answers with a page of its own, and never fails."""

from itertools import product
from pathlib import Path
from random import Random

import httpx
import pytest

from oversight.settings import Settings
from tests.fuzz.asgi import Call, fault_of, put
from tests.fuzz.office_surface import OfficeSurface, surface_of, without_forms
from tests.fuzz.portal_surface import routes_of
from tests.oversight.office import OFFICE_ORIGIN, Office, no_portal

OWN = (b"sec-fetch-site", b"same-origin")


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "office", database=database_url, origin=OFFICE_ORIGIN, static=static_folder)


async def faults_of(surface: OfficeSurface, rng: Random) -> list[str]:
    """What is wrong when each way is gone once, altered."""
    tried = [(name, await surface.fault(name, rng)) for name in list(surface.ways)]
    return [f"{name}: {found[1]}: {found[0].hex()}" for name, found in tried if found]


async def test_no_request_to_any_route_makes_the_office_fail(office: Office, rng: Random) -> None:
    office.app.state.transport = httpx.MockTransport(no_portal)
    surface = await surface_of(office)
    assert {f"{call.method.decode()} {surface.route_of(call)}" for call in surface.ways.values()} >= {
        *map(without_forms, routes_of(office.app.routes))
    }
    assert await faults_of(surface, rng) == []
    assert await surface.still_serves()


async def test_no_request_makes_an_office_fail_that_nobody_has_founded(unfounded: Office, rng: Random) -> None:
    async def nobody(label: str) -> bytes:
        raise AssertionError(f"{label} has no account")

    link = f"/join/{unfounded.app.state.setup.token}"
    surface = OfficeSurface(unfounded.app, unfounded.clock, nobody, people=(), entrances=("/", link))
    await surface.look_around()
    assert f"POST {link}" in surface.ways
    assert await faults_of(surface, rng) == []
    answer = await put(unfounded.app, Call(b"GET", link.encode()))
    assert (answer.status, b'name="offered"' in answer.body) == (200, True)


async def test_who_hangs_up_in_the_middle_of_a_form_is_no_failure(unfounded: Office) -> None:
    form = Call(b"POST", b"/login", (OWN,), b"username=" + b"a" * 10_000)
    assert await fault_of(unfounded.app, form, stays=False) is None


PATHS = ("//[", "/queue/", "/nothing", "/reports/" + "9" * 5000, "/%ff", "/cases/x/../y")
HOSTS = (b"office.test", b"[", b"evil.test", b"")
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "FROB")


async def test_what_is_no_address_is_answered_in_the_offices_own_words(office: Office) -> None:
    for path, host, method in product(PATHS, HOSTS, METHODS):
        call = Call(method.encode(), path.encode(), (OWN, (b"host", host)))
        assert await fault_of(office.app, call) is None
        answer = await put(office.app, call)
        assert answer.status in {404, 405} and b"evil" not in answer.body
        assert answer.headers["content-type"] == "text/html; charset=utf-8", (path, host, method)


async def test_after_a_login_nobody_is_sent_elsewhere(office: Office) -> None:
    for wanted in ("//[", "//[::1", "http://[", "//evil.test", "/\\evil.test", "/x\r\ny: z", "\\\\evil", "/queue?a=b"):
        page = await office.browser().client.get("/login", params={"next": wanted})
        assert page.status_code == 200, wanted
        answered = await office.browser().log_in(office.world["amina"], next=wanted)
        assert answered.headers["location"] == ("/queue?a=b" if wanted == "/queue?a=b" else "/"), wanted
        office.clock.forward(seconds=30)
