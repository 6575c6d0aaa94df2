# SPDX-License-Identifier: AGPL-3.0-or-later
"""The site: the same bytes for everyone, from a look-up."""

import gzip
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import brotli
import httpx
import pytest
import pytest_asyncio

from crypto.questionnaire import read_questionnaire
from portal.kit.assets import Asset, load_assets, make_asset
from portal.kit.headers import REPORTER_CSP, SecurityHeaders
from portal.kit.i18n import LOCALES, country_names
from portal.pages import Page, Site, SiteEndpoint, build_site
from portal.pages.build import PAGE_ASSETS
from tests.conftest import ROOT
from tests.people import LANGUAGES, REALM, SLUG, World, found_test_commission

DOCUMENTS = [
    "/",
    *(f"/{locale}/{name}" for locale in LOCALES for name in ("", "return", "protection", f"{SLUG}/report")),
]


@dataclass(frozen=True)
class PageSettings:
    origin: str = "http://portal.test"
    leave_url: str = "https://elsewhere.test/"


def fake_assets() -> dict[str, Asset]:
    return {name: make_asset(name, f"/* {name} */".encode()) for name in (*PAGE_ASSETS, "register.css")}


@pytest.fixture(scope="module")
def world() -> World:
    return found_test_commission()


@pytest.fixture(scope="module")
def site(world: World) -> Site:
    return build_site([world.charter], PageSettings(), fake_assets(), REALM)


@pytest_asyncio.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    app = SecurityHeaders(SiteEndpoint(site), REPORTER_CSP, https=False)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
        yield client


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_a_document_has_the_headers_of_a_reporters_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == REPORTER_CSP
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not {"set-cookie", "link", "refresh", "etag", "server"} & set(answer.headers)


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_every_visitor_gets_the_same_bytes(client: httpx.AsyncClient, path: str) -> None:
    visitors = (
        {},
        {"accept-language": "ar", "user-agent": "Old Phone", "cookie": "a=b", "referer": "https://elsewhere.test/"},
        {"x-forwarded-for": "192.0.2.1", "accept-encoding": "br", "if-none-match": "*"},
    )
    bodies = {(await client.get(path, headers=headers)).content for headers in visitors}
    assert len(bodies) == 1


def test_building_twice_gives_the_same_site(site: Site, world: World) -> None:
    again = build_site([world.charter], PageSettings(), fake_assets(), REALM)
    assert again.hash == site.hash
    # Compressed bytes too: who compares what two visitors got sees no difference.
    assert again.pages == site.pages


async def test_the_manifest_lists_the_hash_of_every_path(client: httpx.AsyncClient, site: Site) -> None:
    answer = await client.get("/manifest.json")
    files = json.loads(answer.content)["files"]
    assert set(files) == {path for path in site.pages if path != "/manifest.json"}
    for path, expected in files.items():
        assert hashlib.sha256((await client.get(path)).content).hexdigest() == expected
    assert hashlib.sha256(answer.content).hexdigest() == site.hash


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("", None),
        ("identity", None),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.0", None),
        ("GZIP;q=1.0", "gzip"),
    ],
)
async def test_the_best_encoding_that_the_client_takes_is_sent(
    client: httpx.AsyncClient, site: Site, accepted: str, coding: str | None
) -> None:
    async with client.stream("GET", "/en/", headers={"accept-encoding": accepted}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    plain = {"br": brotli.decompress, "gzip": gzip.decompress}.get(coding or "", bytes)(raw)
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "accept-encoding"
    assert plain == site.pages["/en/"].body
    assert int(answer.headers["content-length"]) == len(raw)


async def test_assets_are_kept_for_ever_and_confirmed_by_their_tag(client: httpx.AsyncClient) -> None:
    path = fake_assets()["page.css"].path
    answer = await client.get(path)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    again = await client.get(path, headers={"if-none-match": f'"other", W/{answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(path, headers={"if-none-match": '"other"'})
    assert other.status_code == 200


async def test_head_gives_the_headers_alone(client: httpx.AsyncClient) -> None:
    head = await client.head("/en/", headers={"accept-encoding": "br"})
    async with client.stream("GET", "/en/", headers={"accept-encoding": "br"}) as get:
        pass
    assert head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_nothing_can_be_sent_to_a_page(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, f"/en/{SLUG}/report", content=b"story=secret")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("/en/none", "en"),
        ("/ar/none", "ar"),
        ("/none", "en"),
        ("/favicon.ico", "en"),
        ("/ar/../etc", "en"),
        ("/en//", "en"),
    ],
)
async def test_a_missing_page_is_said_in_the_language_of_its_path(
    client: httpx.AsyncClient, path: str, language: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert f'<html lang="{language}"' in answer.text
    assert answer.headers["content-security-policy"] == REPORTER_CSP
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/en", "/ar"])
async def test_a_missing_slash_is_added_by_a_relative_redirect(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{path[1:]}/"
    assert httpx.URL(f"http://portal.test{path}").join(answer.headers["location"]).path == f"{path}/"


async def test_the_newest_charter_of_a_commission_is_the_one_that_is_shown(world: World) -> None:
    other = found_test_commission(slug="other-commission")
    site = build_site([world.charter, other.charter], PageSettings(), fake_assets(), REALM)
    assert site.get(f"/en/{SLUG}/report") is not None
    assert site.get("/ar/other-commission/report") is not None
    start = site.pages["/en/"].body.decode()
    assert f"/en/{SLUG}/report" in start
    assert "/en/other-commission/report" in start
    # Where there is a choice, "Send a report" leads to it.
    assert re.search(r'href="#who">\s*Send a report', start)


def test_a_portal_without_commissions_says_so() -> None:
    site = build_site([], PageSettings(), fake_assets(), REALM)
    start = site.pages["/en/"].body.decode()
    assert "Nothing can be sent from this site today" in start
    assert "Send a report" not in start


def test_the_report_page_pins_its_charter_and_carries_it_as_an_asset(site: Site, world: World) -> None:
    page = site.pages[f"/en/{SLUG}/report"].body.decode()
    assert f'data-charter="{world.charter.hash}"' in page
    assert f'data-realm="{REALM}"' in page
    source = re.search(r'data-charter-src="([^"]+)"', page)
    assert source is not None
    assert site.pages[source[1]].body == world.charter.note
    assert site.pages[source[1]].content_type == "text/plain; charset=utf-8"


def test_the_way_back_knows_the_realm_and_the_newest_charters(world: World) -> None:
    other = found_test_commission(slug="other-commission")
    site = build_site([world.charter, other.charter], PageSettings(), fake_assets(), REALM)
    page = site.pages["/en/return"].body.decode()
    assert f'data-realm="{REALM}"' in page
    assert f'data-charters="{world.charter.hash} {other.charter.hash}"' in page
    none = build_site([], PageSettings(), fake_assets(), REALM).pages["/en/return"].body.decode()
    assert 'data-charters=""' in none


@pytest.mark.parametrize("locale", LOCALES)
def test_countries_are_listed_once_as_codes_for_script_to_name(site: Site, locale: str) -> None:
    page = site.pages[f"/{locale}/{SLUG}/report"].body.decode()
    listed = re.search(r'<select[^>]* data-countries="([A-Z]+)">\s*(.*?)</select>', page, re.DOTALL)
    assert listed is not None
    assert re.findall("..", listed[1]) == sorted(country_names(locale))
    assert re.findall(r'<option value="(\w*)"', listed[2]) == ["", "ZZ"]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != "/"])
def test_nothing_on_a_page_could_send_what_was_typed_without_script(site: Site, path: str) -> None:
    """A form without script would put answers into an address or a body in the clear."""
    page = site.pages[path].body.decode()
    assert "<form" not in page
    assert 'type="submit"' not in page
    assert all('type="button"' in button for button in re.findall(r"<button[^>]*>", page))
    for field in re.findall(r"<(?:input|textarea|select)[^>]*>", page):
        assert 'autocomplete="off"' in field
        # Radio buttons need a common name to be one choice; nothing else has one.
        assert ' name="' not in field or 'type="radio"' in field or 'type="checkbox"' in field


@pytest.mark.parametrize("path", DOCUMENTS)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(site: Site, path: str) -> None:
    page = site.pages[path].body.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r"\s(?:style|on[a-z]+)=", page)
    for address in re.findall(r'\s(?:src|href|action)="([^"]*)"', page):
        assert address.startswith(("/", "#")) or address == PageSettings().leave_url


@pytest.mark.parametrize("path", DOCUMENTS)
def test_titles_and_first_views_name_neither_crime_nor_organisation(site: Site, path: str, world: World) -> None:
    page = site.pages[path].body.decode()
    title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert title is not None
    first_view = page.split("</h1>")[0]
    for word in (*world.charter.name.values(), "extradition", "abuse", "police", "Amparo"):
        assert word.lower() not in title[1].lower()
        assert word.lower() not in first_view.lower()


# What may stand in an address beside a commission's short name: the browser's history keeps it.
NEUTRAL = {
    "",
    "en",
    "ar",
    "manifest.json",
    "return",
    "protection",
    "report",
    "findings",
    "main",
    "now",
    "who",
    "checks",
}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_what_the_history_keeps_of_a_page_is_neutral(site: Site, path: str) -> None:
    """Addresses with their fragments; titles are looked at above. The short name is the commission's to choose."""
    page = site.pages[path].body.decode()
    links = [path, *re.findall(r'<a [^>]*href="([/#][^"]*)"', page)]
    assert {word for link in links for word in re.split("[/#]", link)} - {SLUG} <= NEUTRAL


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_page_has_the_way_out_before_anything_else(site: Site, path: str) -> None:
    page = site.pages[path].body.decode()
    link = page.index(f'href="{PageSettings().leave_url}"')
    assert link < page.index("<main")
    assert "data-leave" in page


def test_the_first_page_says_leave_now_in_every_language_one_apart_from_the_other(site: Site) -> None:
    button = re.search(r"<a class=\"leave\"[^>]*>(.*?)</a>", site.pages["/"].body.decode())
    assert button is not None
    # Each in its own direction within a box of the page's: the line between them stands between them.
    assert re.sub("<[^>]*>", "", button[1]).strip() == "Leave now الخروج الآن"
    assert re.findall('<span class="leave__words"><bdi lang="(..)" dir="(...)">', button[1]) == [
        ("en", "ltr"),
        ("ar", "rtl"),
    ]


def test_links_lead_to_pages_that_exist(site: Site) -> None:
    for path, page in site.pages.items():
        if not page.content_type.startswith("text/html"):
            continue
        text = page.body.decode()
        for target in re.findall(r'<a [^>]*href="(/[^"#]*)"', text):
            # The register is served beside this site: see tests of portal/register.
            in_register = target.split("/")[2:3] == ["findings"]
            assert in_register or site.get(target) is not None, f"{path} links to {target}"
        for anchor in re.findall(r'<a [^>]*href="#([^"]+)"', text):
            assert f'id="{anchor}"' in text, f"{path} links to #{anchor}"


def test_texts_in_another_language_are_marked(world: World) -> None:
    site = build_site([world.charter], PageSettings(), fake_assets(), REALM)
    english_only = type(world.charter)(**{**vars(world.charter), "name": {"en": "Only in English"}})
    page = build_site([english_only], PageSettings(), fake_assets(), REALM).pages["/ar/"].body.decode()
    assert '<span lang="en" dir="ltr">Only in English</span>' in page
    assert '<span lang="en" dir="ltr">' not in site.pages["/ar/"].body.decode()


def test_what_a_charter_says_is_never_markup(world: World) -> None:
    hostile = type(world.charter)(
        **{**vars(world.charter), "name": {"en": "<script>x</script>", "ar": '"><img src=x>'}, "mandate": {"xx": "<b>"}}
    )
    for page in build_site([hostile], PageSettings(), fake_assets(), REALM).pages.values():
        text = page.body.decode()
        if page.content_type.startswith("text/html"):
            assert "<script>x" not in text
            assert "<img src=x" not in text
            assert "<b>" not in text


def test_the_arabic_pages_run_from_right_to_left_and_say_who_translated_them(site: Site) -> None:
    assert '<html lang="ar" dir="rtl">' in site.pages["/ar/"].body.decode()
    assert "مترجمة آليًا" in site.pages["/ar/protection"].body.decode()
    assert "machine translated" not in site.pages["/en/protection"].body.decode()


def test_a_round_the_clock_line_is_claimed_only_by_a_charter_that_offers_one(world: World) -> None:
    staffed = type(world.charter)(**{**vars(world.charter), "staffed_always": True})
    path = f"/en/{SLUG}/report"
    assert (
        "somebody is there at every hour"
        in build_site([staffed], PageSettings(), fake_assets(), REALM).pages[path].body.decode()
    )
    assert (
        "This is not a 24-hour line"
        in build_site([world.charter], PageSettings(), fake_assets(), REALM).pages[path].body.decode()
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_pages_fit_their_budgets(locale: str) -> None:
    """By gzip, with all that they load; the start page fits the first flight of packets. The share of script in it is
    weighed by static/build.mjs."""
    value = json.loads((ROOT / "oversight" / "questionnaires" / "default.json").read_text())
    world = found_test_commission(questionnaire=read_questionnaire(value, LANGUAGES))
    site = build_site([world.charter], PageSettings(), load_assets(ROOT / "static" / "dist"), REALM)
    start = loaded(site, f"/{locale}/")
    assert len(start) <= 3
    assert sum(len(page.gzip) for page in start) <= 14 * 1024
    assert sum(len(page.gzip) for page in loaded(site, f"/{locale}/{SLUG}/report")) <= 73 * 1024
    assert sum(len(page.gzip) for page in loaded(site, f"/{locale}/return")) <= 59 * 1024


def loaded(site: Site, path: str) -> list[Page]:
    """A document and what it loads at once, but for the charter, which is as large as its commission."""
    document = site.pages[path]
    at_once = re.sub(r' data-later-[a-z-]+="[^"]*"', "", document.body.decode())
    paths = set(re.findall(r'"(/assets/[^"]+)"', at_once))
    return [document, *(site.pages[each] for each in sorted(paths) if "/charter-" not in each)]
