# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's pages, found by their links and forms as people find them, and asked for as nobody should."""

import html
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urljoin, urlsplit

from starlette.applications import Starlette
from starlette.routing import Match, Route

from crypto.finding import make_finding
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.settings import Settings
from tests.findings import draft_finding
from tests.fuzz.altered_forms import alter_form
from tests.fuzz.asgi import MARK, Call, alter_call, fault_of, put, quoted
from tests.oversight.case_desk import Desk
from tests.oversight.office import OFFICE_ORIGIN, Clock, Office
from tests.people import PORTAL_ORIGIN, found_test_commission, settle_office

# They hold the office by different roles; whoever is not among them has no account.
MEMBERS = ("amina", "bruno", "chiara")
STRANGER = "stranger"
ENTRANCES = ("/", "/login", "/queue", "/cases", "/members", "/account", "/found", "/found/draft", "/favicon.ico", "/x")
TARGETS_MAX = 400
# Some requests end a session; after as many all begin new ones.
SESSION = 40
_LINK = re.compile(r'<(?:a|link)\b[^>]*\bhref="([^"]*)"')
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S)
_ATTRIBUTE = re.compile(r'\b(action|method|name|value)="([^"]*)"')
_FIELD = re.compile(r"<(input|select|textarea|button|option)\b([^>]*)>")


@dataclass
class OfficeSurface:
    """A running office; ``ways`` grow with every page that is seen. ``log_in`` begins a session and gives its cookies.

    ``people`` are those who can; ``entrances`` are where whoever looks around begins.
    """

    app: Starlette
    clock: Clock
    log_in: Callable[[str], Awaitable[bytes]]
    people: tuple[str, ...] = MEMBERS
    entrances: tuple[str, ...] = ENTRANCES
    cookies: dict[str, bytes] = field(default_factory=dict)
    ways: dict[str, Call] = field(default_factory=dict)
    tried: int = 0

    async def log_in_all(self) -> None:
        """New sessions, after the longest wait that failed logins bring."""
        self.clock.forward(minutes=10)
        self.cookies = {STRANGER: b"", **{label: await self.log_in(label) for label in self.people}}

    async def look_around(self) -> None:
        """Every page that is reached by links, as each sees it; and all routes that no link led to."""
        await self.log_in_all()
        for label in (STRANGER, *self.people):
            waiting = [Call(b"GET", entrance.encode()) for entrance in self.entrances]
            seen: set[bytes] = set()
            while waiting and len(seen) < TARGETS_MAX:
                call = waiting.pop()
                if call.target in seen:
                    continue
                seen.add(call.target)
                answer = await put(self.app, self.as_sent_by(label, call))
                assert answer.status < 500, (call.target, answer.status)
                found = calls_of(call.target.decode(), answer.body.decode("utf-8", "replace"))
                location = answer.headers.get("location", "")
                found += [Call(b"GET", location.encode())] if location.startswith("/") else []
                for each in (call, *found):
                    self.ways.setdefault(f"{each.method.decode()} {each.target.decode()}", each)
                waiting += [each for each in found if each.method == b"GET"]
        for each in list(self._unlinked()):
            self.ways[f"{each.method.decode()} {each.target.decode()}"] = each

    def route_of(self, call: Call) -> str:
        """The route that takes this call, as ``/cases/{case}``."""
        taken = (route for route in self._routes if route.matches(call.scope())[0] == Match.FULL)
        return next((without_forms(route.path) for route in taken), "")

    @property
    def _routes(self) -> list[Route]:
        return [route for route in self.app.routes if isinstance(route, Route)]

    def _unlinked(self) -> Iterator[Call]:
        """The routes that no page led to, with ids of what there is."""
        met = {(call.method, self.route_of(call)) for call in self.ways.values()}
        known = {"member": "bruno", "label": "bruno", "to": "TRIAGE", "clock": "feedback", "number": "1", "token": "t"}
        # Of no letter: the page says so.
        known["letter"] = "0" * 32
        for name, template in (("case", "/cases/{case}"), ("id", "/reports/{id}")):
            found = (call.target.decode() for call in self.ways.values() if self.route_of(call) == template)
            known[name] = next(found, "/" + "0" * 32).rpartition("/")[2]
        for route in self._routes:
            for method in sorted({"GET", "POST"} & {*(route.methods or ())}):
                if (method.encode(), without_forms(route.path)) not in met:
                    target = re.sub(r"{(\w+)}", lambda match: known.get(match[1], "0" * 64), without_forms(route.path))
                    yield Call(method.encode(), target.encode(), (), MARK + b"=1" if method == "POST" else b"")

    def as_sent_by(self, label: str, call: Call) -> Call:
        """The request as the browser of one of these people makes it."""
        call = call.with_header(b"cookie", self.cookies[label]) if self.cookies[label] else call
        call = call.with_header(b"sec-fetch-site", b"same-origin")
        return call.with_header(b"content-type", b"application/x-www-form-urlencoded") if call.body else call

    async def fault(self, name: str, chance: Random) -> tuple[bytes, str] | None:
        """Ask in this way, altered; return what was asked and what is wrong with the answer."""
        self.tried += 1
        if self.tried % SESSION == 0:
            await self.log_in_all()
        call = self.altered(name, chance)
        found = await fault_of(self.app, call, stays=chance.random() < 0.95)
        self.clock.forward(seconds=1)
        return found and (call.encode(), found)

    def altered(self, name: str, chance: Random) -> Call:
        """This way to ask, altered, by one of these people or a stranger."""
        call = self.as_sent_by(chance.choice((STRANGER, *self.people, *self.people)), self.ways[name])
        return alter_call(chance, call, (alter_form, alter_form, alter_form))

    async def again(self, data: bytes) -> str | None:
        """The same request once more, in a session of now."""
        call = Call.decode(data)
        return await fault_of(self.app, call.with_header(b"cookie", await self.log_in(self.people[0])))

    async def still_serves(self) -> bool:
        """Whether a member logs in and sees the queue; a session that was ended on the way is begun again."""
        await self.log_in_all()
        answer = await put(self.app, self.as_sent_by(self.people[0], Call(b"GET", b"/queue")))
        return answer.status == 200


def without_forms(path: str) -> str:
    """A route as it is written, but for the forms of what stands in it: ``{number:int}``."""
    return re.sub(r":\w+}", "}", path)


def calls_of(base: str, page: str) -> list[Call]:
    """The links and forms of a page of this address, to the same site."""
    links = [html.unescape(link) for link in _LINK.findall(page)]
    calls = [Call(b"GET", _target(base, link)) for link in links if not urlsplit(link).netloc]
    for attributes, content in _FORM.findall(page):
        form = dict(_ATTRIBUTE.findall(attributes))
        target, body = _target(base, html.unescape(form.get("action", base))), urlencode(_fields(content)).encode()
        if form.get("method", "get").lower() == "post":
            calls.append(Call(b"POST", target, (), body or MARK))
        else:
            calls.append(Call(b"GET", target.partition(b"?")[0] + b"?" + body))
    return calls


def _fields(form: str) -> list[tuple[str, str]]:
    """The fields as somebody sends them who ticks everything and takes the last of what is to be chosen from."""
    fields: list[tuple[str, str]] = []
    for tag, attributes in _FIELD.findall(form):
        given = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(attributes)}
        if tag == "option" and fields:
            fields[-1] = (fields[-1][0], given.get("value", ""))
        elif "name" in given:
            fields.append((given["name"], given.get("value", "")))
    return fields


def _target(base: str, link: str) -> bytes:
    parts = urlsplit(urljoin(base, link))
    return quoted((parts.path + (f"?{parts.query}" if parts.query else "")).encode())


def stand_in_styles(folder: Path) -> Path:
    """A folder of scripts and styles, on which no answer depends."""
    folder.mkdir()
    (folder / "office.css").write_text("/* stand-in */")
    return folder


@asynccontextmanager
async def running_office(folder: Path, empty_database: Path | None = None) -> AsyncIterator[Office]:
    """The office of the test commission, with its data in ``folder``; it begins with a copy of ``empty_database``."""
    static = stand_in_styles(folder / "static")
    if empty_database is not None:
        (folder / "office").mkdir()
        shutil.copy(empty_database, folder / "office" / "office.sqlite3")
    settings = Settings(data=folder / "office", origin=OFFICE_ORIGIN, static=static, portal_url=PORTAL_ORIGIN)
    world, clock = found_test_commission(), Clock()
    app = create_app(settings, clock, parameters=MINIMUM)
    async with app.router.lifespan_context(app):
        office = Office(app, settings, clock, app.state.database, world)
        with office.database.use():
            await settle_office(world, settings.secrets)
        yield office
        for client in office.browsers:
            await client.aclose()


async def surface_of(office: Office) -> OfficeSurface:
    """The surface of this office, which gets three reports, and two cases, the finding of one of which is drafted."""

    async def log_in(label: str) -> bytes:
        browser = await office.browser_of(label)
        return "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items()).encode()

    with office.database.use():
        desk = Desk(office.world)
        for _ in range(3):
            await desk.receive()
        for is_drafted in (False, True):
            case = (await desk.open_case()).head.case
            await desk.admit(case)
            if is_drafted:
                await desk.draft(case, make_finding(draft_finding(office.world)))
    surface = OfficeSurface(office.app, office.clock, log_in)
    await surface.look_around()
    return surface


@asynccontextmanager
async def office_surface(folder: Path) -> AsyncIterator[OfficeSurface]:
    async with running_office(folder) as office:
        yield await surface_of(office)
