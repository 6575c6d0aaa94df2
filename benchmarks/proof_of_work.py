# SPDX-License-Identifier: AGPL-3.0-or-later
"""The work under pressure: what it costs a device, the portal, and who floods it (docs/protocol.md §7.4).

    AMPARO_CHROMIUM=… .venv/bin/python -m benchmarks.proof_of_work

Method: the script's own search runs for three seconds in Node, by the processor's time, and on the page of a
headless Chromium whose processor is slowed down (1, 4 and 6 times, DevTools' ``setCPUThrottlingRate``), by the
clock: run it on an idle machine. 6 times slower stands for an old phone. One WebCrypto digest after the other is
measured beside it. How long one work takes is drawn 100,000 times from the number of tries that its searches need.
The portal's check is that of a real request, by the processor's time. The attacker is ``openssl speed`` on one core
of this machine; for a graphics card stand 2·10¹⁰ SHA-256 a second, which users of hashcat publish for a large one;
nobody measured that here.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from playwright.sync_api import sync_playwright
from starlette.requests import Request

from crypto.encoding import encode_base64
from crypto.work import HEADER, SEARCHES, do_work, read_asked_work
from portal.api.pressure import STEPS, Pressure
from portal.api.refusals import Refusal
from portal.api.work import StrangersWork
from tests.browser.browsing import CHROMIUM_ARGUMENTS
from tests.servers import ROOT

SCRIPT = ROOT / "benchmarks" / "proof_of_work.mjs"
SLOWER = (1, 4, 6)
GRAPHICS_CARD = 2e10
DRAWS = 100_000
CHECKS = 5_000
BODY = b"a body"


def main() -> None:
    rates = device_rates()
    print(f"{'hashes a second':34} {'search':>11} {'WebCrypto':>11}")
    for device, (search, webcrypto) in rates.items():
        print(f"{device:34} {search:11,} {webcrypto:11,}")
    spread = {searches: luck(searches) for searches in (1, SEARCHES)}
    print(f"\n{'tries of one work, of the mean':34} {'half':>6} {'1 in 100':>9} {'1 in 1000':>10}")
    for searches, (half, hundredth, thousandth) in spread.items():
        print(f"{f'searches: {searches}':34} {half:6.2f} {hundredth:9.2f} {thousandth:10.2f}")
    attackers = {"one core with openssl": openssl_rate(), "a graphics card (published)": GRAPHICS_CARD}
    phone = rates[f"Chromium, {SLOWER[-1]} times slower"][0]
    print(
        f"\n{'bits':>4} {'old phone s':>12} {'1 in 1000 s':>12}", *(f"{name + ', works/s':>38}" for name in attackers)
    )
    for bits in STEPS:
        tries = SEARCHES * 2**bits
        each = "".join(f" {rate / tries:38,.1f}" for rate in attackers.values())
        print(f"{bits:4} {tries / phone:12.1f} {spread[SEARCHES][2] * tries / phone:12.1f}{each}")
    print(f"\nportal, microseconds: {json.dumps(check_cost())}")


def device_rates() -> dict[str, tuple[int, int]]:
    """Hashes a second by device, of the search and of WebCrypto."""
    node = json.loads(run("node", str(SCRIPT)))
    rates = {"Node": (node["search"], node["webcrypto"])}
    bundle = run("node", str(SCRIPT), "bundle")
    chromium = os.environ.get("AMPARO_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        # WebCrypto is there on pages of loopback alone, and on those with TLS.
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto("http://127.0.0.1/")
        page.add_script_tag(content=bundle)
        devtools = page.context.new_cdp_session(page)
        for times in SLOWER:
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": times})
            found = (page.evaluate("measure()"), page.evaluate("measureWebCrypto()"))
            rates[f"Chromium, {times} times slower" if times > 1 else "Chromium"] = found
        browser.close()
    return rates


def luck(searches: int) -> tuple[float, float, float]:
    """The tries that a half, all but 1 in 100 and all but 1 in 1000 need, in parts of the mean."""
    source = Random(16)
    needed = sorted(sum(source.expovariate(1) for _ in range(searches)) / searches for _ in range(DRAWS))
    return tuple(needed[int(DRAWS * share)] for share in (0.5, 0.99, 0.999))  # type: ignore[return-value]


def openssl_rate() -> float:
    """Hashes a second of one core over 40 bytes, which is one block."""
    told = run("openssl", "speed", "-mr", "-seconds", "3", "-bytes", "40", "sha256")
    found = re.search(r"^\+F:\d+:sha256:([\d.]+)", told, re.MULTILINE)
    assert found, told
    return float(found[1]) / 40


def check_cost() -> dict[str, float]:
    """Microseconds for letting one request in, and for refusing one."""

    def now() -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    work = StrangersWork(bytes(32), Pressure([lambda: 1.0], now), now)
    told = asyncio.run(work.tell(request({})))
    asked = read_asked_work(bytes(told.body))
    assert asked is not None
    digest = hashlib.sha256(BODY).digest()
    done = do_work(asked, "submissions", digest, os.urandom)
    headers = {HEADER: done.encode(), "content-digest": f"sha-256=:{encode_base64(digest)}:"}
    stale = {**headers, HEADER: encode_base64(bytes(96))}
    wrong = {**headers, HEADER: encode_base64(asked.challenge + bytes(80))}
    cases = {"counts": headers, "none": {}, "of yesterday": stale, "guessed": wrong}
    return {name: cost(work, request(fields)) for name, fields in cases.items()}


def request(headers: dict[str, str]) -> Request:
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "path": "/api/v1/submissions", "headers": encoded, "method": "POST"})


def cost(work: StrangersWork, asked: Request) -> float:
    def once() -> None:
        try:
            with work.admit(asked):
                pass
        except Refusal:
            # Also the one that counts, from the second time on: it is checked before it is found to be used.
            pass

    return round(1e6 * seconds_of(once) / CHECKS, 1)


def seconds_of(once: Callable[[], None]) -> float:
    begun = time.process_time()
    for _ in range(CHECKS):
        once()
    return time.process_time() - begun


def run(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    assert path, f"no {program}"
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True, cwd=Path(ROOT)).stdout


if __name__ == "__main__":
    main()
