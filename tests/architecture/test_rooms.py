# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/architecture.md is the map of the house: its rooms are those that there are, and what it names exists."""

import importlib
import re
import shutil
from pathlib import Path

import pytest

from tests.architecture.rooms import PROGRAMS, SCRIPTS, circles, problems, read_tables
from tests.conftest import ROOT

PAGE = ROOT / "docs/architecture.md"

BREACHES = {
    "crypto/padding.py": ("from crypto import note", ["crypto/padding.py: imports notes"]),
    "crypto/planted.py": ("", ["crypto/planted.py: in no room"]),
    "crypto/note.py": ("import portal.kit.body", ["crypto/note.py: imports portal.kit"]),
    "portal/planted.py": ("", ["portal/planted.py: in no room"]),
    "portal/kit/body.py": (
        "def later():\n    from crypto.note import Note\n    return Note",
        ["portal/kit/body.py: imports crypto"],
    ),
    "portal/kit/planted.py": ("from ..storage import records", ["portal/kit/planted.py: imports storage"]),
    "portal/storage/records.py": (
        "if TYPE_CHECKING:\n    import oversight.app",
        ["portal/storage/records.py: imports oversight.app"],
    ),
    "oversight/planted/deep/__init__.py": ("", ["oversight/planted/deep/__init__.py: in no room"]),
    "oversight/ledger/append.py": ("from oversight import cases", ["oversight/ledger/append.py: imports cases"]),
    "oversight/wire/planted/new.py": (
        "import oversight.desk.queue as queue",
        ["oversight/wire/planted/new.py: imports desk"],
    ),
    "oversight/web/forms.py": ("from portal import storage", ["oversight/web/forms.py: imports portal.storage"]),
    "oversight/migrations/__init__.py": (
        "import importlib\nimportlib.import_module('oversight.letters.records')\nimportlib.import_module(name)",
        [
            "oversight/migrations/__init__.py: imports by address",
            "oversight/migrations/__init__.py: imports letters",
        ],
    ),
    "oversight/__init__.py": ("from oversight.app import create_app", ["oversight/__init__.py: imports app"]),
    "static/src/planted.js": ("", ["static/src/planted.js: in no room"]),
    "static/src/formats/planted.js": (
        'export { submitReport } from "../worker/submit.js";',
        ["static/src/formats/planted.js: imports worker"],
    ),
    "static/src/worker/planted.js": (
        '/** @typedef {import("../page/strings.js").Strings} Strings */',
        ["static/src/worker/planted.js: imports page"],
    ),
}


def copy_of_the_tree(folder: Path) -> Path:
    for name in (*PROGRAMS, SCRIPTS):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "locale", "templates"))
    (folder / "docs").mkdir()
    shutil.copy(PAGE, folder / "docs")
    return folder


def test_every_file_stands_in_a_room_and_imports_what_its_table_allows_no_more_and_no_less() -> None:
    assert problems(ROOT) == []


def test_whatever_is_planted_is_found_and_nothing_else_is(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    for name, (source, _) in BREACHES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        with (tree / name).open("a") as file:
            file.write(f"\n{source}\n")
    expected = sorted(line for _, lines in BREACHES.values() for line in lines)
    assert [line for line in problems(tree) if "a circle of" not in line] == expected


def test_a_room_that_is_gone_and_an_import_that_is_not_needed_are_found(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    page = (tree / "docs/architecture.md").read_text()
    page = page.replace("| `check` |", "| `planted` | nothing yet | `storage` |\n| `check` |", 1)
    page = re.sub(r"^(\| `kit` \|[^|]+\|)", r"\1 `crypto`", page, flags=re.M)
    page = page.replace("`bech32`", "`bech32` `bech33`")
    (tree / "docs/architecture.md").write_text(page)
    assert problems(tree) == [
        "crypto: there is no bech33",
        "portal: kit need not import crypto",
        "portal: planted need not import storage",
        "portal: there is no planted",
    ]


def test_circles_are_found_also_long_ones() -> None:
    there = {"a": frozenset("b"), "b": frozenset("cd"), "c": frozenset("a"), "d": frozenset()}
    assert circles(there) == [["a", "b", "c"]]
    assert circles({**there, "c": frozenset("d")}) == []


def test_the_walls_that_no_table_may_move() -> None:
    tables = read_tables(ROOT)
    assert all(set(row.imports) <= set(tables["crypto"]) for row in tables["crypto"].values())
    assert all(set(row.imports) <= {*tables["portal"], "crypto"} for row in tables["portal"].values())
    assert tables["portal"]["kit"].imports == frozenset()
    beyond = {name for row in tables["oversight"].values() for name in row.imports} - set(tables["oversight"])
    assert beyond == {"crypto", "portal.kit"}
    assert tables["oversight"]["workflow"].imports == {"marking", "crypto"}


def names_of_the_page() -> list[str]:
    """Every dotted name and every script that the page names after its tables of rooms."""
    text = PAGE.read_text(encoding="utf-8").split("## Journeys")[1]
    return sorted({name for name in re.findall(r"`([^`\s]+)`", text) if re.search(r"\w\.\w", name)} - FILES)


FILES = {"signing.key", "decoy.key", "office.age"}


@pytest.mark.parametrize("name", names_of_the_page())
def test_what_the_page_names_exists(name: str) -> None:
    if ".js" in name:
        path, _, member = name.partition("#")
        source = (ROOT / SCRIPTS / path).read_text(encoding="utf-8")
        for part in filter(None, member.split(".")):
            assert re.search(rf"\b(?:class|function) {part}\b|^  (?:async )?{part}\(", source, re.M), name
        return
    first = name.partition(".")[0]
    homes = [""] if first in PROGRAMS else ["portal.", "oversight."]
    assert sum(is_there(home + name) for home in homes) == 1, f"{name} is nowhere, or in both programs"


def is_there(name: str) -> bool:
    module, found = name, None
    while module and found is None:
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                raise
            module = module.rpartition(".")[0]
    for part in name.removeprefix(module).strip(".").split("."):
        if part:
            fields = getattr(found, "__dataclass_fields__", {})
            if part not in fields and not hasattr(found, part):
                return False
            found = getattr(found, part, None)
    return found is not None


def test_a_name_that_is_nowhere_is_found() -> None:
    assert is_there("portal.intake.parts.Parts.take")
    assert not is_there("portal.intake.parts.Parts.planted")
    assert not is_there("portal.intake.planted")
    assert not is_there("portal.planted.intake")


def test_the_page_is_one_page() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 150
