# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's pages, found by their links and forms as members find them, and asked for as nobody should."""

import html
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urljoin, urlsplit

from starlette.routing import Match, Route

from crypto.finding import make_finding
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.settings import Settings
from tests.findings import draft_finding
from tests.fuzz.alterations import ODD_TEXTS, SWELLING, Alter, alter_bytes, swell
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
_FIELD = re.compile(r"<(?:input|select|textarea|button|option)\b([^>]*)>")


@dataclass
class OfficeSurface:
    """A running office with reports and a case; ``ways`` grow with every page that is seen."""

    office: Office
    cookies: dict[str, bytes] = field(default_factory=dict)
    ways: dict[str, Call] = field(default_factory=dict)
    tried: int = 0

    async def log_in(self, label: str) -> None:
        if label == STRANGER:
            self.cookies[label] = b""
            return
        browser = await self.office.browser_of(label)
        jar = browser.client.cookies.jar
        self.cookies[label] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar).encode()

    async def log_in_all(self) -> None:
        """New sessions, after the longest wait that failed logins bring."""
        self.office.clock.forward(hours=1)
        for label in MEMBERS:
            await self.log_in(label)

    async def look_around(self) -> None:
        """Every page that is reached by links, as each member sees it; and all routes that no link led to."""
        for label in (STRANGER, *MEMBERS):
            await self.log_in(label)
            waiting = [Call(b"GET", entrance.encode()) for entrance in ENTRANCES]
            seen: set[bytes] = set()
            while waiting and len(seen) < TARGETS_MAX:
                call = waiting.pop()
                if call.target in seen:
                    continue
                seen.add(call.target)
                answer = await put(self.office.app, self.as_member(call, label))
                assert answer.status < 500, (call.target, answer.status)
                found = list(calls_of(call.target.decode(), answer.body.decode("utf-8", "replace")))
                location = answer.headers.get("location", "")
                found += [Call(b"GET", location.encode())] if location.startswith("/") else []
                for each in (call, *found):
                    self.ways.setdefault(f"{each.method.decode()} {each.target.decode()}", each)
                waiting += [each for each in found if each.method == b"GET"]
        for each in list(self._unlinked()):
            self.ways[f"{each.method.decode()} {each.target.decode()}"] = each

    @property
    def routes(self) -> list[Route]:
        return [route for route in self.office.app.routes if isinstance(route, Route)]

    def route_of(self, call: Call) -> str:
        """The route that takes this call, as ``/cases/{case}``."""
        taken = (route for route in self.routes if route.matches(call.scope())[0] == Match.FULL)
        return next((without_forms(route.path) for route in taken), "")

    def _unlinked(self) -> Iterator[Call]:
        """The routes that no page led to, with ids of what there is."""
        met = {(call.method, self.route_of(call)) for call in self.ways.values()}
        known = {"member": "bruno", "label": "bruno", "to": "TRIAGE", "clock": "feedback", "number": "1", "token": "t"}
        for name, template in (("case", "/cases/{case}"), ("id", "/reports/{id}")):
            found = next(call for call in self.ways.values() if self.route_of(call) == template)
            known[name] = found.target.decode().rpartition("/")[2]
        for route in self.routes:
            for method in sorted({"GET", "POST"} & {*(route.methods or ())}):
                if (method.encode(), without_forms(route.path)) not in met:
                    target = re.sub(r"{(\w+)}", lambda match: known.get(match[1], "0" * 64), without_forms(route.path))
                    yield Call(method.encode(), target.encode(), (), MARK + b"=1" if method == "POST" else b"")

    def as_member(self, call: Call, label: str) -> Call:
        """The request as this member's browser makes it."""
        call = call.with_header(b"cookie", self.cookies[label]) if self.cookies[label] else call
        call = call.with_header(b"sec-fetch-site", b"same-origin")
        return call.with_header(b"content-type", b"application/x-www-form-urlencoded") if call.body else call

    async def fault(self, name: str, chance: Random) -> tuple[bytes, str] | None:
        """Ask in this way, altered; return what was asked and what is wrong with the answer."""
        self.tried += 1
        if self.tried % SESSION == 0:
            await self.log_in_all()
        label = chance.choice((STRANGER, *MEMBERS, *MEMBERS))
        call = self.as_member(self.ways[name], label)
        call = alter_call(chance, call, (alter_form, alter_form, alter_form))
        found = await fault_of(self.office.app, call, stays=chance.random() < 0.95)
        self.office.clock.forward(seconds=1)
        return found and (call.encode(), found)

    async def again(self, data: bytes) -> str | None:
        """The same request once more, in a session of now."""
        await self.log_in(MEMBERS[0])
        call = Call.decode(data)
        return await fault_of(self.office.app, call.with_header(b"cookie", self.cookies[MEMBERS[0]]))

    async def still_serves(self) -> bool:
        """Whether a member logs in and sees the queue; a session that was ended on the way is begun again."""
        await self.log_in_all()
        answer = await put(self.office.app, self.as_member(Call(b"GET", b"/queue"), MEMBERS[0]))
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
        fields = [dict(_ATTRIBUTE.findall(each)) for each in _FIELD.findall(content)]
        named = {html.unescape(each["name"]): html.unescape(each.get("value", "")) for each in fields if "name" in each}
        target, body = _target(base, html.unescape(form.get("action", base))), urlencode(named).encode()
        if form.get("method", "get").lower() == "post":
            calls.append(Call(b"POST", target, (), body or MARK))
        else:
            calls.append(Call(b"GET", target.partition(b"?")[0] + b"?" + body))
    return calls


def alter_form(chance: Random, body: bytes) -> bytes:
    """The value of one field is another one; or a field is left out, or there many times."""
    fields = body.split(b"&")
    at = chance.randrange(len(fields))
    name, _, value = fields[at].partition(b"=")
    odd = chance.choice((*ODD_TEXTS, *SWELLING)).encode("utf-8", "surrogatepass")
    alters: tuple[Alter, ...] = (alter_bytes, swell)
    other = chance.choice((b"", MARK, odd, odd * 70, odd * 7000, value + odd, b"2026-02-30", b"0", b"-1", b"9" * 30))
    match chance.randrange(6):
        case 0:
            del fields[at]
        case 1:
            fields[at:at] = [fields[at]] * chance.choice((1, 70, 1100))
        case 2:
            fields[at] = name + b"=" + quoted(chance.choice(alters)(chance, value or b"a"))
        case _:
            fields[at] = name + b"=" + b"".join(b"%%%02X" % byte for byte in other)
    return b"&".join(fields)


def _target(base: str, link: str) -> bytes:
    parts = urlsplit(urljoin(base, link))
    return quoted((parts.path + (f"?{parts.query}" if parts.query else "")).encode())


@asynccontextmanager
async def running_office(folder: Path) -> AsyncIterator[Office]:
    """The office of the test commission, with its data in ``folder``."""
    static = folder / "static"
    static.mkdir()
    for name in ("office.css", "page.css", "form.js", "return.js", "leave.js", "seal-worker.js", "mailbox-worker.js"):
        (static / name).write_text("/* stand-in */")
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


@asynccontextmanager
async def office_surface(folder: Path) -> AsyncIterator[OfficeSurface]:
    """An office with three reports, and two cases, the finding of one of which is drafted."""
    async with running_office(folder) as office:
        with office.database.use():
            desk = Desk(office.world)
            for _ in range(3):
                await desk.receive()
            for is_drafted in (False, True):
                case = (await desk.open_case()).head.case
                await desk.admit(case)
                if is_drafted:
                    await desk.draft(case, make_finding(draft_finding(office.world)))
        surface = OfficeSurface(office)
        await surface.look_around()
        yield surface
