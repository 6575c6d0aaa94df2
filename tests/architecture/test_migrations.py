# SPDX-License-Identifier: AGPL-3.0-or-later
"""``makemigrations`` of both programs, on a copy of the repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import SECONDS_MAX

ROOT = Path(__file__).resolve().parents[2]
MODEL = """

class Bird(Model):
    name = fields.CharField(32, primary_key=True)
"""


@pytest.mark.parametrize(
    ("program", "records", "migrations"),
    [
        ("portal", "portal/storage/records.py", "portal/storage/migrations"),
        ("oversight", "oversight/members/records.py", "oversight/migrations"),
    ],
)
def test_a_new_table_is_written_as_one_migration_and_a_current_tree_needs_none(
    program: str, records: str, migrations: str, tmp_path: Path
) -> None:
    for package in ("crypto", "portal", "oversight"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))

    def make() -> str:
        command = [sys.executable, "-B", "-m", program, "makemigrations"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    nothing = f"{program}: the migrations have everything that the models have.\n"
    before = set((tmp_path / migrations).iterdir())
    assert make() == nothing
    with (tmp_path / records).open("a") as file:
        file.write(MODEL)
    written = Path(make().strip())
    assert set((tmp_path / migrations).iterdir()) - before == {written}
    assert "Bird" in written.read_text()
