# SPDX-License-Identifier: AGPL-3.0-or-later
"""The types of events in the code are those of docs/protocol.md §13.2.

That each has a vector: tests/crypto/test_event.py; a row in the office's table, a sentence and its translations:
tests/oversight/workflow/test_event_types.py.
"""

import re

from crypto.event_types import TYPES
from tests.conftest import ROOT


def test_the_protocol_names_every_type_and_no_other() -> None:
    section = (ROOT / "docs/protocol.md").read_text("utf-8").partition("### 13.2 ")[2].partition("| content |")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.M)
    assert sorted(code for cell in cells for code in re.findall(r"`([^`]+)`", cell)) == sorted(TYPES)
