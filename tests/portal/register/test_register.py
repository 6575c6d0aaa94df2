# SPDX-License-Identifier: AGPL-3.0-or-later
"""Findings: taken from offices by their signatures, shown to everyone (docs/protocol.md §14.4, §14.5)."""

import asyncio
import gzip
import hashlib
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
import pytest_asyncio

from crypto.encoding import decode_json
from crypto.finding import Finding, Section, finding_id, path_name, read_finding
from crypto.note import Note
from crypto.published_finding import read_published_finding
from portal.kit.headers import REGISTER_CSP
from portal.kit.i18n import LOCALES
from portal.pages.build import PAGE_ASSETS
from portal.storage.records import FindingRecord
from tests.conftest import ROOT
from tests.findings import (
    CHAIR,
    PUBLISHER,
    correction_of,
    draft_finding,
    sign_finding,
    successor_charter,
    withdrawal_of,
)
from tests.people import TODAY, found_test_commission
from tests.portal.world import API, RunningPortal, error_code, publish, running_portal
from tests.waiting import until

NAME = "xfi-zz-demo-commission-2026-f-0001"
PAGE = f"/en/findings/{NAME}"
FILE = f"/findings/{NAME}.json"
LEAVE_URL = "https://www.wikipedia.org/"
REGISTER_BYTES_MAX = 40 * 1024
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "</p><script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) & \"'"


def write_styles(folder: Path) -> None:
    # The register loads one style of its own; the other scripts and styles need only exist.
    styles = folder / "nothing"
    styles.mkdir(exist_ok=True)
    for name in PAGE_ASSETS:
        (styles / name).write_text(f"/* {name} */")
    shutil.copy(ROOT / "static" / "dist" / "register.css", styles)


@asynccontextmanager
async def portal_with_styles(folder: Path, database: str = "") -> AsyncIterator[RunningPortal]:
    write_styles(folder)
    async with running_portal(folder, database) as running:
        yield running


@pytest_asyncio.fixture
async def register(tmp_path: Path) -> AsyncIterator[RunningPortal]:
    async with portal_with_styles(tmp_path) as running:
        yield running


async def post(portal: RunningPortal, note: bytes) -> httpx.Response:
    return await portal.office("POST", "/findings", note)


async def put(portal: RunningPortal, note: bytes) -> Finding:
    """Publish, and the finding as it was published."""
    answer = await post(portal, note)
    assert answer.status_code == 201, answer.text
    return read_finding(note, portal.world.charter)


async def put_one(portal: RunningPortal, number: int = 1, **changes: Any) -> Finding:
    return await put(portal, sign_finding(portal.world, draft_finding(portal.world, number, **changes)))


async def until_manifest(portal: RunningPortal) -> httpx.Response:
    """The manifest, as soon as all pages are made."""

    async def is_there() -> bool:
        return (await portal.client.get("/manifest.json")).status_code != 503

    await until(is_there, "the manifest")
    answer = await portal.client.get("/manifest.json")
    assert answer.status_code == 200
    return answer


async def get(portal: RunningPortal, path: str) -> str:
    answer = await portal.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


class TestTaking:
    async def test_a_finding_is_taken_once_and_a_repeat_changes_nothing(
        self, tmp_path: Path, database_url: str
    ) -> None:
        async with portal_with_styles(tmp_path, database_url) as portal:
            note = sign_finding(portal.world, draft_finding(portal.world))
            assert (await post(portal, note)).status_code == 201
            assert (await post(portal, note)).status_code == 200
            listing = (await portal.office("GET", "/findings")).json()
            assert listing["next"] == finding_id(portal.world.slug, 2026, 2)
            assert [(each["id"], each["revision"]) for each in listing["findings"]] == [
                (finding_id(portal.world.slug, 2026, 1), 1)
            ]
            assert "Held for nineteen days" in await get(portal, PAGE)

    async def test_two_at_once_get_one_number(self, portal: RunningPortal) -> None:
        notes = [sign_finding(portal.world, draft_finding(portal.world, title=title)) for title in ("One", "Other")]
        answers = await asyncio.gather(*(post(portal, note) for note in notes))
        assert sorted(answer.status_code for answer in answers) == [201, 409]

    async def test_the_same_twice_at_once_is_taken_once(self, portal: RunningPortal) -> None:
        note = sign_finding(portal.world, draft_finding(portal.world))
        answers = await asyncio.gather(post(portal, note), post(portal, note))
        assert sorted(answer.status_code for answer in answers) == [200, 201]

    async def test_it_is_still_there_after_a_restart(self, tmp_path: Path) -> None:
        async with portal_with_styles(tmp_path) as portal:
            first = await put_one(portal)
            await put(portal, sign_finding(portal.world, correction_of(first)))
            before = await get(portal, PAGE)
        async with portal_with_styles(tmp_path) as portal:
            assert await get(portal, PAGE) == before

    async def test_it_is_taken_even_when_no_style_was_built(self, portal: RunningPortal) -> None:
        await put_one(portal)
        assert len((await portal.office("GET", "/findings")).json()["findings"]) == 1

    async def test_an_unsigned_request_is_refused(self, portal: RunningPortal) -> None:
        note = sign_finding(portal.world, draft_finding(portal.world))
        answer = await portal.client.post(f"{API}/office/findings", content=note)
        assert error_code(answer) == (401, "signature-missing")

    @pytest.mark.parametrize(
        ("signers", "changes"),
        [
            ([CHAIR], {}),
            ([CHAIR, "amina"], {}),
            ([CHAIR, PUBLISHER], {"author": CHAIR}),
        ],
        ids=["one signature", "a signer without the role", "the chair is the author"],
    )
    async def test_signatures_that_do_not_suffice_are_refused(
        self, portal: RunningPortal, signers: list[str], changes: dict[str, Any]
    ) -> None:
        note = sign_finding(portal.world, draft_finding(portal.world, **changes), signers)
        assert error_code(await post(portal, note)) == (422, "finding-signatures")
        assert (await portal.office("GET", "/findings")).json()["findings"] == []

    async def test_a_text_that_was_altered_is_refused(self, portal: RunningPortal) -> None:
        note = sign_finding(portal.world, draft_finding(portal.world)).replace(b"nineteen", b"eighteen")
        assert error_code(await post(portal, note)) == (422, "finding-signatures")

    async def test_a_signer_who_is_not_in_the_charter_is_refused(self, portal: RunningPortal) -> None:
        other = found_test_commission(slug="other-commission")
        good = Note.parse(sign_finding(portal.world, draft_finding(portal.world), [CHAIR]))
        stranger = Note.parse(sign_finding(other, draft_finding(other), [PUBLISHER])).signatures
        note = Note(good.text, (*good.signatures, *stranger)).encode()
        assert error_code(await post(portal, note)) == (422, "finding-signatures")

    async def test_signatures_under_a_charter_that_was_replaced_are_refused(self, register: RunningPortal) -> None:
        charter = successor_charter(register.world, grace_days=8)
        answer = await register.client.post(f"{API}/charters", content=charter.note)
        assert answer.status_code == 201
        old = sign_finding(register.world, draft_finding(register.world))
        assert error_code(await post(register, old)) == (422, "finding-signatures")
        new = sign_finding(register.world, draft_finding(register.world, charter=charter.hash))
        assert (await post(register, new)).status_code == 201
        published = read_published_finding((await register.client.get(FILE)).content, register.world.charter.hash)
        assert [each.number for each in published.charters] == [1, 2]

    async def test_a_member_who_has_left_by_the_newest_charter_is_refused(self, portal: RunningPortal) -> None:
        members = tuple(
            replace(member, valid_until=TODAY - timedelta(days=1)) if member.label == PUBLISHER else member
            for member in portal.world.charter.members
        )
        charter = successor_charter(portal.world, members=members)
        await portal.client.post(f"{API}/charters", content=charter.note)
        note = sign_finding(portal.world, draft_finding(portal.world, charter=charter.hash))
        assert error_code(await post(portal, note)) == (422, "finding-signatures")

    @pytest.mark.parametrize("days", [1, -31], ids=["tomorrow", "31 days ago"])
    async def test_a_day_that_is_not_now_is_refused(self, portal: RunningPortal, days: int) -> None:
        note = sign_finding(portal.world, draft_finding(portal.world, day=TODAY + timedelta(days=days)))
        assert error_code(await post(portal, note)) == (400, "finding-malformed")

    @pytest.mark.parametrize("body", [b"", b"{}", b"\xff" * 40], ids=["nothing", "no note", "no text"])
    async def test_what_is_no_finding_is_refused(self, portal: RunningPortal, body: bytes) -> None:
        assert error_code(await post(portal, body)) == (400, "finding-malformed")

    async def test_another_commissions_finding_is_refused(self, portal: RunningPortal) -> None:
        other = found_test_commission(slug="other-commission")
        await publish(portal, other)
        note = sign_finding(other, draft_finding(other))
        assert error_code(await post(portal, note)) == (403, "not-your-commission")
        own = await portal.office("POST", "/findings", note, other.office_key)
        assert own.status_code == 201
        assert (await portal.office("GET", "/findings")).json()["findings"] == []

    async def test_a_number_that_is_not_the_next_is_refused(self, portal: RunningPortal) -> None:
        note = sign_finding(portal.world, draft_finding(portal.world, 2))
        assert error_code(await post(portal, note)) == (409, "finding-number")

    async def test_another_text_under_a_taken_number_is_refused(self, portal: RunningPortal) -> None:
        await put_one(portal)
        note = sign_finding(portal.world, draft_finding(portal.world, title="Another title"))
        assert error_code(await post(portal, note)) == (409, "finding-conflict")

    async def test_numbers_begin_anew_with_the_year(self, portal: RunningPortal) -> None:
        await put_one(portal)
        portal.clock.pass_days(60)
        assert (await portal.office("GET", "/findings")).json()["next"] == finding_id(portal.world.slug, 2027, 1)
        await put_one(portal, 1, day=portal.clock().date())


class TestRevisions:
    async def test_a_correction_takes_the_place_of_what_it_corrects(self, register: RunningPortal) -> None:
        first = await put_one(register, summary="It was eighty-seven days.")
        second = await put(register, sign_finding(register.world, correction_of(first, summary="It was nine days.")))
        page = await get(register, PAGE)
        assert "It was nine days." in page
        assert "corrected this finding" in page
        assert first.hash in page.replace(" ", "")
        for path in (PAGE, "/ar/findings/", "/en/findings/", FILE, "/findings.atom", "/findings.json"):
            assert "eighty-seven" not in await get(register, path)
        published = read_published_finding((await register.client.get(FILE)).content)
        assert published.finding.hash == second.hash

    async def test_the_portal_keeps_the_newest_text_alone(self, portal: RunningPortal) -> None:
        first = await put_one(portal)
        await put(portal, sign_finding(portal.world, correction_of(first)))
        with portal.database.use():
            rows = await FindingRecord.all().order_by("revision")
        assert [bool(row.note) for row in rows] == [False, True]
        assert rows[0].hash == first.hash

    async def test_a_repeat_of_an_earlier_revision_is_still_a_repeat(self, portal: RunningPortal) -> None:
        first = await put_one(portal)
        await put(portal, sign_finding(portal.world, correction_of(first)))
        assert (await post(portal, first.note)).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"revision": 3}, "finding-number"),
            ({"previous": "ab" * 32}, "finding-conflict"),
            ({"kind": "update", "title": "Another title"}, "finding-conflict"),
        ],
        ids=["a revision left out", "another one before it", "an update of the text"],
    )
    async def test_a_revision_that_does_not_follow_is_refused(
        self, portal: RunningPortal, changes: dict[str, Any], code: str
    ) -> None:
        first = await put_one(portal)
        note = sign_finding(portal.world, correction_of(first, **changes))
        assert error_code(await post(portal, note)) == (409, code)

    async def test_two_corrections_of_one_revision_are_one_too_many(self, portal: RunningPortal) -> None:
        first = await put_one(portal)
        await put(portal, sign_finding(portal.world, correction_of(first, title="One")))
        other = sign_finding(portal.world, correction_of(first, title="Other"))
        assert error_code(await post(portal, other)) == (409, "finding-conflict")

    async def test_a_withdrawal_leaves_a_tombstone(self, register: RunningPortal) -> None:
        first = await put_one(register)
        await put_one(register, 2, title="Another finding")
        await put(register, sign_finding(register.world, withdrawal_of(first)))
        page = await get(register, PAGE)
        assert "Withdrawn finding" in page
        assert "named a place" in page
        for path in (PAGE, "/en/findings/", FILE, "/findings.atom", "/findings.json"):
            text = await get(register, path)
            assert first.title not in text
            assert "XFI:ZZ:DEMO-COMMISSION:2026:F.0001" in text
        assert error_code(await post(register, sign_finding(register.world, correction_of(first)))) == (
            409,
            "finding-conflict",
        )

    async def test_an_update_says_what_became_of_it(self, register: RunningPortal) -> None:
        first = await put_one(register)
        done = tuple(replace(each, status="implemented", due=None) for each in first.recommendations)
        note = sign_finding(register.world, correction_of(first, kind="update", reason="Done.", recommendations=done))
        await put(register, note)
        page = await get(register, PAGE)
        assert "added to this finding" in page
        assert page.count("Implemented") == 2


class TestPages:
    async def test_an_empty_register_says_so(self, register: RunningPortal) -> None:
        assert "No finding has been published" in await get(register, "/en/findings/")
        assert (await register.client.get("/en/findings")).status_code == 308

    async def test_they_have_no_script_and_a_policy_that_allows_none(self, register: RunningPortal) -> None:
        await put_one(register)
        for path in (PAGE, "/en/findings/", f"/ar/findings/{NAME}", "/ar/findings/"):
            answer = await register.client.get(path)
            assert answer.headers["content-security-policy"] == REGISTER_CSP
            assert "script" not in REGISTER_CSP
            assert "set-cookie" not in answer.headers
            rest = answer.text.replace(LEAVE_URL, "")
            assert not re.search(r"<script|<style|style=|\son[a-z]+=|<form|<img|https?://", rest)

    async def test_they_stay_within_their_budget(self, register: RunningPortal) -> None:
        story = (ROOT / "docs" / "protocol.md").read_text("utf-8")[:60_000]
        clean = re.sub(r"[^\n\x20-\x7e\u00a0-\u0fff]", "", story)
        sections = tuple(Section("What happened", clean[at : at + 6000]) for at in range(0, len(clean), 6000))
        await put_one(register, sections=sections)
        for path in (PAGE, f"/ar/findings/{NAME}", "/en/findings/"):
            text = await get(register, path)
            styles = re.findall(r'rel="stylesheet" href="([^"]+)"', text)
            bodies = [text.encode(), *[(await register.client.get(style)).content for style in styles]]
            assert len(styles) == 1
            assert sum(len(gzip.compress(body, 9)) for body in bodies) <= REGISTER_BYTES_MAX

    async def test_hostile_text_is_shown_and_never_obeyed(self, register: RunningPortal) -> None:
        finding = draft_finding(register.world)
        hostile = replace(
            finding,
            title=HOSTILE,
            summary=HOSTILE,
            sections=(Section(HOSTILE, f"{HOSTILE}\n\n- {HOSTILE}"),),
            recommendations=(replace(finding.recommendations[0], addressee=HOSTILE, text=HOSTILE),),
            reply=HOSTILE,
            dissent=HOSTILE,
        )
        await put(register, sign_finding(register.world, hostile))
        for path in (PAGE, "/en/findings/"):
            text = await get(register, path)
            assert "&lt;script&gt;" in text
            assert not re.search(r"<script|<img|href=.javascript", text)
        feed = ET.fromstring((await register.client.get("/findings.atom")).content)
        assert feed.findtext(f"{ATOM}entry/{ATOM}title") == HOSTILE

    async def test_the_finding_is_in_its_language_and_the_rest_in_the_readers(self, register: RunningPortal) -> None:
        await put_one(register, language="ar", title="احتجاز بعد انقضاء المهلة")
        english = await get(register, PAGE)
        assert '<html lang="en" dir="ltr">' in english
        assert '<h1 lang="ar" dir="rtl">احتجاز' in english
        arabic = await get(register, f"/ar/findings/{NAME}")
        assert '<html lang="ar" dir="rtl">' in arabic
        assert "التوصيات" in arabic
        assert "Recommendations" not in arabic

    async def test_signatures_and_the_way_to_check_them_are_shown(self, register: RunningPortal) -> None:
        await put_one(register)
        page = await get(register, PAGE)
        for expected in ("Chiara Lombardi", "Elif Yıldız", f"python -m crypto verify {NAME}.json", FILE):
            assert expected in page
        assert register.world.charter.hash in page

    async def test_the_manifest_lists_every_page(self, register: RunningPortal) -> None:
        await put_one(register)
        files = decode_json((await until_manifest(register)).content, 1 << 20)["files"]
        for path in (PAGE, f"/ar/findings/{NAME}", "/en/findings/", FILE, "/findings.atom", "/findings.json", "/en/"):
            body = (await register.client.get(path)).content
            assert files[path] == hashlib.sha256(body).hexdigest(), path

    async def test_a_list_goes_on_after_fifty(self, register: RunningPortal) -> None:
        for number in range(1, 52):
            await put_one(register, number, title=f"Finding number {number} of them all")
        first, second = await get(register, "/en/findings/"), await get(register, "/en/findings/page/2")
        assert first.count('class="entry"') == 50
        assert "Finding number 51 of them all" in first
        assert "Finding number 1 of them all" in second
        assert second.count('class="entry"') == 1
        assert "Page 2 of 2" in second

    async def test_publishing_makes_only_what_changes(self, register: RunningPortal) -> None:
        await put_one(register)
        await until_manifest(register)
        before = dict(register.assembly.pages.register)
        await put_one(register, 2, title="Another finding")
        await until_manifest(register)
        after = register.assembly.pages.register
        assert after[PAGE] is before[PAGE]
        assert after["/en/findings/"] is not before["/en/findings/"]

    async def test_the_start_page_leads_to_the_register(self, register: RunningPortal) -> None:
        assert 'href="/en/findings/"' in await get(register, "/en/")

    async def test_no_link_of_a_reporters_page_leads_to_where_nobody_can_leave(self, register: RunningPortal) -> None:
        await put_one(register)
        await until_manifest(register)
        seen, waiting = set[str](), ["/"]
        while waiting:
            path = waiting.pop()
            answer = await register.client.get(path)
            assert answer.status_code == 200, path
            if path in seen or not answer.headers["content-type"].startswith("text/html"):
                continue
            seen.add(path)
            # A link, so that it works without script, which the register never has; in the bar that stays in sight.
            head = answer.text.split("<main")[0]
            assert re.search(rf'<a class="leave" href="{re.escape(LEAVE_URL)}" rel="noreferrer"', head), path
            waiting += re.findall(r'<a [^>]*href="(/[^"#]*)', answer.text)
        reporters = {f"/{locale}/{name}" for locale in LOCALES for name in ("", "return", "protection")}
        assert reporters | {PAGE, "/ar/findings/", "/en/demo-commission/report"} <= seen


class TestFiles:
    async def test_the_download_verifies(self, register: RunningPortal) -> None:
        finding = await put_one(register)
        answer = await register.client.get(FILE)
        assert answer.headers["content-type"] == "application/json"
        published = read_published_finding(answer.content, register.world.charter.hash)
        assert published.finding == finding
        assert path_name(finding.id) == NAME

    async def test_the_feeds_are_well_formed_and_know_days_only(self, register: RunningPortal) -> None:
        first = await put_one(register)
        await put_one(register, 2, title="Another finding")
        register.clock.pass_days(1)
        await put(register, sign_finding(register.world, correction_of(first, day=TODAY + timedelta(days=1))))
        answer = await register.client.get("/findings.atom")
        assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
        feed = ET.fromstring(answer.content)
        assert [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")] == [
            first.title,
            "Another finding",
        ]
        times = [element.text for name in ("updated", "published") for element in feed.iter(f"{ATOM}{name}")]
        assert set(times) == {f"{TODAY}T00:00:00Z", f"{TODAY + timedelta(days=1)}T00:00:00Z"}
        json_feed = (await register.client.get("/findings.json")).json()
        assert json_feed["version"] == "https://jsonfeed.org/version/1.1"
        assert len({item["id"] for item in json_feed["items"]}) == 2
        assert {item["date_published"] for item in json_feed["items"]} == {f"{TODAY}T00:00:00Z"}

    async def test_the_feed_of_an_empty_register_is_well_formed(self, register: RunningPortal) -> None:
        feed = ET.fromstring((await register.client.get("/findings.atom")).content)
        assert feed.findtext(f"{ATOM}updated") == f"{date(1970, 1, 1)}T00:00:00Z"
