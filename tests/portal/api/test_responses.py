# SPDX-License-Identifier: AGPL-3.0-or-later
"""The codes of errors are those of docs/protocol.md §7.3, and each is shown by a test."""

import re
from pathlib import Path

from portal.api.responses import ERRORS
from tests.servers import ROOT

# About the server and not about a request's content, so not in the table.
ALSO = {"internal", "method-not-allowed"}


def documented() -> dict[str, int]:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    section = text.partition("### 7.3 Error codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", section, re.MULTILINE)
    return {code: int(status) for status, cell in rows for code in re.findall(r"`([a-z-]+)`", cell)}


def test_every_documented_code_has_its_status_and_there_is_no_other() -> None:
    codes = documented()
    assert len(codes) > 20
    assert {code: ERRORS[code][0] for code in codes} == codes
    assert set(ERRORS) - set(codes) <= ALSO


def test_every_code_is_shown_by_a_test() -> None:
    here = Path(__file__)
    tests = [path.read_text(encoding="utf-8") for path in here.parents[1].glob("**/test_*.py") if path != here]
    missing = [code for code in ERRORS if not any(f'"{code}"' in text or f'"{code}" in text' in text for text in tests)]
    assert missing == []
