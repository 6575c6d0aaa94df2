# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of the register are made when somebody asks, once for everybody; the manifest lists them when all are made."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from crypto.encoding import decode_json
from crypto.published_finding import read_published_finding
from portal.kit.i18n import LOCALES
from portal.pages import site
from portal.register import live, shown
from portal.register.entry import Entry
from portal.register.live import LiveRegister
from portal.register.register_pages import RegisterMaker
from portal.register.shown import ShownPages
from portal.register.stored import row_of
from portal.storage.records import FindingRecord
from tests.findings import correction_of, publish_finding, sign_finding, withdrawal_of
from tests.portal.charters.test_charters import post as post_charter
from tests.portal.charters.test_charters import successor
from tests.portal.register.test_register import get, portal_with_styles, put, put_one, until_manifest
from tests.portal.world import RunningPortal
from tests.waiting import SECONDS_MAX, until

NAME = "xfi-zz-demo-commission-2026-f-{:04}"
PAGE, FILE = f"/en/findings/{NAME}", f"/findings/{NAME}.json"
FINDINGS = 3


class Making:
    """Counts what is rendered, and can hold it up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[int, int]] = []
        self.begun = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()
        original = RegisterMaker.show

        def show(maker: RegisterMaker, entry: Entry) -> Any:
            self.made.append((entry.finding.number, entry.finding.revision))
            self.begun.set()
            assert self.goes_on.wait(SECONDS_MAX)
            return original(maker, entry)

        monkeypatch.setattr(RegisterMaker, "show", show)

    async def until_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, SECONDS_MAX)


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> Making:
    return Making(monkeypatch)


@pytest.fixture
def only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made but what somebody asks for."""
    monkeypatch.setattr(ShownPages, "next_missing", lambda _: None)


async def store(portal: RunningPortal, *numbers: int) -> None:
    """Findings in the database, as another process leaves them there."""
    with portal.database.use():
        await FindingRecord.bulk_create([row_of(publish_finding(portal.world, number)) for number in numbers])


@pytest_asyncio.fixture
async def started(tmp_path: Path, making: Making) -> AsyncIterator[RunningPortal]:
    """A portal that was started with findings."""
    async with portal_with_styles(tmp_path) as portal:
        await store(portal, *range(1, FINDINGS + 1))
    making.made.clear()
    making.begun.clear()
    async with portal_with_styles(tmp_path) as portal:
        await portal.assembly.register._refreshed.wait()
        yield portal


async def check_manifest(portal: RunningPortal) -> dict[str, str]:
    """What the manifest says, which has to be what is served."""
    files: dict[str, str] = decode_json((await until_manifest(portal)).content, 1 << 24)["files"]
    for path, expected in files.items():
        answer = await portal.client.get(path)
        assert answer.status_code == 200, path
        assert hashlib.sha256(answer.content).hexdigest() == expected, path
    return files


@pytest.mark.parametrize("count", [0, 1, 60])
async def test_a_start_serves_every_finding_and_lists_all_pages_in_the_manifest(tmp_path: Path, count: int) -> None:
    async with portal_with_styles(tmp_path) as portal:
        await store(portal, *range(1, count + 1))
    async with portal_with_styles(tmp_path) as portal:
        lists = [await get(portal, f"/en/findings/{'page/2' if page else ''}") for page in range(1 + (count > 50))]
        assert sum(text.count('class="entry"') for text in lists) == count
        files = await check_manifest(portal)
    findings = [path for number in range(1, count + 1) for path in (PAGE.format(number), FILE.format(number))]
    assert set(findings) <= set(files)
    assert {"/en/findings/", "/ar/findings/", "/findings.atom", "/findings.json", "/en/"} <= set(files)
    assert len([path for path in files if "/findings" in path]) == 3 * count + 2 * (1 + (count > 50)) + 2


@pytest.mark.usefixtures("only_when_asked")
class TestAPageThatWasNotMade:
    async def test_is_made_for_who_asks_first_and_stays_the_same(self, started: RunningPortal, making: Making) -> None:
        for path in (PAGE.format(2), f"/ar/findings/{NAME.format(2)}"):
            first, second = [await started.client.get(path) for _ in range(2)]
            assert (first.status_code, first.content) == (200, second.content)
            assert first.headers == second.headers
        assert making.made == [(2, 1)]

    @pytest.mark.parametrize("path", [PAGE.format(2), "/ar/findings/", FILE.format(2), "/findings.atom"])
    async def test_is_made_for_whatever_kind_of_reading(self, started: RunningPortal, path: str) -> None:
        head = await started.client.head(path, headers={"accept-encoding": "identity"})
        conditional = await started.client.get(path, headers={"if-none-match": "*"})
        assert (head.status_code, conditional.status_code) == (200, 200)
        assert int(head.headers["content-length"]) == len(conditional.content)
        assert (await started.client.post(path)).status_code == 405

    async def test_may_be_a_list_a_feed_or_a_signed_file(self, started: RunningPortal, making: Making) -> None:
        published = read_published_finding((await started.client.get(FILE.format(1))).content)
        assert published.finding.number == 1
        assert making.made == [(1, 1)]
        assert (await get(started, "/findings.json")).count('"date_published"') == FINDINGS
        assert (await get(started, "/en/findings/")).count('class="entry"') == FINDINGS
        assert sorted(making.made) == [(number, 1) for number in range(1, FINDINGS + 1)]

    async def test_leads_to_the_path_with_a_slash(self, started: RunningPortal) -> None:
        answer = await started.client.get("/en/findings")
        assert (answer.status_code, answer.headers["location"]) == (308, "findings/")

    async def test_must_be_of_the_register(self, started: RunningPortal, making: Making) -> None:
        unknown = (PAGE.format(4), FILE.format(4), "/en/findings/page/2", "/en/findings/page/0", "/fr/findings/")
        for path in (*unknown, PAGE.format(1).upper(), f"{PAGE.format(1)}/", "/en/findings//", "/findings"):
            assert (await started.client.get(path)).status_code == 404, path
        assert making.made == []

    async def test_is_made_once_for_all_who_ask(self, started: RunningPortal, making: Making) -> None:
        making.goes_on.clear()
        asking = [asyncio.create_task(started.client.get(PAGE.format(1))) for _ in range(10)]
        await making.until_begun()
        making.goes_on.set()
        assert {(await task).status_code for task in asking} == {200}
        assert making.made == [(1, 1)]

    async def test_is_made_for_the_others_when_one_goes_away(self, started: RunningPortal, making: Making) -> None:
        making.goes_on.clear()
        leaving, staying = [asyncio.create_task(started.client.get(PAGE.format(1))) for _ in range(2)]
        await making.until_begun()
        leaving.cancel()
        await asyncio.wait([leaving])
        making.goes_on.set()
        assert (await staying).status_code == 200

    async def test_keeps_few_waiting_and_asks_the_others_to_come_back(
        self, started: RunningPortal, making: Making, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "VISITORS_MAX", 2)
        await started.client.get(PAGE.format(3))
        making.begun.clear()
        making.goes_on.clear()
        waiting = [asyncio.create_task(started.client.get(path)) for path in (PAGE.format(1), PAGE.format(2))]
        await making.until_begun()
        await until(lambda: len(started.assembly.register._asked) == 2, "both wait")
        refused = await started.client.get("/en/findings/")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert "This page can’t be shown at the moment" in refused.text
        # What is there, and what never will be, is answered all the same.
        assert (await started.client.get(PAGE.format(3))).status_code == 200
        assert (await started.client.get(PAGE.format(9))).status_code == 404
        making.goes_on.set()
        assert [(await task).status_code for task in waiting] == [200, 200]
        assert "can’t be shown" not in await get(started, "/en/findings/")

    async def test_has_places_that_signed_files_do_not_take(
        self, started: RunningPortal, making: Making, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They don't stay, so that strangers can ask for them without end."""
        monkeypatch.setattr(live, "VISITORS_MAX", 2)
        monkeypatch.setattr(live, "FILE_VISITORS_MAX", 2)
        making.goes_on.clear()
        files = [asyncio.create_task(started.client.get(FILE.format(number))) for number in (1, 2)]
        await until(lambda: len(started.assembly.register._asked) == 2, "both wait")
        assert (await started.client.get(FILE.format(3))).status_code == 503
        page = asyncio.create_task(started.client.get(PAGE.format(3)))
        await until(lambda: page.done() or len(started.assembly.register._asked) == 3, "the page is asked for")
        making.goes_on.set()
        assert [(await task).status_code for task in (page, *files)] == [200] * 3

    async def test_is_as_it_was_corrected_in_that_moment(self, started: RunningPortal, making: Making) -> None:
        making.goes_on.clear()
        asking = asyncio.create_task(started.client.get(PAGE.format(1)))
        await making.until_begun()
        note = sign_finding(started.world, correction_of(publish_finding(started.world, 1), title="Mended"))
        correcting = asyncio.create_task(put(started, note))
        stored = started.assembly.register.findings.stored
        await until(lambda: len(stored.newest_first()[-1].revisions) == 2 and not stored.has_changes, "the change")
        making.goes_on.set()
        await correcting
        assert "Mended" in (await asking).text
        for path in (PAGE.format(1), "/en/findings/", FILE.format(1), "/findings.atom"):
            assert "Mended" in await get(started, path)
        assert making.made[:2] == [(1, 1), (1, 2)]

    async def test_waits_for_the_findings_to_be_loaded(self, started: RunningPortal) -> None:
        started.assembly.register._refreshed.clear()
        asking = asyncio.create_task(started.client.get(PAGE.format(1)))
        assert (await started.client.get("/en/")).status_code == 200
        assert not asking.done()
        started.assembly.register._refreshed.set()
        assert (await asking).status_code == 200

    async def test_is_not_said_to_be_unknown_as_long_as_none_could_be_loaded(
        self, started: RunningPortal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(started.assembly.register, "_builder", None)
        assert (await started.client.get(PAGE.format(1))).status_code == 503

    @pytest.mark.parametrize("limit", ["FILES_KEPT_MAX", "FILES_KEPT_BYTES_MAX"])
    async def test_may_be_asked_for_again_when_it_is_not_kept(
        self, started: RunningPortal, monkeypatch: pytest.MonkeyPatch, limit: str
    ) -> None:
        monkeypatch.setattr(shown, limit, 1)
        files = [await get(started, FILE.format(number)) for number in (1, 2, 1)]
        assert files[0] == files[2] != files[1]
        kept = [path for path in started.assembly.pages.register if path.endswith(".json")]
        assert kept == [FILE.format(1)]


async def test_nobody_has_to_ask(started: RunningPortal, making: Making) -> None:
    await until_manifest(started)
    # The newest come first.
    assert making.made == [(3, 1), (2, 1), (1, 1)]
    pages = started.assembly.pages.register
    assert {f"/{locale}/findings/{NAME.format(1)}" for locale in LOCALES} <= set(pages)


async def test_what_is_missing_is_made_also_while_strangers_ask_without_end(
    started: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_asked = LiveRegister._make_asked

    async def always(register: LiveRegister, builder: Any) -> bool:
        await make_asked(register, builder)
        # Somebody asks again at once.
        await asyncio.sleep(0)
        register._asked[FILE.format(1)] = asyncio.Event()
        return True

    monkeypatch.setattr(LiveRegister, "_make_asked", always)
    assert (await until_manifest(started)).status_code == 200


async def test_the_manifest_is_withheld_until_all_pages_are_made(started: RunningPortal, making: Making) -> None:
    await check_manifest(started)
    making.begun.clear()
    making.goes_on.clear()
    publishing = asyncio.create_task(put_one(started, 4))
    await making.until_begun()
    answer = await started.client.get("/manifest.json")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    making.goes_on.set()
    await publishing
    assert PAGE.format(4) in await check_manifest(started)


async def test_what_is_withdrawn_while_the_manifest_is_made_is_not_in_it(
    started: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until_manifest(started)
    first = publish_finding(started.world, 1)
    begun, goes_on = threading.Event(), threading.Event()
    original = site.extend_site

    def extend_site(*given: Any) -> Any:
        if given[2] is not None:
            begun.set()
            assert goes_on.wait(SECONDS_MAX)
        return original(*given)

    monkeypatch.setattr(site, "extend_site", extend_site)
    await put_one(started, 4)
    assert await asyncio.to_thread(begun.wait, SECONDS_MAX)
    # It waits for its page, which is made after that manifest.
    withdrawing = asyncio.create_task(put(started, sign_finding(started.world, withdrawal_of(first))))
    stored = started.assembly.register.findings.stored
    await until(lambda: len(stored.newest_first()[-1].revisions) == 2 and not stored.has_changes, "the change")
    goes_on.set()
    await withdrawing
    await check_manifest(started)
    for path in (PAGE.format(1), FILE.format(1)):
        assert first.title not in await get(started, path)


async def test_a_new_charter_while_pages_are_made_leaves_the_manifest_true(
    started: RunningPortal, making: Making
) -> None:
    await until_manifest(started)
    making.begun.clear()
    making.goes_on.clear()
    publishing = asyncio.create_task(put_one(started, 4))
    await making.until_begun()
    second = successor(started.world, started.world.charter, grace_days=3)
    assert (await post_charter(started, second)).status_code == 201
    await started.assembly.pages.built()
    assert (await started.client.get("/manifest.json")).status_code == 503
    making.goes_on.set()
    await publishing
    await check_manifest(started)


async def test_what_another_process_corrects_is_right_at_the_next_look(tmp_path: Path, database_url: str) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    async with portal_with_styles(tmp_path / "one", database_url) as one:
        first = await put_one(one, 1)
        async with portal_with_styles(tmp_path / "other", database_url) as other:
            assert first.title in await get(other, PAGE.format(1))
            await put(one, sign_finding(one.world, correction_of(first, title="Mended")))
            await put_one(one, 2)
            with other.database.use():
                await other.assembly.register.refresh()
            assert "Mended" in await get(other, PAGE.format(1))
            assert "Mended" in await get(other, "/en/findings/")
            assert (await check_manifest(other)) == (await check_manifest(one))


async def test_no_more_than_half_of_the_time_goes_into_what_nobody_asked_for(
    started: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until_manifest(started)
    rests: list[float] = []
    original = LiveRegister._rest

    async def rest(register: LiveRegister, seconds: float) -> None:
        rests.append(seconds)
        await original(register, 0)

    monkeypatch.setattr(LiveRegister, "_rest", rest)
    await put_one(started, 4)
    await until_manifest(started)
    # After the lists of two languages, the feeds and the manifest.
    assert len(rests) == 4
    assert all(seconds > 0 for seconds in rests)
