# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the register that are not what the portal wrote: each takes itself away, and nothing else."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crypto.finding import finding_id
from portal.register import stored
from portal.storage.errors import StorageFullError
from portal.storage.records import FindingRecord
from tests.findings import correction_of, draft_finding, publish_finding, sign_finding
from tests.portal.register.test_making import FILE, PAGE, check_manifest, store
from tests.portal.register.test_register import get, portal_with_styles, put, put_one
from tests.portal.world import RunningPortal, commission

FIRST = finding_id(commission().slug, 2026, 1)
SAYS_SO = "This finding can’t be shown at the moment"


def note_of(number: int) -> str:
    return sign_finding(commission(), draft_finding(commission(), number)).decode()


@asynccontextmanager
async def started_with(folder: Path, *statements: str) -> AsyncIterator[RunningPortal]:
    """A portal that was started with three findings, after these changes of its database."""
    async with portal_with_styles(folder) as portal:
        await store(portal, 1, 2, 3)
        for statement in statements:
            await portal.database._client().execute_script(statement)
    async with portal_with_styles(folder) as portal:
        yield portal


def change(**values: str) -> str:
    texts = ", ".join("{} = '{}'".format(name, value.replace("'", "''")) for name, value in values.items())
    return f"UPDATE finding SET {texts} WHERE identifier = '{FIRST}'"


async def check_the_others(portal: RunningPortal) -> None:
    for number in (2, 3):
        assert "Held for nineteen days" in await get(portal, PAGE.format(number))
        assert (await portal.client.get(FILE.format(number))).status_code == 200
    listed = await get(portal, "/en/findings/")
    assert listed.count("Held for nineteen days") == 2
    for path in ("/findings.atom", "/findings.json"):
        text = await get(portal, path)
        assert (text.count("f-0002.json") > 0, text.count("f-0001")) == (True, 0)
    assert (await portal.client.get(FILE.format(1))).status_code == 404
    await put_one(portal, 4)
    assert "Held for nineteen days" in await get(portal, PAGE.format(4))
    await check_manifest(portal)


@pytest.mark.parametrize(
    "garbage",
    [
        {"note": "not a note"},
        {"note": ""},
        {"note": note_of(1).replace("nineteen", "eighteen")},
        {"note": note_of(2)},
        {"hash": "ab" * 32},
        {"kind": "withdrawal"},
        {"reason": "None was given."},
        {"slug": "other-commission"},
    ],
    ids=lambda garbage: ",".join(f"{name}:{value[:12]}" for name, value in garbage.items()),
)
async def test_a_finding_that_is_not_what_was_signed_says_so_in_its_place(
    tmp_path: Path, garbage: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with started_with(tmp_path, change(**garbage)) as portal:
        page = await get(portal, PAGE.format(1))
        assert SAYS_SO in page
        assert "eighteen" not in page
        assert any("can't be shown" in each.message for each in caplog.records if each.levelno == logging.ERROR)
        await check_the_others(portal)
        assert list(portal.assembly.register.problems) == [FIRST]


async def test_a_row_that_cannot_be_loaded_is_left_out_and_its_number_stays_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with started_with(tmp_path, change(day="never")) as portal:
        assert (await portal.client.get(PAGE.format(1))).status_code == 404
        assert "can't be loaded" in caplog.text
        await check_the_others(portal)
        assert portal.assembly.register.problems == {FIRST: portal.world.slug}


async def test_a_row_without_an_id_of_a_finding_is_left_out(tmp_path: Path) -> None:
    other = change(identifier="../../x")
    async with started_with(tmp_path, other) as portal:
        await check_the_others(portal)
        assert portal.assembly.register.problems == {}


async def test_a_correction_that_cannot_be_loaded_takes_what_it_corrects_away(tmp_path: Path) -> None:
    async with portal_with_styles(tmp_path) as portal:
        await put(portal, sign_finding(portal.world, correction_of(await put_one(portal), title="Mended")))
        await portal.database._client().execute_script("UPDATE finding SET day = 'never' WHERE revision = 2")
    async with portal_with_styles(tmp_path) as portal:
        assert (await portal.client.get(PAGE.format(1))).status_code == 404
        assert "No finding has been published" in await get(portal, "/en/findings/")


async def test_more_rows_than_are_loaded_at_once_are_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "ROWS", 2)
    async with started_with(tmp_path) as portal:
        assert (await get(portal, "/en/findings/")).count('class="entry"') == 3
        corrected = correction_of(publish_finding(portal.world, 1), title="Mended")
        await put(portal, sign_finding(portal.world, corrected))
        assert (await get(portal, "/en/findings/")).count('class="entry"') == 3


async def test_a_correction_is_shown_although_the_earlier_text_cannot_be_deleted_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started_with(tmp_path) as portal:
        await asyncio.wait_for(portal.assembly.register._refreshed.wait(), 60)

        def fail() -> None:
            raise StorageFullError

        with monkeypatch.context() as full:
            full.setattr(stored, "transaction", fail)
            corrected = correction_of(publish_finding(portal.world, 1), title="Mended")
            await put(portal, sign_finding(portal.world, corrected))
            assert "Mended" in await get(portal, PAGE.format(1))
        with portal.database.use():
            earlier = FindingRecord.filter(identifier=FIRST, revision=1)
            assert (await earlier.get()).note
            await portal.assembly.register.refresh()
            assert not (await earlier.get()).note
