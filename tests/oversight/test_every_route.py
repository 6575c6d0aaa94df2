# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever is asked of whichever route, by whomever: the office answers with a page of its own, and never fails."""

from collections.abc import Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from random import Random

import httpx
import pytest

from oversight.settings import Settings
from tests.fuzz.office_requests import Answer, Request, answer, hostile_requests, page_routes
from tests.oversight.case_desk import Desk, store
from tests.oversight.office import OFFICE_ORIGIN, Browser, Office, no_portal
from tests.oversight.sealed_reports import attachment, sealed_report
from tests.people import TODAY

ROUNDS = 1
TEXTS = ("", "yes", "no", "en", "ar", "A text.", "2026-12-01", "2026-Q2", "recused", "keep", "save", "eu-2019-1937")
CODES = ("TRIAGE", "ACKNOWLEDGED", "sent", "acknowledge", "feedback", "investigator", "lawyer", "open", "FN-SUBST")
OWN = (b"sec-fetch-site", b"same-origin")


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "office", database=database_url, origin=OFFICE_ORIGIN, static=static_folder)


def check(request: Request, got: Answer) -> None:
    assert 200 <= got.status < 500, f"{got.status} for {request}"
    assert b"Traceback" not in got.body, request
    assert got.headers["x-content-type-options"] == "nosniff" and "content-security-policy" in got.headers, request
    location = got.headers.get("location", "/")
    assert location.startswith("/") and not location.startswith(("//", "/\\")), f"{location!r} for {request}"
    assert len(got.headers) == len({name for name in got.headers if "\r" not in name and "\n" not in name}), request


async def ask(office: Office, request: Request) -> Answer:
    try:
        got = await answer(office.app, request)
    except Exception as error:
        raise AssertionError(f"{request}") from error
    check(request, got)
    return got


async def things_there(office: Office) -> Mapping[str, Sequence[str]]:
    """A report with a file, and a case that some of the members hold; their ids, and what forms may hold."""
    sealed = sealed_report(office.world, attachments=[attachment(b"x")])
    report = sealed.manifest.submission
    with office.database.use():
        await store(sealed, TODAY)
        desk = Desk(office.world, office.clock.now)
        state = await desk.open_case(opener="amina")
    office.clock.now = desk.now
    case, head = state.head.case, state.head.hash
    labels = [person.label for person in office.world.people]
    return {
        "case": [case],
        "id": [report, *state.reports],
        "report": [report, *state.reports],
        "hash": [head],
        "member": labels,
        "label": labels,
        "to": ["ACKNOWLEDGED", "TRIAGE", "CLOSED", "ADMITTED"],
        "clock": ["acknowledge", "feedback"],
        "number": ["1", "2"],
        "token": [office.app.state.setup.token],
        "name": ["office.css"],
        "fields": [*TEXTS, *CODES, *labels, case, report, head],
    }


async def cookies(office: Office, label: str) -> tuple[bytes, bytes]:
    browser: Browser = await office.browser_of(label)
    pairs = [f"{name}={value}" for name, value in browser.client.cookies.items()]
    return b"cookie", "; ".join(pairs).encode()


async def test_no_request_to_any_route_makes_the_office_fail(office: Office, rng: Random) -> None:
    office.app.state.transport = httpx.MockTransport(no_portal)
    known, routes = await things_there(office), page_routes(office.app)
    for who in ("nobody", "amina", "bruno", "chiara"):
        headers = [OWN] if who == "nobody" else [OWN, await cookies(office, who)]
        for request in islice(hostile_requests(rng, routes, known, headers), ROUNDS * len(routes)):
            got = await ask(office, request)
            if who != "nobody" and got.headers.get("location", "").startswith("/login"):
                headers[1] = await cookies(office, who)


async def test_no_request_makes_an_office_fail_that_nobody_has_founded(unfounded: Office, rng: Random) -> None:
    routes = page_routes(unfounded.app)
    known = {"token": [unfounded.app.state.setup.token], "label": ["amina"], "fields": [*TEXTS, "amina"]}
    for request in islice(hostile_requests(rng, routes, known, [OWN]), 2 * len(routes)):
        await ask(unfounded, request)


PATHS = ("//[", "/queue/", "/nothing", "/reports/" + "9" * 5000, "/%ff", "/cases/x/../y")
HOSTS = (b"office.test", b"[", b"evil.test", b"")
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "FROB")


async def test_what_is_no_address_is_answered_in_the_offices_own_words(office: Office) -> None:
    for path, host, method in product(PATHS, HOSTS, METHODS):
        got = await ask(office, Request(method, path.encode(), headers=(OWN, (b"host", host))))
        assert got.status in {404, 405} and b"evil" not in got.body
        assert got.headers["content-type"] == "text/html; charset=utf-8", (path, host, method)


async def test_after_a_login_nobody_is_sent_elsewhere(office: Office) -> None:
    for wanted in ("//[", "//[::1", "http://[", "//evil.test", "/\\evil.test", "/x\r\ny: z", "\\\\evil", "/queue?a=b"):
        page = await office.browser().client.get("/login", params={"next": wanted})
        assert page.status_code == 200, wanted
        answered = await office.browser().log_in(office.world["amina"], next=wanted)
        assert answered.headers["location"] == ("/queue?a=b" if wanted == "/queue?a=b" else "/"), wanted
        office.clock.forward(seconds=30)
