# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office as an ASGI application: a table of rooms, what stands before them, what runs beside them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.keyring import DEFAULT, Parameters
from oversight.cases import routes as cases
from oversight.collector.loop import collect_while_serving
from oversight.collector.urgency import read_urgency_while_serving
from oversight.commission.charters import is_founded
from oversight.commission.keys import OfficeSafe, load_start_identity, open_at_start
from oversight.commission.portal_visits import PortalVisits
from oversight.desk import routes as desk
from oversight.findings import routes as findings
from oversight.findings.check_line import CheckLine
from oversight.founding import routes as founding
from oversight.founding.setup import Setup
from oversight.letters import routes as letters
from oversight.members import routes as members
from oversight.members.accounts import Derivations
from oversight.members.records import MemberRecord
from oversight.members.sessions import end_sessions_while_serving
from oversight.settings import Settings
from oversight.storage import Database
from oversight.web import routes as web
from oversight.web.error_pages import answer_without_database
from oversight.web.full_disk import BALLAST_BYTES, FullDisk
from oversight.web.handlers import Handlers
from oversight.web.rendering import load_page_kit, redirect
from portal.kit.free_space import Ballast
from portal.kit.headers import OFFICE_CSP, SecurityHeaders
from portal.kit.in_database import InDatabase
from portal.kit.null_bytes import NoNullBytes
from portal.kit.origin_check import CrossOriginCheck
from portal.kit.stopping import stop


class Room(Protocol):
    """A room's ``routes`` module: its pages, and the answers to its exceptions."""

    routes: list[Route]
    handlers: Handlers


ROOMS: tuple[Room, ...] = (members, founding, desk, cases, letters, findings, web)


def create_app(
    settings: Settings,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    parameters: Parameters = DEFAULT,
    serving: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Starlette:
    """The application; its database opens and closes with its lifespan.

    ``parameters`` are those that keyrings are sealed with. With ``serving`` it visits the portal in the
    background, and prints how to found a commission as long as there is none. ``transport`` replaces the network.
    """
    app = Starlette(
        routes=[Route("/", start), *(route for room in ROOMS for route in room.routes)],
        middleware=[
            Middleware(SecurityHeaders, csp=OFFICE_CSP, https=settings.https),
            Middleware(CrossOriginCheck, origin=settings.own_origin),
            Middleware(NoNullBytes),
            Middleware(FullDisk, ballast=Ballast(settings.data, BALLAST_BYTES)),
            Middleware(InDatabase),
        ],
        exception_handlers={
            error: answer_without_database(answer) for room in ROOMS for error, answer in room.handlers.items()
        },
        lifespan=_lifespan(serving),
    )
    # A redirect of Starlette's own would repeat the address that a stranger gave in Host.
    app.router.redirect_slashes = False
    app.state.settings = settings
    app.state.clock = clock
    app.state.transport = transport
    app.state.office_safe = OfficeSafe(settings.secrets, load_start_identity(settings.start_key_file))
    app.state.portal_visits = PortalVisits()
    app.state.setup = Setup()
    app.state.derivations = Derivations(parameters)
    app.state.checks = CheckLine()
    app.state.kit = load_page_kit(settings)
    return app


async def start(request: Request) -> Response:
    """Where members begin: the queue."""
    return redirect("/queue" if await is_founded() else "/found")


def _lifespan(serving: bool) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        settings: Settings = app.state.settings
        settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        app.state.database = await Database.open(settings.database_url)
        try:
            with app.state.database.use():
                await open_at_start(app.state.office_safe)
                if serving:
                    await _announce(app)
                tasks = _tasks(app) if serving else []
            if serving:
                # What there is now stays: looking for garbage after every request passes it by.
                gc.freeze()
            yield
            await stop(*tasks)
        finally:
            await app.state.database.close()

    return lifespan


def _tasks(app: Starlette) -> list[asyncio.Task[None]]:
    """What goes on beside the pages."""
    settings, clock = app.state.settings, app.state.clock
    running = [end_sessions_while_serving(settings, clock), read_urgency_while_serving(app.state.office_safe)]
    if settings.portal_url:
        state = app.state
        shared = state.office_safe, state.transport, clock, state.portal_visits
        running.append(collect_while_serving(settings, *shared))
    return [asyncio.create_task(each) for each in running]


async def _announce(app: Starlette) -> None:
    """Say on the terminal how a founding is begun, that one is under way, or what the office waits for."""
    if not await MemberRecord.exists():
        app.state.setup.announce(app.state.settings.own_origin)
    elif not app.state.office_safe.is_there:
        print("secrets/office.age is missing: nobody can log in until it is back from a backup.", flush=True)
    elif not await is_founded():
        print(f"A founding is under way. Log in at {app.state.settings.own_origin}/login to go on.", flush=True)
    elif not app.state.office_safe.is_open:
        print("The office's own keys are closed until a member logs in. Until then nothing is collected.", flush=True)
        if app.state.settings.start_key:
            print("OVERSIGHT_START_KEY does not open them yet. After that login it does at every start.", flush=True)
