# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever is asked of the portal, it answers, logs nothing, and goes on: a little of ``python -m tests.fuzz``."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.fuzz.alterations import alter_bytes
from tests.fuzz.asgi import MARK, ON_EVERY_ANSWER, Call, alter_call, fault_of
from tests.fuzz.office_surface import calls_of
from tests.fuzz.portal_surface import PortalSurface, portal_surface, routes_of
from tests.portal.world import API

ROUNDS_AT_PORTAL = 12


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[PortalSurface]:
    async with portal_surface(tmp_path) as surface:
        yield surface


async def test_the_portal_answers_whatever_it_is_asked(portal: PortalSurface, rng: Random) -> None:
    faults = []
    for _ in range(ROUNDS_AT_PORTAL):
        for name in portal.ways:
            if found := await portal.fault(name, rng):
                faults.append(f"{name}: {found[1]}: {found[0].hex()}")
    assert faults == []
    assert await portal.still_serves()
    every = {route.replace(API, "") for route in routes_of(portal.portal.app.routes)}
    assert every <= portal.asked


async def test_a_request_is_put_again_as_it_was(portal: PortalSurface) -> None:
    for name, way in portal.ways.items():
        call = way.make(Random(name))
        assert Call.decode(call.encode()) == call
        assert await portal.again(call.encode()) is None


def answering(*, status: int = 200, **headers: str) -> Starlette:
    async def answer(request: Request) -> Response:
        every = dict.fromkeys(ON_EVERY_ANSWER, "set")
        return PlainTextResponse("an answer", status, {**every, **headers})

    return Starlette(routes=[Route("/", answer)])


async def fail(request: Request) -> Response:
    raise RuntimeError("something")


async def test_an_answer_at_fault_is_found_out() -> None:
    call = Call(b"GET", b"/")
    assert await fault_of(answering(), call) is None
    assert await fault_of(answering(status=503), call) is None
    for app, fault in (
        (answering(status=500), "answered 500"),
        (answering(link=f"<{MARK.decode()}>"), "told in ['link']"),
        (answering(location="https://other.example/"), "sent to another address"),
        (Starlette(routes=[Route("/", fail)]), "raised RuntimeError"),
        (Starlette(routes=[Route("/", lambda request: RedirectResponse("/x"))]), "without"),
    ):
        found = await fault_of(app, call)
        assert found is not None
        assert fault in found


def test_links_and_forms_of_a_page_are_found() -> None:
    page = (
        '<a href="/a?b=1&amp;c=2">x</a><a href="https://other.example/">y</a><a href="d">z</a>'
        '<form method="post" action="/e"><input name="f" value="&quot;g"><button name="h"></button></form>'
        '<form action="?i"><select name="j"><option value="l"><option value="m"></select><input name="n"></form>'
    )
    assert calls_of("/k/l", page) == [
        Call(b"GET", b"/a?b=1&c=2"),
        Call(b"GET", b"/k/d"),
        Call(b"POST", b"/e", (), b"f=%22g&h="),
        Call(b"GET", b"/k/l?j=m&n="),
    ]


def test_one_seed_alters_requests_the_same_way_again() -> None:
    call = Call(b"POST", b"/a/b?c=d", ((b"e", b"f"),), b"g=h")
    once, again = ([alter_call(Random(seed), call, (alter_bytes,)) for seed in range(99)] for _ in range(2))
    assert once == again
    assert len(set(once)) > 50
