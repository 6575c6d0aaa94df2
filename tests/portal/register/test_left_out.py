# SPDX-License-Identifier: AGPL-3.0-or-later
"""A finding that can't be shown takes no other one with it, and what failed as a whole is tried again."""

import errno
from collections.abc import AsyncIterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crypto.charter import LANGUAGE
from crypto.errors import CryptoError
from crypto.finding import CODE, Recommendation, Section, finding_id
from crypto.taxonomy import GRADES, RECOMMENDATION_STATUSES, STANDARDS
from portal.kit.assets import make_asset
from portal.kit.i18n import LOCALES
from portal.register import feeds
from portal.register.entry import Entry, Revision, StoredFinding
from portal.register.register_pages import ListPage, RegisterMaker
from tests.findings import correction_of, publish_finding, sign_finding
from tests.people import PORTAL_ORIGIN, World, found_test_commission
from tests.portal.pages.test_neighbours import LANGUAGES, texts
from tests.portal.register.test_register import get, portal_with_styles, put, put_one, until_manifest, write_styles
from tests.portal.world import RunningPortal, running_portal
from tests.waiting import until

PATH = "/en/findings/xfi-zz-demo-commission-2026-f-000{}"
ASSETS = {"register.css": make_asset("register.css", b"")}

words = texts.map(lambda text: text if text.strip() else "x")
lines = words.map(lambda text: text.replace("\n", " ")[:200])


@pytest_asyncio.fixture
async def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningPortal]:
    # Attempts are counted: the portal makes none by itself.
    monkeypatch.setattr("portal.assembly.POLL_SECONDS", 86_400)
    async with portal_with_styles(tmp_path) as running:
        # And its first one is over.
        await until_manifest(running)
        yield running


def entry_of(world: World, number: int, **changes: Any) -> Entry:
    """As the portal has one that it took. Raises CryptoError where it would take none."""
    finding = publish_finding(world, number, **changes)
    first = Revision(1, finding.day, finding.kind, None, finding.hash)
    stored = StoredFinding(finding.id, finding.slug, finding.note, (first,), number, number)
    return Entry(**vars(stored), finding=finding, charters=(world.charter,))


@cache
def maker() -> RegisterMaker:
    return RegisterMaker(PORTAL_ORIGIN, "https://elsewhere.test/", ASSETS)


@st.composite
def hostile_entries(draw: st.DrawFn) -> Entry:
    world = found_test_commission(slug="other-commission")
    day = draw(st.dates(date(2026, 1, 1), date(2099, 12, 31)))
    changes = {
        "id": finding_id(world.slug, day.year, draw(st.integers(1, 999_999))),
        "day": day,
        "language": draw(st.sampled_from(LANGUAGES) | st.from_regex(LANGUAGE, fullmatch=True)),
        "title": draw(lines),
        "summary": draw(words),
        "sections": (Section(draw(lines), draw(texts)), Section(draw(lines), "- " * draw(st.integers(0, 3000)))),
        "quarter": f"{draw(st.integers(0, 9999)):04}-Q{draw(st.integers(1, 4))}",
        "jurisdictions": (draw(st.sampled_from(["ZZ", "XK", "EU", "X-NOTLISTED", "AA", "Q-"])),),
        "codes": tuple(dict.fromkeys(draw(st.lists(st.from_regex(CODE, fullmatch=True), max_size=3)))),
        "standard": draw(st.sampled_from(sorted(STANDARDS))),
        "grade": draw(st.sampled_from(sorted(GRADES))),
        "recommendations": (
            Recommendation(1, draw(lines), draw(texts), draw(st.sampled_from(sorted(RECOMMENDATION_STATUSES))), None),
        ),
        "reply": draw(st.none() | words),
        "dissent": draw(st.none() | words),
    }
    try:
        return entry_of(world, 2, **changes)
    except CryptoError:
        assume(False)
        raise


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_entries())
def test_whatever_a_finding_holds_the_others_pages_are_the_same(hostile: Entry) -> None:
    healthy = entry_of(found_test_commission(), 1)
    alone, beside = maker().show(healthy), maker().show(hostile)
    assert maker().show(healthy) == alone
    assert [page.path for page in alone.pages] == [healthy.page_path(locale) for locale in LOCALES]
    for locale in LOCALES:
        items = [(hostile.first_day, beside.items[locale]), (healthy.first_day, alone.items[locale])]
        page = maker().list_page(ListPage(locale, 1, items, 2)).body.decode()
        assert alone.items[locale] in page
        assert "<script>" not in page
    atom, json = maker().feeds([hostile, healthy])
    assert len(list(ET.fromstring(atom.body).iter("{http://www.w3.org/2005/Atom}entry"))) == 2
    assert healthy.finding.title.encode() in json.body


class TestOneThatCannotBeShown:
    @pytest.fixture(autouse=True, params=[ValueError, LookupError, RecursionError, OSError])
    def fails(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
        original = RegisterMaker.show

        def show(maker: RegisterMaker, entry: Entry) -> Any:
            if entry.finding.title.startswith("Broken"):
                raise request.param("secret")
            return original(maker, entry)

        monkeypatch.setattr(RegisterMaker, "show", show)
        return request.param

    async def test_says_so_and_takes_no_other_one_with_it(
        self, register: RunningPortal, caplog: pytest.LogCaptureFixture
    ) -> None:
        await put_one(register, 1)
        await put_one(register, 2, title="Broken")
        await put_one(register, 3)
        for number in (1, 3):
            assert "Held for nineteen days" in await get(register, PATH.format(number))
        page = await get(register, PATH.format(2))
        assert "This finding can’t be shown at the moment" in page
        assert "Broken" not in page
        listed = await get(register, "/en/findings/")
        assert listed.count("Held for nineteen days") == 2
        assert "F.0002" in listed
        assert "F.0002" not in await get(register, "/findings.atom")
        assert "secret" not in caplog.text
        assert len((await register.office("GET", "/findings")).json()["findings"]) == 3

    async def test_does_not_leave_what_it_corrects_in_its_place(self, register: RunningPortal) -> None:
        first = await put_one(register, title="Wrong")
        assert "Wrong" in await get(register, PATH.format(1))
        await put(register, sign_finding(register.world, correction_of(first, title="Broken")))
        for path in (PATH.format(1), "/en/findings/", "/findings.json"):
            assert "Wrong" not in await get(register, path)

    async def test_is_shown_after_the_next_revision(self, register: RunningPortal) -> None:
        first = await put_one(register, title="Broken")
        await put(register, sign_finding(register.world, correction_of(first, title="Mended")))
        assert "Mended" in await get(register, PATH.format(1))
        assert register.assembly.register.problems == {}


async def test_what_memory_was_short_for_is_shown_when_it_is_there_again(
    register: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as short:
        short.setattr(RegisterMaker, "show", fail)
        await put_one(register)
        assert "can’t be shown" in await get(register, PATH.format(1))
    await refresh(register)
    assert "Held for nineteen days" in await get(register, PATH.format(1))


async def refresh(portal: RunningPortal) -> None:
    """As the portal does every few seconds; return when it has tried what is to be tried."""
    own = portal.assembly.register
    with portal.database.use():
        await own.refresh()

    def is_idle() -> bool:
        return own._builder is not None and not own._builder.shown._missing and not own._wake.is_set()

    await until(is_idle, "all attempts")


async def test_attempts_become_rarer_and_a_new_finding_is_shown_at_once(
    register: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []
    called = 0
    original = RegisterMaker.show

    def show(maker: RegisterMaker, entry: Entry) -> Any:
        if not entry.finding.title.startswith("Broken"):
            return original(maker, entry)
        attempts.append(called)
        raise MemoryError

    monkeypatch.setattr(RegisterMaker, "show", show)
    await put_one(register, 1, title="Broken")
    while called < 129:
        called += 1
        await refresh(register)
    assert attempts == [0, 1, 3, 7, 15, 31, 63, 95, 127]
    await put_one(register, 2)
    assert "Held for nineteen days" in await get(register, PATH.format(2))
    monkeypatch.undo()
    for _ in range(33):
        await refresh(register)
    assert register.assembly.register.problems == {}
    assert register.assembly.register._failures == 0


async def test_a_list_that_could_not_be_made_is_tried_again_and_takes_no_finding_with_it(
    register: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_one(register, 1)

    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "files")

    with monkeypatch.context() as short:
        short.setattr(RegisterMaker, "list_page", fail)
        await put_one(register, 2)
        for path in ("/en/findings/", "/ar/findings"):
            answer = await register.client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert (await register.client.get(PATH.format(2))).status_code == 200
        assert (await register.client.get("/findings.atom")).status_code == 200
        assert (await register.client.get("/manifest.json")).status_code == 503
    await refresh(register)
    assert "f-0002" in await get(register, "/en/findings/")
    await until_manifest(register)


async def test_a_register_without_its_style_is_there_as_soon_as_the_style_is(tmp_path: Path) -> None:
    write_styles(tmp_path)
    style = (tmp_path / "nothing" / "register.css").rename(tmp_path / "register.css")
    async with running_portal(tmp_path) as portal:
        await put_one(portal, 1)
        for path in (PATH.format(1), "/en/findings/"):
            assert (await portal.client.get(path)).status_code == 503
        assert (await portal.client.get("/en/")).status_code == 200
        style.rename(tmp_path / "nothing" / "register.css")
        await refresh(portal)
        for path in (PATH.format(1), "/en/findings/"):
            assert (await portal.client.get(path)).status_code == 200


async def test_one_that_would_spoil_the_feeds_is_left_out_of_them(
    register: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = feeds._title

    def title(entry: Entry) -> str:
        if entry.finding.number == 1:
            raise ValueError
        return original(entry)

    monkeypatch.setattr(feeds, "_title", title)
    await put_one(register, 1)
    await put_one(register, 2)
    atom = await get(register, "/findings.atom")
    assert "f-0002" in atom
    assert "f-0001" not in atom
