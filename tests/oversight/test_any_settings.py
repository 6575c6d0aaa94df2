# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of any value: each is refused in one line that shows none, or works wherever the office uses it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from crypto.charter import ORIGIN
from oversight.__main__ import main
from oversight.commission.keys import load_start_identity
from oversight.settings import PREFIX, Settings
from oversight.storage import SCHEMA
from portal.kit.settings import SettingsError
from tests.environments import check_refusal, environments, refusal_of

BASE = {"OVERSIGHT_DATA": "office"}
ODD_FOLDER = "a b?c#d%20e;f[g]@h:i&'\"<é>\\"
COMMANDS = (["serve"], ["start-over"], ["rebuild-cases"], ["export-ledger", "0" * 32, "out"])


@pytest.fixture(autouse=True)
def own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command changes of its process stays as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("oversight.__main__.refuse_dumps", lambda: None)
    before = os.umask(0o077)
    yield
    os.umask(before)


@given(environments(Settings, PREFIX, BASE))
def test_settings_are_refused_in_one_line_or_can_be_used(environment: dict[str, str]) -> None:
    try:
        settings = Settings.from_environment(environment)
    except SettingsError as error:
        check_refusal(error, environment)
        return
    assert re.fullmatch(ORIGIN, settings.own_origin)
    assert not settings.portal_name or re.fullmatch(ORIGIN, settings.portal_name)
    assert str(httpx.URL(settings.portal_url)) == settings.portal_url
    try:
        assert list(SCHEMA.config(settings.database_url)["connections"]) in (
            ["oversight-sqlite"],
            ["oversight-asyncpg"],
        )
    except OSError:
        # A path that is longer than any.
        assert len(str(settings.data)) > 255
    with pytest.raises(SettingsError, match="OVERSIGHT_START_KEY"):
        load_start_identity(settings.start_key_file or Path("none"))


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(environment=environments(Settings, PREFIX, BASE))
def test_a_command_with_refused_settings_ends_with_their_line(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal_of(Settings.from_environment, environment)
    monkeypatch.setattr(os, "environ", environment)
    for command in COMMANDS:
        assert main(command) == 1
        assert capsys.readouterr() == ("", f"oversight: {message}\n")


def test_whatever_its_folder_is_called_everything_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"OVERSIGHT_DATA": ODD_FOLDER})
    assert main(["start-over"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [ODD_FOLDER]
    assert "office.sqlite3" in {path.name for path in (tmp_path / ODD_FOLDER).iterdir()}


def test_what_can_not_be_opened_ends_a_command_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    for changed in (
        {"DATA": "file"},
        {"DATA": "x" * 300},
        {"DATABASE": f"sqlite://{tmp_path}/folder"},
        {"DATABASE": f"sqlite://{tmp_path}/file"},
    ):
        monkeypatch.setattr(os, "environ", {**BASE, **{f"{PREFIX}{name}": value for name, value in changed.items()}})
        for command in (["start-over"], ["rebuild-cases"]):
            assert main(command) == 1
            assert re.fullmatch(r"oversight: [^\n]+\n", "".join(capsys.readouterr())), (command, changed)


def test_without_its_style_the_office_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", {**BASE, "OVERSIGHT_STATIC": str(tmp_path)})
    assert main(["serve"]) == 1
    assert (
        capsys.readouterr().err
        == f"oversight: {tmp_path}/office.css is missing: build the scripts first (make setup)\n"
    )
