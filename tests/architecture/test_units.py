# SPDX-License-Identifier: AGPL-3.0-or-later
"""The systemd units of docs/units: shut in well, patient with a database that comes late, of settings that exist."""

import dataclasses
import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT
from tests.waiting import SECONDS_MAX

UNITS = {"amparo-portal.service": "portal", "amparo-office.service": "oversight"}
EXPOSURE_MAX_TENTHS = 20
each_unit = pytest.mark.parametrize("name", UNITS)


def lines_of(name: str) -> list[str]:
    return (ROOT / "docs/units" / name).read_text().splitlines()


@each_unit
def test_a_unit_exposes_little_by_what_systemd_says(name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX_TENTHS}"]
    done = subprocess.run(
        [*command, ROOT / "docs/units" / name], capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze reads no unit that is not installed")
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


@each_unit
def test_a_unit_starts_the_program_again_however_often_it_failed(name: str) -> None:
    lines = lines_of(name)
    assert {"StartLimitIntervalSec=0", "Restart=always"} <= set(lines)
    assert any(re.fullmatch(r"RestartSec=[1-9]\d*", line) for line in lines)


@each_unit
def test_a_unit_sets_what_the_program_knows_and_is_named_by_the_handbook(name: str) -> None:
    module = __import__(f"{UNITS[name]}.settings", fromlist=["Settings"])
    known = {f"{UNITS[name].upper()}_{field.name.upper()}" for field in dataclasses.fields(module.Settings)}
    settings = re.findall(rf"({UNITS[name].upper()}_[A-Z_]+)=", "\n".join(lines_of(name)))
    assert settings
    assert set(settings) <= known
    assert f"docs/units/{name}" in (ROOT / "docs/operations.md").read_text()
