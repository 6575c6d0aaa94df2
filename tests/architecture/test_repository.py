# SPDX-License-Identifier: AGPL-3.0-or-later
"""What holds for the repository as a whole: layout, licence lines, sections cited, settings documented, no hosts."""

import dataclasses
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import SECONDS_MAX

ROOT = Path(__file__).resolve().parents[2]
CODE_SUFFIXES = {".py", ".js", ".mjs", ".css"}
PACKAGES = {"crypto", "portal", "oversight"}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.splitlines() if (ROOT / name).is_file()]


def test_there_is_no_further_python_package_at_the_top() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found == PACKAGES | {"tests"}


def test_every_source_file_names_its_licence() -> None:
    code = [path for path in tracked() if path.suffix in CODE_SUFFIXES and path.stat().st_size]
    assert code
    unnamed = [path for path in code if "SPDX-License-Identifier: AGPL-3.0-or-later" not in path.read_text()[:200]]
    assert unnamed == []


# Run by the others; and what counts lines, not seconds.
NOT_OF_BENCH = {"bare_handler", "bare_page", "flooding", "structure"}
BENCHMARKS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_finds_what_it_imports(name: str) -> None:
    assert importlib.import_module(f"benchmarks.{name}").__doc__


def test_make_bench_runs_every_program_that_measures() -> None:
    listed = re.search(r"for name in ([a-z_ ]+); do", (ROOT / "Makefile").read_text())
    assert listed
    measuring = {
        name for name in BENCHMARKS if f"python -m benchmarks.{name}" in (ROOT / f"benchmarks/{name}.py").read_text()
    }
    assert set(listed[1].split()) == measuring - NOT_OF_BENCH


def test_every_section_of_the_protocol_that_code_cites_exists() -> None:
    protocol = (ROOT / "docs/protocol.md").read_text()
    sections = set(re.findall(r"^#{2,3} ([0-9.]+?)\.? ", protocol, re.M))
    cited = {
        (path.relative_to(ROOT).as_posix(), section)
        for path in tracked()
        if path.suffix in CODE_SUFFIXES and path != Path(__file__)
        for line in path.read_text().splitlines()
        for passage in re.findall(r"docs/protocol\.md[^\n)]*", line)
        for section in re.findall(r"§([0-9]+(?:\.[0-9]+)*)", passage)
    }
    assert cited
    assert sorted((path, section) for path, section in cited if section not in sections) == []


def test_lock_files_and_sources_name_no_host_that_serves_packages() -> None:
    for name in ("requirements.lock", "portal.lock", "office.lock", "node.lock", "static/package-lock.json"):
        assert not re.search(r"https?://", re.sub(r'"(?:url|homepage|funding)": ".*"', "", (ROOT / name).read_text()))


def test_every_cell_of_the_threat_model_names_a_test_that_exists_or_says_not_protected() -> None:
    model = (ROOT / "docs/threat-model.md").read_text()
    listed = re.findall(r"^(\d+)\. `([^`]+)`$", model, re.M)
    named = dict(listed)
    assert len(named) == len(listed), "a number that stands for two tests"
    matrix, attacks = model.split("## Adversary × asset")[1].split("## The thread, attack by attack")
    rows = re.findall(r"^\| (A\d+) [^|]+\|(.+)\|$", matrix, re.M)
    assert len(rows) == 10
    used: set[str] = set()
    for adversary, cells in rows:
        for cell in cells.split("|"):
            numbers = re.findall(r"\b\d+\b", re.sub(r"\(.*?\)", "", cell))
            assert numbers or "not protected" in cell or cell.strip() == "–", (adversary, cell)
            used.update(numbers)
    for shown_by in re.findall(r"\| ([^|]+) \|$", attacks, re.M):
        if shown_by not in {"shown by", "not protected", "the system's"}:
            assert re.fullmatch(r"\d+( \d+)*", shown_by), shown_by
            used.update(shown_by.split())
    assert used == set(named)
    for reference in named.values():
        file, _, test = reference.partition("::")
        source = (ROOT / "tests" / file).read_text()
        assert not test or f"def {test}(" in source, reference


@pytest.mark.parametrize("program", ["portal", "oversight"])
def test_every_setting_is_documented(program: str) -> None:
    module = __import__(f"{program}.settings", fromlist=["Settings"])
    operations = (ROOT / "docs/operations.md").read_text()
    names = [f"{program.upper()}_{field.name.upper()}" for field in dataclasses.fields(module.Settings)]
    assert names
    assert [name for name in names if f"`{name}`" not in operations] == []


def test_the_portal_runs_with_the_office_deleted(tmp_path: Path) -> None:
    """Imports every module of the portal from a copy of the repository that holds no office at all."""
    for package in ("crypto", "portal"):
        subprocess.run(["cp", "-r", ROOT / package, tmp_path / package], check=True)
    program = (
        "import importlib, pkgutil, portal, sys\n"
        "for module in pkgutil.walk_packages(portal.__path__, 'portal.'):\n"
        "    if not module.name.endswith('__main__') and '.migrations' not in module.name:\n"
        "        importlib.import_module(module.name)\n"
        "from portal.app import create_app\n"
        "print('runs')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, "runs"), result.stderr
