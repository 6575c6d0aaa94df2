# SPDX-License-Identifier: AGPL-3.0-or-later
"""``check`` tells the truth of a portal that has lost something, and ``serve`` refuses what it calls failed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal import check as checking
from portal.check import check, refuse_to_serve
from portal.pages.build import PAGE_ASSETS
from portal.settings import Settings
from portal.storage.database import Database
from portal.storage.local_blobs import LocalBlobs
from portal.storage.records import SweptDayRecord
from tests.people import NOW, PORTAL_ORIGIN, VALID_UNTIL
from tests.portal.world import fresh_report, running_portal
from tests.waiting import SECONDS_MAX

LAST_DAY = datetime.combine(VALID_UNTIL, datetime.min.time(), UTC)


@pytest.fixture
async def settings(tmp_path: Path, static_folder: Path) -> Settings:
    """Of a portal that has a charter and a report with an attachment, and was stopped."""
    async with running_portal(tmp_path) as portal:
        assert (await portal.submit(fresh_report(100).bundle())).status_code == 201
    return Settings(PORTAL_ORIGIN, data=tmp_path / "data", static=static_folder, free_bytes_min=0)


@pytest.fixture
def static_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    folder.mkdir()
    for name in (*PAGE_ASSETS, "register.css"):
        (folder / name).write_text("/* */")
    return folder


async def looked_at(settings: Settings, said: pytest.CaptureFixture[str], now: datetime = NOW) -> tuple[int, list[str]]:
    """The exit status, and the lines that don't say ok."""
    said.readouterr()
    status = await check(settings, now)
    return status, [line for line in said.readouterr().out.splitlines() if not line.startswith("ok ")]


def secret(settings: Settings, name: str) -> Path:
    return settings.data / "secrets" / name


async def test_all_is_well(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await looked_at(settings, capsys) == (0, [])
    await refuse_to_serve(settings, NOW, new_key=False)
    assert list((settings.data / "blobs" / "incoming").iterdir()) == []
    assert len(list((settings.data / "blobs" / "parts").iterdir())) == 1


@pytest.mark.parametrize("name", ["signing.key", "decoy.key"])
async def test_a_key_that_is_gone_is_missed_and_no_other_is_made_in_its_place(
    name: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    secret(settings, name).unlink()
    status, [line] = await looked_at(settings, capsys)
    assert status == 1
    assert line.startswith("failed  keys") and name in line
    with pytest.raises(FileNotFoundError, match=name):
        await refuse_to_serve(settings, NOW, new_key=False)
    assert not secret(settings, name).exists()
    await refuse_to_serve(settings, NOW, new_key=True)


async def test_a_signing_key_that_no_charter_names_is_refused(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    secret(settings, "signing.key").write_bytes(bytes(32))
    status, [line] = await looked_at(settings, capsys)
    assert status == 1
    assert line.startswith("failed  signing")
    with pytest.raises(ValueError, match="not the key that charters name"):
        await refuse_to_serve(settings, NOW, new_key=False)
    await refuse_to_serve(settings, NOW, new_key=True)


async def test_a_portal_that_moved_to_another_name_has_the_key_that_charters_name(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = replace(settings, origin="https://elsewhere.example")
    said = "another origin than PORTAL_ORIGIN is named by the newest charter of demo-commission"
    assert await looked_at(moved, capsys) == (3, [f"soon    charter   {said}"])
    await refuse_to_serve(moved, NOW, new_key=False)


async def test_a_database_without_a_commission_beside_keys_needs_somebody(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    status, [line] = await looked_at(replace(settings, database=f"sqlite://{settings.data}/other.sqlite3"), capsys)
    assert (status, line.split()[:2]) == (3, ["soon", "database"])


async def test_files_that_are_gone_are_counted(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    parts = settings.data / "blobs" / "parts"
    shutil.rmtree(parts)
    status, [line] = await looked_at(settings, capsys)
    assert status == 1
    assert line.startswith("failed  files") and "1 of 1 reports" in line
    # What takes long is left to the command.
    await refuse_to_serve(settings, NOW, new_key=False)


async def test_what_no_time_is_left_for_is_said(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "ATTACHMENTS_SECONDS_MAX", -1.0)
    await check(settings, NOW)
    assert "(1 were not looked at)" in capsys.readouterr().out


async def forget_sweeps(settings: Settings) -> None:
    """As in a portal that was never swept: any day may be today."""
    database = await Database.open(settings.database_url)
    with database.use():
        await SweptDayRecord.all().delete()
    await database.close()


@pytest.mark.parametrize("days, status", [(60, 3), (61, 0), (0, 3), (-1, 3)])
async def test_a_charter_that_ends_is_spoken_of_from_two_months_before(
    days: int, status: int, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await forget_sweeps(settings)
    found, lines = await looked_at(settings, capsys, LAST_DAY - timedelta(days=days))
    assert found == status
    ends = "ended" if days < 0 else "ends"
    counted = "" if days < 0 else f", in {days} days"
    assert lines == ([f"soon    charter   demo-commission {ends} on {VALID_UNTIL}{counted}"] if status else [])
    await refuse_to_serve(settings, LAST_DAY - timedelta(days=days), new_key=False)


async def test_a_clock_that_has_gone_back_and_a_disk_that_is_nearly_full_need_somebody(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, [line] = await looked_at(settings, capsys, NOW - timedelta(days=3))
    assert (status, line.split()[:2]) == (3, ["soon", "clock"])
    monkeypatch.setattr(checking, "free_bytes", lambda _: 2**20)
    status, lines = await looked_at(replace(settings, free_bytes_min=2**20), capsys)
    assert (status, lines[-1].split()[:2]) == (3, ["soon", "disk"])


async def test_blobs_that_can_be_written_and_not_kept_are_no_blobs(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root writes where nobody may: so the folder of stored parts is what no folder can be made in."""
    with _no_folder(settings.data / "blobs" / "parts"):
        monkeypatch.setattr(LocalBlobs, "__init__", _open_as_it_is)
        status, lines = await looked_at(settings, capsys)
        assert status == 1
        assert "failed  blobs" in lines[0]
        with pytest.raises(OSError):
            await refuse_to_serve(settings, NOW, new_key=False)


OPEN = LocalBlobs.__init__


def _open_as_it_is(blobs: LocalBlobs, folder: Path, free_bytes_min: int = 0) -> None:
    OPEN(blobs, folder.parent / "other", free_bytes_min)
    blobs.incoming, blobs.kept = folder / "incoming", folder / "parts"


@contextmanager
def _no_folder(folder: Path) -> Iterator[None]:
    folder.rename(folder.with_name("aside"))
    folder.write_bytes(b"no folder")
    yield


@pytest.mark.parametrize("command", [["serve"], ["build", "out"]])
@pytest.mark.parametrize("name", ["signing.key", "realm"])
def test_no_command_makes_a_secret_in_the_place_of_one_that_is_lost(
    name: str, command: list[str], settings: Settings
) -> None:
    secret(settings, name).unlink()
    done = subprocess.run(
        [sys.executable, "-m", "portal", *command],
        env={"PORTAL_ORIGIN": settings.origin, "PORTAL_DATA": str(settings.data), "PORTAL_STATIC": "/nothing"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"portal: secrets/{name} is missing")
    assert not secret(settings, name).exists()
