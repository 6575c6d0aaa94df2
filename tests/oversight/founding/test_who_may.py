# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may do what in a founding, route by route; and where everybody is sent until there is a commission."""

import re
from dataclasses import replace

import httpx
import pytest

from oversight.app import ROOMS
from oversight.commission.charters import is_founded
from oversight.founding.founding import Founding
from oversight.founding.routes import routes
from oversight.members.records import MemberRecord
from tests.oversight.founding.party import COMMISSION, CONVENER, Party, expect
from tests.oversight.office import Browser, Office

ROUTES = sorted((route.path, method) for route in routes for method in route.methods or () if method != "HEAD")
LINKS = {"/join/{token}", "/share/{token}", "/share/{token}/back"}
MEMBERS = {"/found", "/found/share", "/found/share/back", "/found/draft", "/found/draft/object", "/found/publish"}
GOVERNORS = {"/found/draft/sign"}
FORM = {
    **COMMISSION,
    "member": "Daud Rahimi",
    "label": "daud",
    "threshold": "2",
    "outside": "2",
    "about": "amina",
    "invitation": "x",
}


async def send(browser: Browser, path: str, method: str) -> httpx.Response:
    filled = path.replace("{label:label}", "bruno").replace("{token}", "x" * 32)
    return await (browser.get(filled) if method == "GET" else browser.post(filled, **FORM))


async def follow(browser: Browser, answer: httpx.Response) -> httpx.Response:
    """The page that a browser comes to rest on."""
    for _ in range(5):
        if answer.status_code != 303:
            return answer
        answer = await browser.get(answer.headers["location"])
    raise AssertionError("a loop of redirects")


@pytest.fixture
async def party(laid_out: Party) -> Party:
    """The draft is laid out, and Chiara is no governor any more."""

    def change(founding: Founding) -> Founding:
        return replace(founding, plan=replace(founding.plan, governors=("amina", "bruno")))

    await laid_out.change(change)
    return laid_out


async def check_leads_on(browser: Browser, answer: httpx.Response) -> None:
    """A page, a redirect that leads to one, or a clear error."""
    assert answer.status_code in {200, 303, 404, 410, 422}
    assert (await follow(browser, answer)).status_code in {200, 404, 410, 422}


@pytest.mark.parametrize("who", ["stranger", "chiara", "bruno"])
async def test_whoever_may_not_do_it_changes_nothing_and_is_sent_where_they_can_go_on(party: Party, who: str) -> None:
    browser = party.browser() if who == "stranger" else party[who]
    own = MEMBERS | (GOVERNORS if who == "bruno" else set()) | LINKS
    before = await party.founding()
    for path, method in ROUTES:
        answer = await send(browser, path, method)
        await check_leads_on(browser, answer)
        assert await party.founding() == before
        if who == "stranger" and path not in LINKS:
            expect(answer, "/login?ended" if method == "POST" else f"/login?next={path}")
        elif path not in own:
            expect(answer, "/found")
    with party.app.state.database.use():
        assert await MemberRecord.all().count() == 3


async def test_a_member_who_is_no_governor_can_find_a_fingerprint_wrong(party: Party) -> None:
    assert (await party["chiara"].get("/found/draft")).text.count("/found/draft/object") == 1
    expect(await party.object("chiara", "amina"), "/found/draft")
    assert not (await party.founding()).is_open_for_signing


@pytest.mark.parametrize(("path", "method"), ROUTES)
async def test_every_route_leads_the_convener_on(party: Party, path: str, method: str) -> None:
    await check_leads_on(party[CONVENER], await send(party[CONVENER], path, method))


async def test_once_there_is_a_commission_every_route_leads_away(office: Office) -> None:
    for browser, where in ((office.browser(), "/login"), (await office.browser_of("amina"), "/queue")):
        for path, method in ROUTES:
            answer = await send(browser, path, method)
            if path in LINKS:
                assert answer.status_code == 410
                continue
            page = await follow(browser, answer)
            assert (page.status_code, page.url.path) == (200, where)
    with office.database.use():
        assert await MemberRecord.all().count() == 5
        assert await is_founded()


async def test_until_there_is_a_commission_every_other_page_leads_to_the_founding(gathered: Party) -> None:
    browser = gathered["bruno"]
    for path in ("/", "/queue", "/cases", "/members", "/account", "/login"):
        answer = await browser.get(path)
        assert answer.status_code == 303, path
        assert (await follow(browser, answer)).url.path == "/found"
    unknown = "0" * 32
    others = {route.path for room in ROOMS for route in room.routes if route.path.startswith(("/reports/", "/cases/"))}
    for path in others:
        filled = re.sub(r"\{number:int\}", "1", path)
        # There is no such report and no such case.
        assert (await browser.get(re.sub(r"\{[a-z]+\}", unknown, filled))).status_code in {303, 404, 405}
