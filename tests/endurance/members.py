# SPDX-License-Identifier: AGPL-3.0-or-later
"""The members of an office, day after day at its pages: they read, answer, work on cases, and go home."""

import io
from argparse import Namespace
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from oversight.cases.ledger_cli import export_ledger, verify_file
from tests.endurance.reporters import Reporter
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.letters.test_letters_journey import send_reply
from tests.oversight.office import Browser, Office
from tests.oversight.sealed_reports import STORY

TOLD_DAYS = 60
PAGES = ("/queue", "/cases", "/members", "/account")
STEPS: tuple[Callable[[CaseRoom, str], Awaitable[None]], ...] = (
    lambda room, case: room.bring_in(case, "bruno", "chiara"),
    lambda room, case: room.to_conflict_check(case),
    lambda room, case: room.decide(case, "ASSIGNED", by="amina"),
    lambda room, case: room.decide(case, "ADMITTED", by="bruno"),
)
"""Of a case, in their order; then come notes."""


@dataclass
class Members:
    """Amina answers and opens cases, others join in them; Elif looks around, Daud stays long."""

    office: Office
    pass_time: Callable[[timedelta], None]
    rng: Random
    cases: dict[str, int] = field(default_factory=dict)
    room: CaseRoom = field(init=False)

    def __post_init__(self) -> None:
        self.room = CaseRoom(self.office)

    async def come(self) -> None:
        """In the morning nobody's session of yesterday is open."""
        for browser in self.room.browsers.values():
            assert not await _is_open(browser), "a session is open after a night"
        await self.go_home()

    async def go_home(self) -> None:
        self.room.browsers.clear()
        for client in self.office.browsers:
            await client.aclose()
        self.office.browsers.clear()

    async def look_around(self, valid_until: date, today: date) -> None:
        """Any page says how long the charter lasts from 60 days before its end, and nothing before."""
        page = await self.room.get("elif", self.rng.choice(PAGES))
        assert page.status_code == 200
        left = (valid_until - today).days
        assert ("The commission’s charter ends with" in page.text) == (0 <= left <= TOLD_DAYS), f"{left} days left"
        assert ("The commission’s charter is over since" in page.text) == (left < 0), f"{left} days left"

    async def answer(self, reporter: Reporter, body: str) -> str:
        """Read the report, write a reply, look at it once more and send it; what became of it, as the page says."""
        browser = await self.room.browser("amina")
        page = await browser.get(f"/reports/{reporter.submission}")
        assert page.status_code == 200 and STORY in page.text
        assert page.text.count("Message ") >= reporter.messages
        sent = await send_reply(browser, reporter.submission, body)
        reporter.due.append(body)
        assert sent.status_code == 303, sent.text
        return sent.headers["location"].partition("?sent=")[2].partition("#")[0]

    async def open_case(self, reporter: Reporter) -> None:
        self.cases[await self.room.open_case(reporter.submission)] = 0
        reporter.has_case = True

    async def work(self, case: str) -> None:
        """The next step of a case, or a note."""
        with self.office.database.use():
            if self.cases[case] < len(STEPS):
                await STEPS[self.cases[case]](self.room, case)
            else:
                await self.room.do("chiara", case, "/notes", note=f"Step {self.cases[case]}.")
        self.cases[case] += 1

    async def work_in_vain(self, case: str) -> None:
        """Without a charter a case can be read, and nothing signed in it."""
        assert (await self.room.get("amina", f"/cases/{case}")).status_code == 200
        with self.office.database.use():
            answer = await self.room.act("amina", case, "/notes", note="Without a charter.")
        assert answer.status_code == 409 and "The commission’s charter is over" in answer.text

    async def stay(self) -> None:
        """A session goes on while it is used, up to its hours; and one that is not used for minutes has ended."""
        idle = timedelta(minutes=self.office.settings.idle_minutes)
        hours, minute = timedelta(hours=self.office.settings.session_hours), timedelta(minutes=1)
        browser, passed = await self.room.browser("daud"), timedelta()
        if self.rng.random() < 0.5:
            self.pass_time(idle - minute)
            assert await _is_open(browser), "a session has ended too early"
            self.pass_time(idle)
            assert not await _is_open(browser), "an idle session is open"
            return
        while passed < hours:
            assert await _is_open(browser), f"a session has ended after {passed}"
            step = min(idle - minute, hours - passed)
            self.pass_time(step)
            passed += step
        assert not await _is_open(browser), "a session is open after its hours"

    async def verify_ledgers(self, folder: Path) -> int:
        """Export each case's ledger and verify it by charter 1 alone; how many events there are."""
        charter, events = folder / "charter-1.txt", 0
        charter.write_bytes(self.office.world.charter.note)
        for case, steps in self.cases.items():
            out = folder / f"{case}.jsonl"
            with redirect_stdout(io.StringIO()):
                assert await export_ledger(Namespace(case=case, out=out), self.office.settings) == 0
            with self.office.database.use():
                head = (await self.room.state(case)).head.hash
            verified = verify_file(out, [charter], head)
            assert verified.events > steps, f"{case}: {verified.events} events of {steps} steps"
            events += verified.events
        return events


async def _is_open(browser: Browser) -> bool:
    answer = await browser.get("/queue")
    assert answer.status_code == 200 or answer.headers["location"].startswith("/login")
    return answer.status_code == 200
