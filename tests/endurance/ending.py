# SPDX-License-Identifier: AGPL-3.0-or-later
"""The end of a charter, as strangers, reporters and the operators of both programs see it (docs/protocol.md §7.2)."""

import io
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from crypto.charter import Charter
from oversight.check import check as check_office
from portal.check import check as check_portal
from tests.endurance.members import TOLD_DAYS
from tests.endurance.reporters import Reporter, seal
from tests.oversight.office import Office
from tests.portal.world import RunningPortal, error_code
from tests.waiting import until

LATE_DAYS = 2
WELL, SOON = 0, 3
"""Exit statuses of ``check``."""
CHECKED = (-TOLD_DAYS - 1, -TOLD_DAYS, 0, 1, 20)
"""Days from the last day of a charter on which the operators run ``check``."""
WATCHED_DAYS = 2
"""So many days before and after something changes all look at it."""


@dataclass
class Ending:
    """Charter 1, the newest one, and the reports of its last day that travel for longer than that."""

    portal: RunningPortal
    office: Office
    rng: Random
    newest: Charter
    late: list[Reporter] = field(default_factory=list)

    @property
    def today(self) -> date:
        return self.portal.clock.now.date()

    @property
    def left(self) -> int:
        """Days until the last one of the newest charter, negative afterwards."""
        return (self.newest.valid_until - self.today).days

    @property
    def is_open(self) -> bool:
        return self.newest.valid_from <= self.today <= self.newest.valid_until

    @property
    def is_watched(self) -> bool:
        since = (self.today - self.newest.valid_from).days
        return any(abs(days) <= WATCHED_DAYS for days in (since, self.left - TOLD_DAYS, self.left))

    async def check_start_page(self) -> None:
        """The start page offers the commission exactly while it can be written to."""
        offered, closed = f'href="/en/{self.newest.slug}/report"', "This commission takes no new reports today"

        async def is_right() -> bool:
            page = (await self.portal.client.get("/en/")).text
            return (offered in page, closed in page) == (self.is_open, not self.is_open)

        await until(is_right, f"the commission as {'open' if self.is_open else 'closed'} on {self.today}")

    async def late_reports(self) -> list[Reporter]:
        """Seal on the last day; send one report on each of the days on which that is still taken, one after them.

        Those that were taken. The last one is tried again and again, until another charter is there.
        """
        if self.left == 0:
            self.late = [seal(self.portal, self.newest, self.rng) for _ in range(LATE_DAYS + 1)]
        if not self.late or self.left >= 0:
            return []
        late = self.late[-1]
        answer = await late.send()
        if -self.left > LATE_DAYS:
            assert answer.status_code == 422, f"{-self.left} days after the end: {answer.text}"
            assert error_code(answer) == (422, "charter-expired")
            return []
        assert answer.status_code == 201, f"{-self.left} days after the end: {answer.text}"
        return [self.late.pop()]

    async def run_checks(self) -> bool:
        """``check`` of both programs, on some days; whether it was one of them."""
        if -self.left not in CHECKED and self.today != self.newest.valid_from:
            return False
        # The network between the two is not one that a command finds.
        settings = replace(self.office.settings, portal_url="")
        with redirect_stdout(io.StringIO()) as said:
            statuses = {
                await check_portal(self.portal.assembly.settings, self.portal.clock.now),
                await check_office(settings, self.portal.clock.now),
            }
        lines = [line for line in said.getvalue().splitlines() if not line.startswith("ok ")]
        if self.left > TOLD_DAYS:
            assert (statuses, lines) == ({WELL}, []), f"{self.left} days left: {lines}"
            return True
        day = self.newest.valid_until
        end = f"ended on {day}" if self.left < 0 else f"ends on {day}, in {self.left} days"
        assert statuses == {SOON}, lines
        assert lines == 2 * [f"soon    charter   {self.newest.slug} {end}"]
        return True
