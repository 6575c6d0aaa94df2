# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal as an ASGI application: routes, middleware, handlers."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.api.quiet_errors import QuietErrors
from portal.api.responses import exception_handlers
from portal.api.turns import InTurn, Turns
from portal.assembly import Assembly, Clock, assemble, utc_now
from portal.kit.headers import API_CSP, SecurityHeaders
from portal.kit.in_database import InDatabase
from portal.kit.quiet_logging import quiet_logging
from portal.kit.workers import die_with_parent
from portal.settings import Settings
from portal.storage.blobs import BlobStore

API = "/api/v1"


class PagesApart:
    """ASGI middleware that gives ``pages`` every request that is not the API's, without what only the API needs: a
    database, routes, the words for its refusals. They come in crowds, and are a look-up each."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self.app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and not scope["path"].startswith(f"{API}/")
        await (self._pages if is_page else self.app)(scope, receive, send)


def create_app(
    settings: Settings,
    clock: Clock = utc_now,
    blobs: BlobStore | None = None,
    monotonic: Callable[[], float] = monotonic,
) -> Starlette:
    """Return the application. ``blobs`` replaces the store named in the settings."""
    assembly = assemble(settings, clock, blobs, monotonic)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with assembly.running() as database:
            app.state.database = database
            yield

    app: Starlette = Starlette(
        routes=[Mount(API, _api(assembly))],
        middleware=[
            Middleware(SecurityHeaders, csp=API_CSP, https=settings.https),
            Middleware(QuietErrors),
            Middleware(PagesApart, pages=assembly.pages),
            Middleware(InDatabase),
        ],
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.assembly = assembly
    return app


def from_environment() -> Starlette:
    """Return the application that each of several server processes runs."""
    die_with_parent()
    quiet_logging()
    return create_app(Settings.from_environment(os.environ))


def _api(assembly: Assembly) -> Router:
    turns, notes = assembly.turns, assembly.notes.routes()
    routes = [
        *assembly.work.routes(),
        *assembly.intake.routes(),
        *_in_turn(assembly.mailbox.routes(), turns.mailboxes),
        *_in_turn(assembly.office.routes(), turns.offices),
        *_in_turn(assembly.findings.routes(), turns.offices),
        # Reading a charter, which every reporter does, waits for nobody who posts one.
        *_in_turn([route for route in notes if "POST" in (route.methods or ())], turns.charters),
        *(route for route in notes if "POST" not in (route.methods or ())),
    ]
    return Router(routes, redirect_slashes=False)


def _in_turn(routes: list[Route], turns: Turns) -> list[Route]:
    for route in routes:
        route.app = InTurn(route.app, lambda _: turns)
    return routes
