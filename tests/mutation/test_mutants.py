# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mutants: every kind of fault is made, what is no behaviour is left alone, and the report tells the truth."""

from pathlib import Path

import pytest

from tests.mutation.mutants import find_mutants
from tests.mutation.report import Explanations
from tests.mutation.run import KILLED, SURVIVED, Results
from tests.mutation.selection import Selection, Trace


def changes(source: str) -> set[str]:
    return {mutant.change.partition(" → ")[2] for mutant in find_mutants("module.py", source)}


@pytest.mark.parametrize(
    ("source", "mutated"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a not in b", {"x = a in b"}),
        ("x = a and b and c", {"x = ((b) and (c))", "x = ((a) and (c))", "x = ((a) and (b))"}),
        ("x = not a", {"x = (a)"}),
        ("x = 32", {"x = 33", "x = 31"}),
        ("x = 0", {"x = 1"}),
        ("x = True", {"x = False"}),
        ("x = 'label'", {"x = 'labelx'"}),
        ("x = b''", {"x = b'x'"}),
        ("x = r'[a-z]{1,8}'", {"x = '[a-z]{1,8}x'", "x = '[a-z]{2,8}'", "x = '[a-z]{1,9}'"}),
        ("x = a + b + c", {"x = (a + b)", "x = (a) + c", "x = (b) + c"}),
        ("x = a[b:c]", {"x = a[:c]", "x = a[b:]"}),
        ("x = a if b else c", {"x = (a)", "x = (c)"}),
        ("f(a, b)", {"pass", "f(b, a)", "f(a)"}),
        ("f(a, key=b)", {"pass", "f(a)"}),
        ("x = min(a)", {"x = max(a)"}),
        ("def f(): return a", {"return None"}),
        ("raise Error('only words')", {"pass"}),
        ("raise Error('code', 'what it says')", {"pass", "raise Error('codex', 'what it says')"}),
        ("if a: b = c", {"if not (a): b = c"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if True]"}),
    ],
)  # fmt: skip
def test_every_kind_of_fault_is_made(source: str, mutated: set[str]) -> None:
    assert {change.replace("if not (a)", "if not (a): b = c") if change == "not (a)" else change
            for change in changes(source)} == mutated  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        '"""What a module says."""',
        "import a.b",
        "__all__ = ['a']",
        "def f(x: 'int') -> 'str': ...",
        "@dataclass(frozen=True)\nclass A: ...",
        "x = str | None",
        "x = a.encode('utf-8')",
    ],
)
def test_what_is_no_behaviour_is_left_alone(source: str) -> None:
    assert find_mutants("module.py", source) == []


def test_no_two_mutants_of_a_file_have_one_key_and_every_one_differs_from_the_file() -> None:
    source = Path("crypto/bundle.py").read_text("utf-8")
    mutants = find_mutants("crypto/bundle.py", source)
    assert len({mutant.key for mutant in mutants}) == len(mutants) > 100
    assert all(mutant.source != source and compile(mutant.source, "mutant", "exec") for mutant in mutants)


def test_a_fault_in_a_function_gets_the_tests_that_run_its_lines_and_a_constant_those_that_use_it() -> None:
    source = "SIZE = 4\n\n\ndef f():\n    return SIZE\n\n\ndef g():\n    return a < b\n"
    lines = {"test_f": {"m.py": [4, 5]}, "test_g": {"m.py": [8, 9]}}
    selection = Selection({"m.py": source}, Trace(lines, {"test_f": 0.1, "test_g": 0.1}))
    chosen = {mutant.change: selection.tests_of(mutant) for mutant in find_mutants("m.py", source)}
    assert chosen["SIZE = 4 → SIZE = 5"] == ["test_f"]
    assert chosen["return a < b → return a <= b"] == ["test_g"]


def test_what_was_found_is_kept_until_the_module_changes(tmp_path: Path) -> None:
    kept, source = tmp_path / "kept.json", "x = 1\n"
    first, second = find_mutants("m.py", source)
    results = Results(kept, {"m.py": source}, [])
    results.put(first, KILLED)
    results.save()
    assert Results(kept, {"m.py": source}, []).get(first) == KILLED
    assert Results(kept, {"m.py": source}, []).get(second) is None
    assert Results(kept, {"m.py": "x = 2\n"}, []).get(first) is None


def test_a_survivor_is_tried_again_when_a_test_has_changed(tmp_path: Path) -> None:
    kept, source = tmp_path / "kept.json", "x = 1\n"
    (mutant, _) = find_mutants("m.py", source)
    results = Results(kept, {"m.py": source}, [str(tmp_path)])
    results.put(mutant, SURVIVED)
    results.save()
    kept.rename(tmp_path.parent / "kept.json")
    (tmp_path / "test_more.py").write_text("")
    assert Results(tmp_path.parent / "kept.json", {"m.py": source}, [str(tmp_path)]).get(mutant) is None


def test_every_explanation_is_of_a_mutant_that_can_be_made() -> None:
    explained = Explanations().keys
    files = {key.split(" ")[0] for key in explained}
    made = {mutant.key for file in files for mutant in find_mutants(file, Path(file).read_text("utf-8"))}
    assert explained <= made


def test_a_class_of_mutants_may_be_explained_by_a_pattern(tmp_path: Path) -> None:
    file = tmp_path / "explained.toml"
    file.write_text("[[mutants]]\nwhy = \"as large\"\nlike = ['max\\((\\w), (\\w)\\) → .*max\\(\\2, \\1\\)']\n")
    swapped = [mutant for mutant in find_mutants("m.py", "x = max(a, b)") if Explanations(file).has(mutant)]
    assert [mutant.source for mutant in swapped] == ["x = max(b, a)"]
    file.write_text('[[mutants]]\nwhy = " "\nkeys = ["m.py"]\n')
    with pytest.raises(ValueError, match="empty"):
        Explanations(file)
