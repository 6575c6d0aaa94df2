# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ids of one kind are not taken for those of another: the types of ``crypto/ids.py`` hold, and code uses them."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.waiting import SECONDS_MAX

ROOT = Path(__file__).resolve().parents[2]
# Alone, without what they import: mypy reads three files and answers within seconds.
CHECKED = ("crypto/ids.py", "crypto/grant.py", "oversight/cases/case_queries.py")
MIXED_UP = """\
from crypto.grant import CaseGrant
from crypto.ids import CaseId, SubmissionId
from oversight.cases.case_queries import case_of_report


async def look_up(submission: SubmissionId, case_id: CaseId, identity: object) -> None:
    await case_of_report(submission)
    await case_of_report(case_id)
    CaseGrant(case_id, 1, identity)
    CaseGrant(submission, 1, identity)
    CaseGrant("00" * 16, 1, identity)
"""
# Names that say what they hold, wherever they stand.
NAMES = {"case_id", "submission", "event_hash", "charter_hash", "text_sha256", "note_sha256"}


def annotated(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as annotation):
                yield name, annotation
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield name, annotation


def test_an_id_of_another_kind_is_refused_by_mypy(tmp_path: Path) -> None:
    mixed_up = tmp_path / "mixed_up.py"
    mixed_up.write_text(MIXED_UP)
    options = ("--config-file=", "--follow-imports=skip", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *CHECKED, str(mixed_up)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    found = [line.partition("mixed_up.py:")[2] for line in checked.stdout.splitlines() if "mixed_up.py" in line]
    assert [line.partition("  ")[0] for line in found] == [
        '8: error: Argument 1 to "case_of_report" has incompatible type "CaseId"; expected "SubmissionId"',
        '10: error: Argument 1 to "CaseGrant" has incompatible type "SubmissionId"; expected "CaseId"',
        '11: error: Argument 1 to "CaseGrant" has incompatible type "str"; expected "CaseId"',
    ]


def test_what_is_named_as_an_id_is_never_plain_text() -> None:
    sources = [path for package in ("crypto", "portal", "oversight") for path in (ROOT / package).rglob("*.py")]
    typed = [
        (path.relative_to(ROOT).as_posix(), name, ast.unparse(annotation))
        for path in sources
        for name, annotation in annotated(ast.parse(path.read_text()))
        if name in NAMES
    ]
    assert {name for _, name, _ in typed} == NAMES
    assert [entry for entry in typed if re.search(r"\bstr\b", entry[2])] == []
