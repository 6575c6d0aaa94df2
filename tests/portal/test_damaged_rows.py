# SPDX-License-Identifier: AGPL-3.0-or-later
"""One value of one row is garbage, whichever it is: others' reports, messages and lists go on, and so do sweeps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from crypto.ids import SubmissionId
from portal.kit import columns
from portal.kit.columns import UnreadableError
from portal.storage.records import ClosingRecord, ControlRecord, InvitationRecord, NonceRecord
from tests.damaged_values import Value, damage, values_of
from tests.fuzz.asgi import put
from tests.fuzz.portal_surface import PortalSurface, portal_surface
from tests.portal.world import DATABASE, RunningPortal, fresh_report, running_portal
from tests.waiting import SECONDS_MAX

# Each start of a portal takes a second or two.
RESTARTS = 5


@pytest.fixture
async def surface(tmp_path: Path, rng: Random) -> AsyncIterator[PortalSurface]:
    """A portal with rows in every table, which was asked in every way."""
    async with portal_surface(tmp_path) as surface:
        portal = surface.portal
        portal.ask_for_no_work()
        for _ in range(3):
            assert (await portal.submit(fresh_report().bundle())).status_code == 201
        assert await failing(surface, rng) == []
        with portal.database.use():
            await InvitationRecord.create(token_sha256="1" * 64, slug="another")
            await ClosingRecord.create(mailbox="2" * 32)
            submission = surface.thread.sealed.manifest.submission
            await ControlRecord.create(slug=portal.world.slug, submission=submission, hash="3" * 64, note="note")
        yield surface


async def failing(surface: PortalSurface, rng: Random) -> list[str]:
    """The ways to ask that fail."""
    found = []
    for name, way in surface.ways.items():
        call = way.make(rng)
        try:
            status = (await put(surface.portal.app, surface.sign(call) if way.is_signed else call)).status
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}")
        else:
            found += [f"{name}: {status}"] if status >= 500 else []
    return found


async def listed(portal: RunningPortal) -> set[SubmissionId]:
    """All that the office is shown, page by page."""
    found: set[SubmissionId] = set()
    after, more = 0, True
    while more:
        page = (await portal.office("GET", f"/submissions?after={after}")).json()
        found |= {entry["submission"] for entry in page["submissions"]}
        more, after = page["more"], page["submissions"][-1]["sequence"] if page["submissions"] else 0
    return found


async def takes_reports(portal: RunningPortal) -> bool:
    """Whether a new report is taken, and its office told."""
    report = fresh_report()
    answer = await portal.submit(report.bundle())
    return answer.status_code == 201 and report.manifest.submission in await listed(portal)


async def sweeps(portal: RunningPortal, days: int) -> bool:
    """Whether a sweep after so many days ends. What is damaged it may leave, and say so."""
    now = portal.clock.now
    portal.clock.pass_days(days)
    async with asyncio.timeout(SECONDS_MAX):
        with suppress(UnreadableError):
            await portal.sweep()
    portal.clock.now = now
    return True


async def test_garbage_in_any_column_stops_nobody_elses_report_list_or_sweep(
    surface: PortalSurface, rng: Random
) -> None:
    found: dict[str, list[str]] = {}
    file = surface.portal.data / DATABASE
    for value in values_of(file, rng):
        with damage(file, value):
            failed = await failing(surface, rng)
            failed += [] if await takes_reports(surface.portal) else ["a report"]
            failed += [] if await sweeps(surface.portal, rng.choice((0, 400))) else ["a sweep"]
        if failed:
            found[f"{value} of row {value.row}"] = failed
    assert found == {}


async def test_the_log_names_the_column_once_and_nothing_of_what_stands_there(
    surface: PortalSurface, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_told", set())
    portal = surface.portal
    with damage(portal.data / DATABASE, Value("follow_up", "day", "DATE", 1)):
        for _ in range(2):
            page = (await portal.office("GET", "/follow-ups?after=0")).json()
            assert len(page["follow_ups"]) == 1
    assert [line for line in caplog.messages if "read" in line] == ["a value in a column day can't be read"]


async def test_a_portal_starts_with_garbage_in_any_column(surface: PortalSurface, tmp_path: Path, rng: Random) -> None:
    # Nobody reports to a commission whose charter is garbage.
    file = surface.portal.data / DATABASE
    values = [value for value in values_of(file, rng) if str(value) != "charter.note"]
    weights = [value for value in values if value.column in {"row_bytes", "attachment_bytes"}]
    for value in (*weights, *rng.sample(values, RESTARTS)):
        with damage(file, value):
            async with running_portal(tmp_path) as portal:
                portal.ask_for_no_work()
                assert await takes_reports(portal), value
                assert (await portal.client.get("/en/")).status_code < 500, value


@pytest.mark.parametrize("column", ["nonce.nonce", "closing.mailbox"])
async def test_a_row_under_a_damaged_key_holds_no_sweep_for_ever_and_the_rows_beside_it_go(
    surface: PortalSurface, column: str
) -> None:
    portal = surface.portal
    await portal.office("GET", "/submissions?after=0")
    with portal.database.use():
        await ClosingRecord.create(mailbox="f" * 32)
        rows = ClosingRecord.all() if column == "closing.mailbox" else NonceRecord.all()
        before = await rows.count()
        assert before > 1
        table, _, name = column.partition(".")
        with damage(portal.data / DATABASE, Value(table, name, "TEXT", 1)):
            assert await sweeps(portal, 1)
            assert await rows.count() == 1
