# SPDX-License-Identifier: AGPL-3.0-or-later
"""Firefox ESR, hardened, through the whole journey: a report with a large file, an answer read, a message sent."""

import json
import os
import subprocess
from pathlib import Path
from random import Random

from crypto.receipt_code import new_code
from tests.browser.answering import AnsweredReport
from tests.browser.browsing import TIMEOUT_MS
from tests.people import SLUG
from tests.servers import Program
from tests.waiting import SECONDS_MAX

JOURNEY = Path(__file__).with_name("firefox-journey.mjs")
FILE_BYTES = 6_000_000


def test_a_hardened_firefox_sends_a_report_and_reads_and_writes_messages(
    firefox: str, portal_server: Program, tmp_path: Path, rng: Random
) -> None:
    code = new_code(rng.randbytes)
    answered = AnsweredReport(portal_server, code)
    answered.collect()
    answered.reply("We have read your report.", "en")
    file = tmp_path / "recording.bin"
    file.write_bytes(rng.randbytes(FILE_BYTES))
    asked = {
        "firefox": firefox,
        "profile": str(tmp_path / "profile"),
        "origin": portal_server.origin,
        "commission": SLUG,
        "file": str(file),
        "code": code,
        "message": "They took my brother.",
        "timeout": TIMEOUT_MS,
    }
    before = stored_bytes(portal_server)
    assert drive(asked, tmp_path) == {
        "letters": ["We have read your report."],
        "sent": 1,
        "hardened": True,
        "errors": [],
    }
    assert stored_bytes(portal_server) - before > FILE_BYTES


def drive(asked: dict[str, object], home: Path) -> object:
    """What the journey says; Firefox keeps to this home, and ends with the script."""
    command = ["node", str(JOURNEY), json.dumps(asked)]
    environment = {**os.environ, "HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as script:
        try:
            said, wrong = script.communicate(timeout=SECONDS_MAX)
        finally:
            # Told so, it ends its Firefox too.
            script.terminate()
    assert script.returncode == 0, wrong.decode()
    return json.loads(said)


def stored_bytes(portal: Program) -> int:
    """Of all files in the portal's data."""
    return sum(path.stat().st_size for path in Path(portal.settings["PORTAL_DATA"]).rglob("*") if path.is_file())
