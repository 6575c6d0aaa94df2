# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long an honest login takes beside strangers' who come at once: ``python -m benchmarks.logins [STRANGERS]``.

Method. Portal and office run as processes of their own. A member logs in from a browser that is known, another from one
that is not, each alone and beside STRANGERS (200) attempts that begin at one moment, each with a name of its own and a
wrong passphrase. Whoever is told that the line is full waits as long as the answer says, and tries again, as a person
would. A code is taken once, so each login is another member's or another code's. Printed are the times until each was
in, with all tries, and what the strangers were answered. Bound: one derivation of Argon2id alone, in this process.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import pyotp

from benchmarks.office import settle
from crypto.keyring import DEFAULT, Keyring, open_keyring, seal_keyring
from tests.people import Person
from tests.servers import Program, office_program, portal_program, post_test_charter
from tests.waiting import SECONDS_MAX, wait_until

STRANGERS = 200
TRIES_MAX = 60
HEADERS = {"sec-fetch-site": "same-origin"}


def bound() -> float:
    """Milliseconds of opening one keyring."""
    sealed = seal_keyring(Keyring.generate(), "a passphrase", "bound", DEFAULT)
    before = time.perf_counter()
    open_keyring(sealed, "a passphrase", "bound")
    return (time.perf_counter() - before) * 1000


async def log_in(browser: httpx.AsyncClient, person: Person, steps_ahead: int = 0) -> tuple[float, int]:
    """Milliseconds until the person is in, and after how many tries."""
    before = time.perf_counter()
    for tries in range(1, TRIES_MAX + 1):
        code = pyotp.TOTP(person.totp_secret).at(time.time() + 30 * steps_ahead)
        form = {"username": person.username, "passphrase": person.passphrase, "code": code}
        answer = await browser.post("/login", data=form)
        if answer.status_code == 303:
            return (time.perf_counter() - before) * 1000, tries
        assert answer.status_code == 503, f"{answer.status_code} instead of a login"
        await asyncio.sleep(int(answer.headers["retry-after"]))
    raise AssertionError("never let in")


async def crowd(office: Program, strangers: int) -> Counter[str]:
    """Every stranger asks once; how many got which status. Bare connections: asking must not cost what is measured."""

    async def ask(number: int) -> str:
        body = f"username=stranger-{number}&passphrase=wrong&code=000000".encode()
        head = (
            f"POST /login HTTP/1.1\r\nHost: {office.origin.split('//')[1]}\r\nSec-Fetch-Site: same-origin\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        return answer.split(b" ", 2)[1].decode()

    return Counter(await asyncio.gather(*map(ask, range(strangers))))


async def measure(office: Program, known: Person, unknown: Person, strangers: int) -> None:
    """Each of the two alone, then beside the crowd."""
    origin = office.origin
    async with (
        httpx.AsyncClient(base_url=origin, headers=HEADERS, timeout=SECONDS_MAX) as own,
        httpx.AsyncClient(base_url=origin, headers=HEADERS, timeout=SECONDS_MAX) as fresh,
    ):
        show("a browser's first login, alone", *await log_in(own, known, -1))
        show("from a known browser, alone", *await log_in(own, known, 0))
        begun = asyncio.create_task(crowd(office, strangers))
        await asyncio.sleep(0.1)
        show(f"from a known browser, beside {strangers}", *await log_in(own, known, 1))
        print(f"    the strangers were answered {dict(await begun)}")
        begun = asyncio.create_task(crowd(office, strangers))
        await asyncio.sleep(0.1)
        show(f"from an unknown one, beside {strangers}", *await log_in(fresh, unknown))
        print(f"    the strangers were answered {dict(await begun)}")


def show(what: str, milliseconds: float, tries: int) -> None:
    print(f"{what:40} {milliseconds:9.1f} ms, tries: {tries}")


def main() -> None:
    strangers = int(sys.argv[1]) if len(sys.argv) > 1 else STRANGERS
    print(f"{'one derivation alone (bound)':40} {bound():9.1f} ms")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portal, office = portal_program(folder), None
        portal.start()
        try:
            world = post_test_charter(portal)
            (folder / "office").mkdir()
            asyncio.run(settle(folder / "office", world))
            office = office_program(folder, portal)
            office.start()
            wait_until(
                lambda: httpx.get(f"{office.origin}/login", timeout=SECONDS_MAX).status_code == 200, "the office"
            )
            asyncio.run(measure(office, world["amina"], world["bruno"], strangers))
        finally:
            portal.stop()
            if office is not None:
                office.stop()


if __name__ == "__main__":
    main()
