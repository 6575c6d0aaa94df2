# SPDX-License-Identifier: AGPL-3.0-or-later
"""A report with a file over a slow line: seconds from "Send" to "It has arrived", and the bytes that go twice:
``python -m benchmarks.slow_line`` (600 kB at 20 kB/s, plain, with two cuts and with 2 s of latency; ``--full``: 6 MB at
4 kB/s, half an hour).

Method. The portal runs as its own process; a headless Chromium has its real form open, through benchmarks/thin_line.py.
The form is filled in at full speed. From "Send" on, all connections together carry so many bytes per second each way,
and at a cut all of them are reset, with what is under way. It has arrived when the page says so, for which its worker
has checked the acknowledgement; then the file's parts at the portal are put together, and have to have the size and
the hash that the manifest names. The bound is the bare transfer: the sealed file, the bundle and the heads of answered
requests, at the line's speed. Bytes sent twice are those that went up through the line less these. kB are 10³ bytes.
"""

import argparse
import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from playwright.sync_api import Browser, Request, expect

from benchmarks.thin_line import PORTAL_HOST, ThinLine
from crypto.manifest import SealedFile, read_manifest
from tests.browser.browsing import launched
from tests.browser.reporter import Reporter
from tests.conftest import find_chromium
from tests.servers import ROOT, Program, portal_program, post_test_charter
from tests.waiting import wait_until

ATTACHMENT = "attachment-1.age"
SLOWER_THAN_BARE_MAX = 4
"""A run that takes so many times the bare transfer has failed."""
SECONDS_MORE = 120


@dataclass(frozen=True)
class Run:
    """What is sent over which line."""

    size: int
    bytes_per_second: int
    cut_every: float = 0
    """Seconds, CUTS times; 0 for no cut."""
    latency: float = 0
    """Seconds, one way."""

    @property
    def title(self) -> str:
        cuts = f", {CUTS} cuts" if self.cut_every else ""
        latency = f", {self.latency:g} s latency" if self.latency else ""
        return f"{self.size / 1e3:.0f} kB at {self.bytes_per_second / 1e3:g} kB/s{cuts}{latency}"


CUTS = 2
ROUTINE = (Run(600_000, 20_000), Run(600_000, 20_000, cut_every=11), Run(600_000, 20_000, latency=2))
FULL = (Run(6_000_000, 4_000), Run(6_000_000, 4_000, cut_every=500))


def fill_in(browser: Browser, portal: Program, size: int) -> tuple[Reporter, list[Request]]:
    """A report that waits for "Send", and the list of requests that will be answered."""
    context = browser.new_context()
    answered: list[Request] = []
    reporter = Reporter(context.new_page(), portal.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.attach("recording.bin", "application/octet-stream", token_bytes(size))
    reporter.write()
    reporter.go_on()
    reporter.go_on()
    reporter.type_back()
    said = reporter.page.locator("[data-charter-day], [data-charter-old]").locator("visible=true")
    expect(said.first).to_be_visible()

    def note(request: Request) -> None:
        answered.append(request)

    context.on("requestfinished", note)
    return reporter, answered


def check_arrived(folder: Path) -> tuple[SealedFile, str]:
    """The newest submission's file, and its id, after its parts were read as the portal has them."""
    with sqlite3.connect(f"file:{folder / 'portal.sqlite3'}?mode=ro", uri=True) as database:
        [[manifest]] = database.execute("SELECT manifest FROM submission ORDER BY sequence DESC LIMIT 1").fetchall()
    read = read_manifest(manifest)
    file = next(file for file in read.files if file.name == ATTACHMENT)
    parts = sorted((folder / "blobs" / "parts" / read.submission / ATTACHMENT).iterdir())
    whole = b"".join(part.read_bytes() for part in parts)
    if (len(whole), hashlib.sha256(whole).hexdigest()) != (file.size, file.sha256):
        raise SystemExit("the file has not arrived as it was sealed")
    return file, read.submission


def measure(browser: Browser, portal: Program, line: ThinLine, run: Run) -> None:
    reporter, answered = fill_in(browser, portal, run.size)
    bare = run.size / run.bytes_per_second
    line.slow_down(run.bytes_per_second, run.latency, run.cut_every, CUTS)
    began = time.perf_counter()
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible(timeout=(SLOWER_THAN_BARE_MAX * bare + SECONDS_MORE) * 1000)
    seconds = time.perf_counter() - began
    through = line.let_go()
    file, submission = check_arrived(Path(portal.settings["PORTAL_DATA"]))
    heads = sum(request.sizes()["requestHeadersSize"] for request in answered)
    bundle = sum(request.sizes()["requestBodySize"] for request in answered if request.url.endswith("/submissions"))
    parts = sum(f"/uploads/{submission}/" in request.url for request in answered)
    needed = file.size + bundle + heads
    bare = needed / run.bytes_per_second
    print(
        f"{run.title}: {seconds:.1f} s, {seconds / bare:.2f} times the bare {bare:.1f} s; sealed file"
        f" {file.size / 1e3:.0f} kB, up {through / 1e3:.0f} kB, sent twice {(through - needed) / 1e3:.1f} kB"
        f" (bundle {bundle / 1e3:.1f} kB, {len(answered)} requests with heads of {heads / 1e3:.1f} kB, {parts} parts)",
        flush=True,
    )
    reporter.page.context.close()


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_line")
    parser.add_argument("--full", action="store_true", help="6 MB at 4 kB/s")
    runs = FULL if parser.parse_args(arguments).full else ROUTINE
    with tempfile.TemporaryDirectory(dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as name:
        portal = portal_program(Path(name), PORTAL_HOST=PORTAL_HOST)
        with ThinLine(portal.port) as line:
            portal.start()
            wait_until(line.reaches_the_portal, "the portal answers behind the line")
            try:
                post_test_charter(portal)
                with launched(find_chromium()) as browser:
                    for run in runs:
                        measure(browser, portal, line, run)
            finally:
                portal.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
