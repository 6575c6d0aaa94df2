# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can cost more than its text weighs is called in one place each, which bounds the text first."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("crypto", "portal", "oversight")
# The name that is called or imported, the modules that may, and what bounds it there.
COSTLY = {
    # The square of the marks on one letter: runs are cut. The portal's kit sorts its own names of countries.
    "normalize": {"crypto/folding.py", "portal/kit/i18n.py"},
    # More than twice as long for twice the length: 72 characters at most.
    "zxcvbn": {"oversight/members/passphrase.py"},
    # The square of how often the same words come: such texts are compared by lines, or not at all.
    "SequenceMatcher": {"oversight/findings/difference.py"},
    # Up to a millisecond for what looks like a number: as many groups of digits as the check has effort for.
    "PhoneNumberMatcher": {"oversight/findings/phones.py"},
    # Words of a text times words of a name: as many as the check has effort for.
    "JaroWinkler": {"oversight/findings/names.py"},
    "anyascii": {"oversight/findings/folding.py"},
    # Looks back over the whole name for every joiner: 200 characters at most.
    "valid_contextj": {"crypto/person_name.py"},
    # Nesting is bounded, a finding is at most 80 KiB.
    "MarkdownIt": {"portal/kit/prose.py"},
}


@cache
def attributes_and_imports(path: Path) -> set[str]:
    """Names that a module imports, and attributes of modules that it uses."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(PROGRAMS):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_call_stands_where_its_text_is_bounded(name: str) -> None:
    modules = [path for program in PROGRAMS for path in (ROOT / program).rglob("*.py")]
    users = {path.relative_to(ROOT).as_posix() for path in modules if name in attributes_and_imports(path)}
    assert users == COSTLY[name]


def test_no_script_normalises() -> None:
    scripts = list((ROOT / "static/src").rglob("*.js"))
    assert scripts
    assert [path.name for path in scripts if re.search(r"\.normalize\(", path.read_text())] == []
