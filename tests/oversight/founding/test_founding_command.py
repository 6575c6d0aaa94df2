# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``python -m oversight found`` and ``start-over`` say."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oversight.__main__ import main
from oversight.founding.command import Founded, Sheet
from oversight.founding.plan import PlanError, PlannedMember
from oversight.founding.store import PortalChangedError
from oversight.storage import Database
from tests.oversight.founding.plans import write_plan
from tests.people import World, settle_office

GIVEN_UP = "In one sitting one person makes every key, sees every passphrase and share, and signs for all governors."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OVERSIGHT_DATA", str(tmp_path / "office"))
    return tmp_path


def run_found(folder: Path, monkeypatch: pytest.MonkeyPatch, outcome: Founded | Exception) -> int:
    """The command with this outcome of the founding itself."""

    async def found(*arguments: Any, **named: Any) -> Founded:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("oversight.__main__.found", found)
    arguments = [str(write_plan(folder)), "--portal", "http://portal.test", "--invitation", "x", "--out", str(folder)]
    return main(["found", *arguments])


def test_the_help_says_what_one_sitting_gives_up(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["found", "--help"])
    assert GIVEN_UP in " ".join(capsys.readouterr().out.split())


def test_after_the_founding_it_says_so_again(
    folder: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = Sheet(PlannedMember("amina", "Amina Haddad", "amina", (), "en"), "six words", "ABCD")
    assert run_found(folder, monkeypatch, Founded(world.charter, {"amina": sheet})) == 0
    out = capsys.readouterr().out
    assert GIVEN_UP in out
    assert world.charter.hash in out
    assert "six words" not in out


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PlanError("a founding is under way"), "oversight: a founding is under way"),
        (PortalChangedError(), "Nothing was sent"),
    ],
)
def test_what_stands_in_the_way_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    assert run_found(folder, monkeypatch, error) == 1
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


def test_start_over_drops_nothing_of_a_founded_commission(
    folder: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start-over"]) == 0
    assert "Start the office again for a new link" in capsys.readouterr().out

    async def settle() -> None:
        database = await Database.open(f"sqlite://{folder / 'office' / 'office.sqlite3'}")
        with database.use():
            await settle_office(world, folder / "office" / "secrets")
        await database.close()

    asyncio.run(settle())
    assert main(["start-over"]) == 1
    assert "this commission is founded and stays" in capsys.readouterr().err
    assert (folder / "office" / "secrets" / "office.age").exists()
