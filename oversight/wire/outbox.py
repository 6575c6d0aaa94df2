# SPDX-License-Identifier: AGPL-3.0-or-later
"""What waits for the portal: stored first, posted at once if the portal answers soon, otherwise by the collector.

- A row is stored before it is posted, so that a portal that can't be reached, or a crash in between, delays what goes
  out and never loses it. The portal answers a repeat like the first time, so that nothing is doubled either.
- Rows go out oldest first, each for itself: one that fails, or takes too long, waits, is tried again ever later and
  after those that did not fail, and holds up only those of its own lane, which must not overtake it.
- A refusal that the portal will repeat every time is final, and the row says so. Any other failure may pass.
- What this office itself must not send any more is refused for good in the same way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from tortoise.exceptions import IntegrityError

from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalAway, PortalError, PortalRefused
from oversight.wire.retry import COLUMNS, RetriedRecord, next_attempt, time_of_one
from portal.kit.columns import NUMBER_MAX, DayField, NumberField, ShortTextField, readable
from portal.kit.database import transaction
from portal.kit.unwritable import if_writable

STORE_ATTEMPTS_MAX = 3
POST_SECONDS_MAX = 8.0


class WithheldError(Exception):
    """This office will not send a row, now or later; ``code`` is what the row says then."""

    def __init__(self, code: str) -> None:
        super().__init__(f"withheld: {code}")
        self.code = code


class OutgoingRecord(RetriedRecord):
    """A row on its way to the portal; those of one kind are numbered from 1 in the order in which they were stored.

    ``posted_on`` is empty while it waits. ``refused`` says why it never goes out: the portal's code, or the
    office's own.
    """

    number = NumberField(unique=True)
    posted_on = DayField(null=True)
    refused = ShortTextField(max_length=64, null=True)

    class Meta:
        abstract = True

    @property
    def progress(self) -> Literal["posted", "refused", "waiting"]:
        """How far the row has come, as pages name it."""
        if self.refused is not None:
            return "refused"
        return "waiting" if self.posted_on is None else "posted"


R = TypeVar("R", bound=OutgoingRecord)


@dataclass(frozen=True)
class Outbox(Generic[R]):
    """The rows of one kind, what posts one of them on a day, and the portal's codes that are final for this kind.

    Rows with the same ``lane`` go out in their order or not at all.
    """

    rows: type[R]
    post: Callable[[PortalClient, R, date], Awaitable[None]]
    final_refusals: frozenset[str]
    lane: Callable[[R], str]

    async def store(self, make: Callable[[int], Awaitable[R]]) -> R:
        """The row that ``make`` stores under the next number, in a transaction; again when the number was just taken.

        Raises IntegrityError when it is refused every time, and whatever ``make`` raises.
        """
        for attempt in range(STORE_ATTEMPTS_MAX):
            try:
                async with transaction():
                    last = await self.rows.filter(number__lte=NUMBER_MAX).order_by("-number").only("number").first()
                    return await make(1 if last is None else last.number + 1)
            except IntegrityError:
                if attempt == STORE_ATTEMPTS_MAX - 1:
                    raise
        raise AssertionError("unreachable: the loop returns or raises")

    async def post_waiting(self, client: PortalClient, now: datetime) -> int:
        """Post all that wait and whose time has come; how many went out.

        Raises PortalAway at once, and what went wrong first after every row had its turn: one that is damaged, or that
        this program fails at, holds up no other lane either.
        """
        posted, held = 0, set()
        failure: Exception | None = None
        for row in await self._waiting():
            lane = self.lane(row)
            if lane in held or row.rests(now):
                held.add(lane)
                continue
            try:
                async with time_of_one():
                    posted += await self.post_one(client, row, now.date())
            except PortalAway:
                raise
            except Exception as error:
                failure = failure or error
                held.add(lane)
                problem = error.problem if isinstance(error, PortalError) else "failure"
                row.fail(problem, now, next_attempt(row.attempts, now))
                await row.save(update_fields=list(COLUMNS))
        if failure is not None:
            raise failure
        return posted

    async def _waiting(self) -> list[R]:
        """The rows that wait, lanes that failed the least first: what is slow must leave the others their time."""
        rows = await self.rows.filter(posted_on=None, refused=None).order_by("number")
        failures: dict[str, int] = {}
        for row in rows:
            failures.setdefault(self.lane(row), readable(row.attempts, 0))
        return sorted(rows, key=lambda row: failures[self.lane(row)])

    async def post_one(self, client: PortalClient, row: R, today: date) -> bool:
        """Post one row; False when it was refused for good. Raises PortalError."""
        try:
            await self.post(client, row, today)
        except (PortalRefused, WithheldError) as error:
            if isinstance(error, PortalRefused) and error.code not in self.final_refusals:
                raise
            row.refused = error.code
            await row.save(update_fields=["refused"])
            return False
        row.posted_on = today
        await row.save(update_fields=["posted_on"])
        return True

    async def post_soon(self, client: PortalClient, row: R, today: date) -> None:
        """Post a row that waits if the portal answers within POST_SECONDS_MAX; otherwise the collector does it later.

        So it is when nothing can be written here meanwhile: the row is stored already. ``row.progress`` says afterwards
        what became of it.
        """
        if row.progress != "waiting":
            return
        with if_writable(), suppress(PortalError, TimeoutError):
            async with asyncio.timeout(POST_SECONDS_MAX):
                await self.post_one(client, row, today)
