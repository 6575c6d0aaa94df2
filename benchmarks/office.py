# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long the office takes to start, to let members in and to lock: ``python -m benchmarks.office [ROUNDS]``.

Method. Portal and office run as processes of their own. The office is started ROUNDS (10) times, from the call until it
answers a request. Then every member logs in once (a code can't be used twice), which opens the keyring with Argon2id
and begins a session, sees the start page, and locks; the medians are printed. It fails when somebody wasn't let in, or
still was after locking. On a machine that does other work too, the processor time of a start says more than the rest.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyotp

from benchmarks.submissions import processor_seconds
from oversight.storage import Database
from tests.people import Person, World, settle_office
from tests.servers import Program, office_program, portal_program, post_test_charter
from tests.waiting import SECONDS_MAX, wait_until

ROUNDS = 10


def measured(run: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of it."""
    before = time.perf_counter()
    result = run()
    return (time.perf_counter() - before) * 1000, result


def start(office: Program) -> tuple[float, float]:
    """Milliseconds until it answers, and of the processor's time in them."""

    def run() -> None:
        office.start()
        wait_until(lambda: httpx.get(f"{office.origin}/login", timeout=SECONDS_MAX).status_code == 200, "the office")

    return measured(run)[0], processor_seconds(office.pid) * 1000


def visit(office: Program, person: Person) -> tuple[float, float, float]:
    """Milliseconds to log in, to see the start page, to lock."""
    with httpx.Client(base_url=office.origin, timeout=SECONDS_MAX) as browser:
        browser.headers["sec-fetch-site"] = "same-origin"
        code = pyotp.TOTP(person.totp_secret).now()
        form = {"username": person.username, "passphrase": person.passphrase, "code": code}
        unlocking, answer = measured(lambda: browser.post("/login", data=form))
        assert answer.status_code == 303, f"{person.label} was not let in"
        looking, answer = measured(lambda: browser.get("/", follow_redirects=True))
        assert answer.status_code == 200 and person.name in answer.text, "no page of the member's"
        kept = httpx.Cookies(browser.cookies)
        locking, answer = measured(lambda: browser.post("/lock"))
        assert answer.status_code == 303 and "locked" in answer.headers["location"]
        browser.cookies.update(kept)
        assert "/login" in str(browser.get("/", follow_redirects=True).url), "the session is still open"
    return unlocking, looking, locking


async def settle(folder: Path, world: World) -> None:
    database = await Database.open(f"sqlite://{folder / 'office.sqlite3'}")
    try:
        with database.use():
            await settle_office(world, folder / "secrets")
    finally:
        await database.close()


def show(name: str, times: list[float]) -> None:
    print(f"{name:28} {len(times):3} times  median {statistics.median(times):8.1f} ms  least {min(times):8.1f} ms")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portal, office = portal_program(folder), None
        portal.start()
        try:
            world = post_test_charter(portal)
            (folder / "office").mkdir()
            asyncio.run(settle(folder / "office", world))
            office = office_program(folder, portal)
            starts = []
            for _ in range(rounds):
                office.stop()
                starts.append(start(office))
            show("start of the office", [waited for waited, _ in starts])
            show("its processor time", [worked for _, worked in starts])
            visits = [visit(office, person) for person in world.people]
            for place, what in enumerate(("log in, keys unlocked", "the start page", "lock")):
                show(what, [times[place] for times in visits])
        finally:
            portal.stop()
            if office is not None:
                office.stop()


if __name__ == "__main__":
    main()
