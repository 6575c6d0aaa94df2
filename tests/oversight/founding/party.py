# SPDX-License-Identifier: AGPL-3.0-or-later
"""People who found a commission, each at a browser of their own; the office between them can be started again."""

import copy
import html
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any

import httpx
import pyotp
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.founding.founding import Founding
from oversight.founding.founding_draft import FoundingDraft
from oversight.settings import Settings
from tests.oversight.office import Browser, Clock
from tests.oversight.portals import Portal

CONVENER = "amina"
PEOPLE = {"amina": "Amina Haddad", "bruno": "Bruno Keller", "chiara": "Chiara Lombardi"}
ROLES = {"amina": ["registrar"], "bruno": ["investigator"], "chiara": ["chair"]}
COMMISSION = {
    "name-en": "Harbour Commission",
    "name-ar": "لجنة الميناء",
    "slug": "harbour",
    "mandate-en": "Fictional.",
    "mandate-ar": "خيالية.",
    "jurisdictions": "de, fr",
    "days_valid": "30",
    "grace_days": "7",
    "reply_days": "365",
}


@dataclass(frozen=True)
class Paper:
    """What a member has written down and scanned."""

    passphrase: str
    secret: str


@dataclass(frozen=True)
class Kept:
    """A founding that was broken off: the office's folder, what is on paper, the cookies of the browsers."""

    folder: Path
    papers: dict[str, Paper]
    cookies: dict[str, list[Cookie]]
    now: datetime


class Party:
    """``raises``: whether an exception in the office fails the test, or is the page that a browser would get."""

    def __init__(self, settings: Settings, clock: Clock, portal: Portal | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.portal = portal
        self.browsers: dict[str, Browser] = {}
        self.papers: dict[str, Paper] = {}
        self.links: dict[str, str] = {}
        self.raises = True
        self._running = AsyncExitStack()
        self._clients: list[httpx.AsyncClient] = []
        self.app: Starlette

    async def start(self) -> None:
        transport = self.portal.transport if self.portal else None
        self.app = create_app(self.settings, self.clock, parameters=MINIMUM, transport=transport)
        await self._running.enter_async_context(self.app.router.lifespan_context(self.app))

    async def restart(self) -> None:
        await self._running.aclose()
        await self.start()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self._running.aclose()

    def browser(self) -> Browser:
        """A fresh browser. It outlives a restart of the office."""
        transport = httpx.ASGITransport(self._answer)
        client = httpx.AsyncClient(transport=transport, base_url=self.settings.own_origin)
        self._clients.append(client)
        return Browser(client, self.clock)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception:
            # Starlette answers first, then raises for whoever serves it.
            if self.raises:
                raise

    def __getitem__(self, label: str) -> Browser:
        return self.browsers.setdefault(label, self.browser())

    @property
    def setup_link(self) -> str:
        return f"/join/{self.app.state.setup.token}"

    async def founding(self) -> Founding:
        """The founding as it is stored."""
        with self.app.state.database.use():
            return (await FoundingDraft.load(self.app.state.office_safe.keys.record_key)).founding

    async def change(self, change: Any) -> None:
        """Store another founding, past all pages."""
        with self.app.state.database.use():
            draft = await FoundingDraft.load(self.app.state.office_safe.keys.record_key)
            await draft.save(change(draft.founding))

    # What people do.

    async def log_in(self, label: str, /, **changed: str) -> httpx.Response:
        paper = self.papers[label]
        self.clock.forward(seconds=60)
        code = pyotp.TOTP(paper.secret).at(self.clock.now)
        form = {"username": label, "passphrase": paper.passphrase, "code": code}
        return await self[label].post("/login", **{**form, **changed})

    async def join(self, label: str, link: str, /, **changed: str) -> httpx.Response:
        """Follow the link in one's own browser, write the words down, scan the second factor, send the form."""
        page = (await self[label].get(link)).text
        self.papers[label] = paper = read_paper(page)
        form = join_form(paper, self.clock.now, label)
        return await self[label].post(link, **{**form, **changed})

    async def join_again(self, label: str, link: str, paper: Paper) -> httpx.Response:
        """Send the form of a page that was open before."""
        return await self[label].post(link, **join_form(paper, self.clock.now, label))

    async def convene(self) -> None:
        expect(await self.join(CONVENER, self.setup_link), "/found?joined")

    async def enter_plan(self, labels: tuple[str, ...] = ("bruno", "chiara")) -> None:
        amina = self[CONVENER]
        expect(await amina.post("/found/commission", **COMMISSION), "/found")
        for label in labels:
            form = {"member": PEOPLE[label], "label": label, "roles": ROLES[label]}
            expect(await amina.post("/found/members", **form, governor="yes"), "/found/members")
        expect(await amina.post("/found/members/amina/roles", roles=ROLES["amina"], governor="yes"), "/found/members")

    async def invite(self, label: str) -> str:
        answer = await self[CONVENER].post(f"/found/members/{label}/invite")
        found = re.search(r"http://office\.test(/join/[a-z2-7]{32})", answer.text)
        assert found, answer.text
        return found[1]

    async def gather(self, labels: tuple[str, ...] = ("bruno", "chiara")) -> None:
        for label in labels:
            expect(await self.join(label, await self.invite(label)), "/found?joined")

    async def make_reserve(
        self, outside: int = 1, threshold: int = 2, keepers: tuple[str, ...] = ("amina", "bruno")
    ) -> None:
        form = {"keepers": list(keepers), "outside": str(outside), "threshold": str(threshold)}
        expect(await self[CONVENER].post("/found/reserve", **form), "/found/reserve")

    async def share_links(self) -> list[str]:
        page = (await self[CONVENER].get("/found/reserve")).text
        return re.findall(r"http://office\.test(/share/[a-z2-7]{32})", page)

    async def put_on_paper(self, keepers: tuple[str, ...] = ("amina", "bruno")) -> None:
        for browser, here in [(self[label], "/found/share") for label in keepers] + [
            (self.browser(), link) for link in await self.share_links()
        ]:
            words = await see_share(browser, here)
            expect(await browser.post(f"{here}/back", share=words), here)

    async def lay_out(self) -> None:
        page = (await self[CONVENER].get("/found/draft")).text
        shown = re.search(r'name="portal" value="([^"]+)"', page)
        assert shown, page
        expect(await self[CONVENER].post("/found/draft", portal=html.unescape(shown[1])), "/found/draft")

    async def sign(self, label: str, /, **changed: str | list[str]) -> httpx.Response:
        """Compare everybody's fingerprint, and sign."""
        page = (await self[label].get("/found/draft")).text
        compared = re.findall(r'name="compared" value="([^"]+)"', page)
        return await self[label].post(
            "/found/draft/sign", **{"draft": read_hash(page), "compared": compared, **changed}
        )

    async def object(self, label: str, about: str) -> httpx.Response:
        page = (await self[label].get("/found/draft")).text
        return await self[label].post("/found/draft/object", draft=read_hash(page), about=about)

    async def invitation(self, slug: str = "harbour") -> str:
        assert self.portal is not None
        return await self.portal.invitation(slug)

    async def publish(self, invitation: str, label: str = CONVENER) -> httpx.Response:
        return await self[label].post("/found/publish", invitation=invitation)

    # A founding that is taken up again by another test.

    async def keep(self, folder: Path) -> Kept:
        await self._running.aclose()
        cookies = {label: [copy.copy(one) for one in each.client.cookies.jar] for label, each in self.browsers.items()}
        return Kept(folder, dict(self.papers), cookies, self.clock.now)


def read_paper(page: str) -> Paper:
    """The words that a page to make one's keys offers, and its second factor."""
    words = re.search(r'name="offered" value="([a-z ]+)"', page)
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    assert words and secret, page
    return Paper(words[1], secret[1])


def join_form(paper: Paper, now: datetime, label: str) -> dict[str, str]:
    person = {"member": PEOPLE[label], "label": label} if label == CONVENER else {}
    code = pyotp.TOTP(paper.secret).at(now)
    words = paper.passphrase
    return {
        "secret": paper.secret,
        "offered": words,
        "new": words,
        "again": words,
        "code": code,
        "locale": "en",
        **person,
    }


async def see_share(browser: Browser, here: str) -> str:
    page = (await browser.post(here)).text
    words = re.findall(r'class="sheet__word">([a-z]+)<', page)
    assert len(words) == 33, page
    return " ".join(words)


def read_hash(page: str) -> str:
    found = re.search(r'name="draft" value="([0-9a-f]{64})"', page)
    return found[1] if found else ""


def expect(answer: httpx.Response, location: str) -> None:
    """That a form was taken."""
    assert (answer.status_code, answer.headers.get("location")) == (303, location), answer.text


def errors_of(answer: httpx.Response) -> list[str]:
    """The errors that a page names, in order."""
    assert answer.status_code == 422, answer.text
    summary = answer.text.partition('class="error-summary__list"')[2].partition("</ul>")[0]
    return [html.unescape(re.sub("<[^>]+>", "", item)).strip() for item in re.findall(r"<li>(.*?)</li>", summary, re.S)]


@asynccontextmanager
async def party_at(settings: Settings, clock: Clock, portal: Portal | None = None) -> AsyncIterator[Party]:
    """A party at an office that is started for it."""
    party = Party(settings, clock, portal)
    await party.start()
    try:
        yield party
    finally:
        await party.close()


@asynccontextmanager
async def take_up(kept: Kept, settings: Settings, folder: Path, portal: Portal | None = None) -> AsyncIterator[Party]:
    """The party of a founding that was broken off, in ``folder``; everybody is still logged in."""
    shutil.copytree(kept.folder, folder)
    async with party_at(replace(settings, data=folder), Clock(kept.now), portal) as party:
        party.papers = dict(kept.papers)
        for label, cookies in kept.cookies.items():
            for cookie in cookies:
                party[label].client.cookies.jar.set_cookie(copy.copy(cookie))
        # A session that goes on opens the office.
        assert (await party[CONVENER].get("/found")).status_code == 200
        yield party
