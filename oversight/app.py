# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office as an ASGI application: a table of routes, what stands before them, what answers when they fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.keyring import DEFAULT, Parameters
from oversight.cases import (
    case_list_pages,
    case_pages,
    holder_pages,
    ledger_pages,
    refusal_pages,
    transition_pages,
    work_pages,
)
from oversight.cases.report_access import BrokenReportError
from oversight.collector.visit import Collector, collect_forever
from oversight.commission.charters import NotFoundedError, current_charter, is_founded, knows_charter
from oversight.commission.keys import office_key
from oversight.desk import case_opening_pages, queue_pages, report_pages
from oversight.findings import edit_pages as finding_edit_pages
from oversight.findings import finding_pages
from oversight.findings import publication_pages as finding_publish_pages
from oversight.founding import paper_pages, sign_pages
from oversight.founding import plan_pages as founding_pages
from oversight.founding.founding_draft import FoundingChangedError, setup_token
from oversight.founding.setup import SetupRequired
from oversight.ledger.append import ConflictError
from oversight.letters import decision_letter_pages
from oversight.letters import reply_pages as letter_pages
from oversight.members import login_pages, member_pages
from oversight.members.accounts import Derivations
from oversight.members.sessions import LoginRequired, current_session
from oversight.reports.arrival import Receiver
from oversight.reports.blobs import Blobs
from oversight.settings import Settings
from oversight.storage import Database
from oversight.web.rendering import PageKit, load_page_kit, redirect, render
from oversight.wire.portal_client import PortalClient
from oversight.workflow.rules import RuleError
from portal.kit.body import BodyTooLargeError
from portal.kit.headers import OFFICE_CSP, SecurityHeaders
from portal.kit.in_database import InDatabase
from portal.kit.null_bytes import NoNullBytes
from portal.kit.origin_check import CrossOriginCheck

ASSET_CACHE = "public, max-age=31536000, immutable"


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
    background, and prints how to found a commission as long as there is none. ``transport`` stands for the network.
    """
    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(SecurityHeaders, csp=OFFICE_CSP, https=settings.https),
            Middleware(CrossOriginCheck, origin=settings.own_origin),
            Middleware(NoNullBytes),
            Middleware(InDatabase),
        ],
        exception_handlers={
            LoginRequired: _answer_login_required,
            NotFoundedError: _answer_not_founded,
            SetupRequired: _answer_not_founded,
            FoundingChangedError: _answer_changed,
            BrokenReportError: report_pages.answer_broken,
            RuleError: refusal_pages.answer_rule,
            ConflictError: refusal_pages.answer_conflict,
            BodyTooLargeError: _answer_too_large,
            HTTPException: _answer_http_error,
            Exception: _answer_failure,
        },
        lifespan=_lifespan(serving),
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.transport = transport
    app.state.derivations = Derivations(parameters)
    app.state.kit = load_page_kit(settings)
    return app


def _routes() -> list[Route]:
    return [
        *login_pages.routes,
        *member_pages.routes,
        *founding_pages.routes,
        *paper_pages.routes,
        *sign_pages.routes,
        *queue_pages.routes,
        *report_pages.routes,
        *letter_pages.routes,
        *finding_pages.routes,
        *finding_edit_pages.routes,
        *finding_publish_pages.routes,
        *case_list_pages.routes,
        *case_pages.routes,
        *case_opening_pages.routes,
        *transition_pages.routes,
        *holder_pages.routes,
        *work_pages.routes,
        *ledger_pages.routes,
        *decision_letter_pages.routes,
        Route("/assets/{name}", serve_asset),
        Route("/favicon.ico", no_icon),
        Route("/", start),
    ]


async def start(request: Request) -> Response:
    """Where members begin: the queue."""
    return redirect("/queue" if await is_founded() else "/found")


async def no_icon(request: Request) -> Response:
    """Browsers ask for one on their own; there is none."""
    return Response(status_code=204)


async def serve_asset(request: Request) -> Response:
    """A built style or script, under a name that changes with its bytes."""
    kit: PageKit = request.app.state.kit
    found = next((asset for asset in kit.assets.values() if asset.path == request.url.path), None)
    if found is None:
        raise HTTPException(404)
    headers = {"cache-control": ASSET_CACHE, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            found.compressed.gzip, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"}
        )
    return Response(found.body, media_type=found.media_type, headers=headers)


def _lifespan(serving: bool) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        settings: Settings = app.state.settings
        settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        app.state.database = await Database.open(settings.database_url)
        try:
            with app.state.database.use():
                if serving and not await is_founded():
                    _announce_setup(settings)
                task = asyncio.create_task(_collect(app)) if serving and settings.portal_url else None
            yield
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        finally:
            await app.state.database.close()

    return lifespan


def _announce_setup(settings: Settings) -> None:
    """On the terminal alone: whoever reads it may found the commission."""
    print(f"There is no commission yet. Found it at {settings.own_origin}/found with this setup token:")
    print(f"    {setup_token(settings.secrets)}", flush=True)


async def _collect(app: Starlette) -> None:
    settings: Settings = app.state.settings
    clients: list[PortalClient] = []

    async def prepare() -> Collector | None:
        if not await is_founded():
            return None
        charter = await current_charter()
        key = office_key(settings.secrets, charter.slug)
        client = PortalClient(settings.portal_url, charter.origin, key, app.state.transport, app.state.clock)
        clients.append(client)
        receiver = Receiver(client, Blobs(settings.data / "blobs"), knows_charter)
        return Collector(client, receiver, charter.origin, key, settings.data / "collector.lock", app.state.clock)

    try:
        await collect_forever(prepare, settings.collect_seconds)
    finally:
        for client in clients:
            await client.close()


async def _answer_login_required(request: Request, error: Exception) -> Response:
    return login_pages.to_login(request)


async def _answer_not_founded(request: Request, error: Exception) -> Response:
    return redirect("/found")


async def _answer_changed(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 409, kind="changed")


async def _answer_too_large(request: Request, error: Exception) -> Response:
    return render(request, "error.html", 413, kind="too-large")


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    with suppress(LoginRequired):
        await current_session(request)
    kind = {403: "forbidden", 404: "not-found", 405: "not-found"}.get(error.status_code, "failure")
    return render(request, "error.html", error.status_code, kind=kind)


async def _answer_failure(request: Request, error: Exception) -> Response:
    """Starlette answers this outside the middleware, so the headers are set here."""
    response = render(request, "error.html", 500, kind="failure")
    settings: Settings = request.app.state.settings
    for name, value in SecurityHeaders(request.app, OFFICE_CSP, settings.https).headers.items():
        response.headers[name] = value
    return response
