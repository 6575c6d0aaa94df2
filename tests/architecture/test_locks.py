# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program's machine installs what that program imports, at the versions that were tested, and nothing else."""

import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import metadata

import grimp
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

OURS = ("crypto", "portal", "oversight")
PROGRAMS = {"portal": "portal", "office": "oversight"}
LOADED_BY_NAME = {
    "aiosqlite": "the driver that a database URL of sqlite names to Tortoise",
    "asyncpg": "the driver that a database URL of asyncpg names to Tortoise",
    "httptools": "what uvicorn is told to read HTTP with",
    "uvloop": "what uvicorn runs on",
}
Entry = tuple[str, ...]


def locked(file: str) -> dict[str, Entry]:
    """Every package of a lock, with its version, its marker and its hashes."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [tuple(line.split()) for line in text.splitlines()]
    return {re.split("==", entry[0])[0]: entry for entry in entries}


def pinned(entry: Entry) -> Entry:
    """The version and the hashes, whatever systems they are for."""
    return tuple(word for word in entry if re.match(r"[\w.-]+==|--hash=sha256:[0-9a-f]{64}$", word))


@cache
def project() -> dict[str, list[str]]:
    """What pyproject.toml declares for each program: what both run on, and its own."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = read["optional-dependencies"]
    return {program: [*read["dependencies"], *own[program]] for program in PROGRAMS}


def names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


@cache
def imported(package: str) -> frozenset[str]:
    """The distributions that a package imports, also by way of our other packages."""
    graph = grimp.build_graph(*OURS, include_external_packages=True, cache_dir=None, exclude_type_checking_imports=True)
    waiting = {module for module in graph.modules if module.split(".")[0] == package}
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        if module.split(".")[0] in OURS:
            waiting |= graph.find_modules_directly_imported_by(module) - seen
    foreign = {module.split(".")[0] for module in seen} - {*OURS} - sys.stdlib_module_names
    where = metadata.packages_distributions()
    return frozenset(canonicalize_name(where[module][0]) for module in foreign)


def with_what_they_need(declared: Iterable[str]) -> set[str]:
    """The distributions, and all that they need on this machine."""
    waiting, seen = {*declared}, set[str]()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for each in map(Requirement, metadata.requires(name) or []):
            if each.marker is None or each.marker.evaluate({**default_environment(), "extra": ""}):
                waiting |= {canonicalize_name(each.name)} - seen
    return seen


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_has_the_packages_that_the_tests_ran_with(program: str) -> None:
    whole, own = locked("requirements.lock"), locked(f"{program}.lock")
    assert {name: pinned(entry) for name, entry in own.items()} == {name: pinned(whole[name]) for name in own}
    assert all(len(pinned(entry)) > 1 for entry in whole.values())
    assert {"pytest", "mypy", "playwright", "hypothesis"}.isdisjoint(own)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_declares_what_it_imports_and_nothing_else(program: str) -> None:
    assert names(project()[program]) == imported(PROGRAMS[program]) | LOADED_BY_NAME.keys()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_lock_holds_what_its_program_needs_and_nothing_else(program: str) -> None:
    own = locked(f"{program}.lock")
    needed = with_what_they_need(names(project()[program]))
    # What another system or another Python needs stands there with its marker.
    assert needed <= own.keys()
    assert {name for name in own.keys() - needed if ";" not in own[name]} == set()


@pytest.mark.parametrize("extra", ["portal", "office"])
def test_what_one_program_alone_imports_is_not_on_the_others_machine(extra: str) -> None:
    other = next(program for program in PROGRAMS if program != extra)
    assert names(project()[extra]) - names(project()[other])
    assert imported(PROGRAMS[extra]) - imported(PROGRAMS[other]) <= names(project()[extra])
