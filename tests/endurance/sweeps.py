# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether what a portal deletes goes on its day, not before and not after (docs/protocol.md §10.1)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.storage.records import FollowUpRecord, ReplyRecord, SubmissionRecord
from tests.portal.world import RunningPortal

Row = tuple[str, int]


@dataclass
class Sweeps:
    """Those of one portal; ``signed`` is the day that the office signed last."""

    portal: RunningPortal
    signed: date | None = None

    async def under_wrong_clock(self, days: int) -> None:
        """A sweep while the portal's clock is so many days off, which is mended at once."""
        before = await self._rows()
        self.portal.clock.jump(days)
        await self.portal.sweep_alone()
        self.portal.clock.jump(-days)
        assert await self._rows() == before, "deleted by a wrong clock"

    async def sweep(self) -> int:
        """The sweep of the day; how many things went."""
        before = await self._rows()
        await self.portal.sweep_alone()
        after = await self._rows()
        today = self.portal.clock.now.date()
        # An office that signed no day yet has the one of the first sweep; no grace is as short as its first holidays.
        until = min(today, self.signed or today)
        early = {row: day for row, day in before.items() if row not in after and (day is None or day > until)}
        late = {row: day for row, day in after.items() if day is not None and day <= until}
        assert not early, f"{today}: went before their day: {early}"
        assert not late, f"{today}: stayed after their day: {late}"
        return len(before.keys() - after.keys())

    async def _rows(self) -> dict[Row, date | None]:
        """What the portal holds of the commission, with its day of deletion."""
        with self.portal.database.use():
            held: list[tuple[str, Any]] = [
                ("report", SubmissionRecord.filter(deleted=False)),
                ("message", FollowUpRecord.all()),
                ("reply", ReplyRecord.all()),
            ]
            return {
                (kind, sequence): day
                for kind, rows in held
                for sequence, day in await rows.values_list("sequence", "delete_from")
            }
