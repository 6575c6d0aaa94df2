# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tests depend on nothing that nobody chose: no chance without a seed, no length of time, no clock of the machine."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest

from tests.conftest import ROOT

Names = Iterator[str]

CHANCE = {
    "chance.py": "draws from the generator that pytest-randomly reseeds for every test",
    "test_receipt_code.py": "two codes in a row differ: that is the program's own chance",
}
LENGTHS_OF_TIME = {
    "waiting.py": "the one place that looks again and again",
    "troubles.py": "the moment at which a program dies, and how long it stands still, is the input",
}
CLOCKS = {
    "answering.py": "a portal that runs as a program takes the day from the machine",
    "mailbox_states.py": "a page in a browser says how old days are by the machine's own",
    "founders.py": "found at programs that take the time from the machine",
    "machine.py": "what is off is the machine's own clock",
    "answerer.py": "logs in at a program that takes the time from the machine",
    "member_day.py": "logs in at a program that takes the time from the machine",
    "sites.py": "both programs take the day from the machine",
    "test_founding.py": "that there is a code at all, of whatever moment",
    "test_lock.py": "logs in at a program that takes the time from the machine",
    "test_serving.py": "logs in at a program that takes the time from the machine",
    "tour.py": "logs in at a program that takes the time from the machine",
    "world.py": "logs in at a program that takes the time from the machine",
}


@cache
def modules() -> dict[str, ast.Module]:
    """The Python files of the tests but this one, by their names."""
    files = sorted(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}


@cache
def calls(tree: ast.Module) -> tuple[tuple[str, ast.Call], ...]:
    """Every call, with the name of its function as written: ``time.sleep``."""
    return tuple((ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def unseeded(tree: ast.Module) -> Names:
    for node in ast.walk(tree):
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        source = getattr(node, "module", None)
        if {"secrets", "uuid"} & {source, *named} or (source == "random" and named != ["Random"]):
            yield f"import of {source or named}"
    for name, call in calls(tree):
        given = bool(call.args or call.keywords)
        seeds = name.startswith("random.Random") or (name == "random.seed" and given)
        of_the_process = name.startswith("random.") and not seeds
        if of_the_process or name.endswith("urandom"):
            yield name
        if name.rpartition(".")[2] in {"Random", "new_code"} and not given:
            yield f"{name}()"


def lengths_of_time(tree: ast.Module) -> Names:
    for name, call in calls(tree):
        turn_of_the_loop = name == "asyncio.sleep" and ast.unparse(call.args[0]) == "0"
        if (name in {"time.sleep", "asyncio.sleep", "sleep"} and not turn_of_the_loop) or "wait_for_timeout" in name:
            yield name


def clocks(tree: ast.Module) -> Names:
    for name, _ in calls(tree):
        if name in {"time.time", "datetime.now", "datetime.utcnow", "date.today"} or name.endswith(").now"):
            yield name


def short_bounds(tree: ast.Module) -> Names:
    for name, call in calls(tree):
        for keyword in call.keywords:
            bound = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg == "timeout" and isinstance(bound, int | float):
                yield f"{name}(timeout={bound})"


@pytest.mark.parametrize(
    ("find", "allowed"),
    [
        (unseeded, CHANCE),
        (lengths_of_time, LENGTHS_OF_TIME),
        (clocks, CLOCKS),
        (short_bounds, {"world.py": "milliseconds until a page is loaded again"}),
    ],
    ids=["chance", "lengths of time", "clocks", "short bounds"],
)
def test_nothing_is_left_to_the_machine_but_for_a_reason(
    find: Callable[[ast.Module], Names], allowed: dict[str, str]
) -> None:
    found = {path: names for path, tree in modules().items() if (names := list(find(tree)))}
    assert {path: names for path, names in found.items() if Path(path).name not in allowed} == {}
    assert {Path(path).name for path in found} == set(allowed), "a reason that no file needs any more"


@pytest.mark.parametrize(
    ("find", "source"),
    [
        (unseeded, "import secrets"),
        (unseeded, "from secrets import token_hex"),
        (unseeded, "from random import choice"),
        (unseeded, "random.randbytes(3)"),
        (unseeded, "random.Random()"),
        (unseeded, "random.seed()"),
        (unseeded, "os.urandom(3)"),
        (unseeded, "new_code()"),
        (lengths_of_time, "time.sleep(1)"),
        (lengths_of_time, "await asyncio.sleep(0.1)"),
        (lengths_of_time, "page.wait_for_timeout(5)"),
        (clocks, "datetime.now(UTC)"),
        (clocks, "pyotp.TOTP(secret).now()"),
        (short_bounds, "subprocess.run(line, timeout=5)"),
    ],
)
def test_what_this_looks_for_is_found(find: Callable[[ast.Module], Names], source: str) -> None:
    assert list(find(ast.parse(source))) != []


def test_no_property_has_a_deadline_or_remembers_an_earlier_run() -> None:
    assert hypothesis.settings.default is not None
    assert hypothesis.settings.default.deadline is None
    assert hypothesis.settings.default.database is None
    given = [
        (path, ast.unparse(keyword.value))
        for path, tree in modules().items()
        for name, call in calls(tree)
        if name == "settings"
        for keyword in call.keywords
        if keyword.arg == "deadline"
    ]
    assert [entry for entry in given if entry[1] != "None"] == []
