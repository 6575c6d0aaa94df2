# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector: pulls what waits at the portal, posts what waits for it, and says what this office holds.

- Every step of a visit, and every item within a step, is for itself: what the portal does to one delays another by a
  bounded time, and stops none.
- The whole lists are read again in every so many visits, and when something is due that could not be taken: whatever an
  earlier visit passed over is met then.
- One collector works at a time: it holds a lock on a file of the office's data folder until it is closed.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from oversight.collector.comparison import Comparison
from oversight.collector.newest_charter import bring_charters, note_newest_charter
from oversight.collector.steps import Steps
from oversight.collector.submissions import WAITS, Submissions
from oversight.collector.turn import Turn, name_of_process
from oversight.commission.portal_visits import PortalVisits
from oversight.findings.publication import FINDINGS
from oversight.findings.register_comparison import compare_register, lacks_receipts
from oversight.letters.follow_up_arrival import collect_follow_ups
from oversight.letters.mailbox_commands import UNKNOWN, collect_controls
from oversight.letters.mailbox_states import fetch_states
from oversight.letters.outbox import LETTERS
from oversight.letters.thread_notes import post_thread_notes
from oversight.reports.arrival import Receiver
from oversight.reports.blobs import FREE_BYTES_MIN
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from oversight.reports.stuck import HELD_BACK, any_due
from oversight.wire.list_reading import ListReading
from oversight.wire.outbox import Outbox
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalError, PortalRefused
from portal.kit.alone import lock
from portal.kit.database import STORAGE_ERRORS
from portal.kit.free_space import free_bytes
from portal.kit.unwritable import Unwritable, why_unwritable

WHOLE_EVERY_VISITS = 60
RECEIPTS_EVERY_VISITS = 10
# How long a visit waits for what it fetches before it goes on with its other steps.
FETCH_SECONDS = 60.0
CLOCKS_DIFFER = "signature-expired"
OUTBOXES: tuple[tuple[str, Outbox[Any]], ...] = (("letters", LETTERS), ("findings", FINDINGS))


class CollectorBusy(Exception):
    """Another collector holds the lock."""


@dataclass(frozen=True)
class Outcome:
    """What one run did. ``collected`` and ``stuck`` also count what was being fetched since the run before."""

    collected: int
    stuck: int
    follow_ups: int
    posted: int


class Collector:
    """One office's collector. ``fetch_seconds`` is how long a visit waits for downloads.

    ``answered`` says whether the portal answered anything in the last visit that failed.
    """

    def __init__(
        self,
        client: PortalClient,
        receiver: Receiver,
        lock_file: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self.client = client
        self.lock_file = lock_file
        self.clock = clock
        self.pages = PortalVisits()
        self.submissions = Submissions(client, receiver, clock)
        self.follow_ups, self.controls = ListReading(), ListReading()
        self.comparison = Comparison()
        self.answered = False
        self._turn = Turn(client, clock)
        self._fetch_seconds = fetch_seconds
        self._visits = 0
        self._room: tuple[date, int] | None = None
        self._compared_on: date | None = None
        self._register_is_due = self._charters_are_due = True
        self._lock: TextIOWrapper | None = None

    async def run(self) -> Outcome:
        """Make one visit to the portal; how it went is stored in the collector's row.

        Raises CollectorBusy when another collector works, also one on another machine (PortalRefused
        ``office-elsewhere``), and what went wrong first, after every step had its turn.
        """
        self._take_lock()
        await CollectorStateRecord.get_or_create(id=STATE_ROW)
        self.answered, before = False, self.client.answers
        self._turn.begin_visit()
        steps = Steps(lambda: self.client.answers > before, self._keep_turn)
        try:
            outcome = await self._visit(steps)
            steps.end()
        except Exception as error:
            self.answered = steps.is_answered()
            problem = _problem(error)
            self.pages.clocks_differ = self.pages.clocks_differ or problem == CLOCKS_DIFFER
            await self._record(problem, steps.failed)
            raise
        self.pages.clocks_differ = False
        await self._record(None, None)
        if self.comparison.waiting:
            self.pages.begin_now.set()
        return outcome

    async def close(self) -> None:
        """Break off what is being fetched, close the connection, and let another collector work."""
        await self.submissions.downloads.close()
        await self._turn.give_back()
        await self.client.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _readings(self) -> tuple[ListReading, ...]:
        return (self.submissions.reading, self.follow_ups, self.controls)

    async def _visit(self, steps: Steps) -> Outcome:
        now, client, step = self.clock(), self.client, steps.step
        submissions, shares, today = self.submissions, self.pages.shares(now.date()), now.date()
        await self._begin_rounds(now, shares)
        await step("charters", self._bring_charters())
        await step("submissions", submissions.read_list(shares))
        await step("fetching", submissions.finish(self._fetch_seconds))
        await step("confirming", submissions.confirm_stored(self._visits))
        collected, stuck = submissions.taken, submissions.stuck
        submissions.taken = submissions.stuck = 0
        for reading in (self.follow_ups, self.controls):
            if collected and reading.passed[UNKNOWN]:
                # Among them may be the report of what was passed over for want of it.
                reading.ask_again()
        comparison = self.comparison
        await step("comparing", comparison.compare(client, today))
        await step("announcing", comparison.announce(client, today))
        follow_ups = await step("follow-ups", self._take_follow_ups(now, shares))
        await step("controls", collect_controls(client, self.controls, today))
        await step("newest-charter", note_newest_charter(client, today))
        await step("threads", comparison.compare_threads(client, today), numbers=True)
        await step("register", self._compare_register(today))
        posted = 0
        for name, outbox in OUTBOXES:
            sent = await step(name, outbox.post_waiting(client, now), numbers=True) or 0
            posted += sent
            self._register_is_due |= outbox is FINDINGS and sent > 0
        await step("thread-notes", post_thread_notes(client, now), numbers=True)
        await step("states", fetch_states(client, now))
        self.pages.problems = await step("problems", client.problems()) or ()
        return Outcome(collected, stuck, follow_ups or 0, posted)

    async def _keep_turn(self) -> bool:
        """Ask for the turn, or for more time; what a portal that was restored may have lost is met again then.

        Returns whether this office has it.
        """
        try:
            is_known = await self._turn.keep()
        except PortalRefused as error:
            # It may have gone back to a charter that has another key.
            self._charters_are_due |= error.code == "signature-invalid"
            raise
        if not is_known:
            # Not in the middle of a round: at a portal that never knows a mark none would come to its end.
            for reading in self._readings:
                reading.ask_again()
            self.comparison.ask_again()
            self._register_is_due = self._charters_are_due = True
            await CollectorStateRecord.filter(id=STATE_ROW).update(charter_noted_on=None)
        return self._turn.has

    async def _bring_charters(self) -> None:
        if self._charters_are_due:
            await bring_charters(self.client)
            self._charters_are_due = False

    async def _compare_register(self, today: date) -> None:
        if self._register_is_due or (self._visits % RECEIPTS_EVERY_VISITS == 0 and await lacks_receipts()):
            await compare_register(self.client, today)
            self._register_is_due = False

    async def _take_follow_ups(self, now: datetime, shares: int) -> int:
        """Raises OSError while the disk has little left: that is for what members write, and for logins."""
        if free_bytes(self.lock_file.parent) < FREE_BYTES_MIN:
            raise OSError(errno.ENOSPC, "less space left than must stay free")
        return await collect_follow_ups(self.client, self.follow_ups, now.date(), self._visits, shares)

    async def _begin_rounds(self, now: datetime, shares: int) -> None:
        """A whole round of everything now and then, whatever the portal remembers of earlier visits.

        What was held back is met again when there is room for more of it: on the next day, or when a member made some.
        """
        reading = self.submissions.reading
        for each in self._readings:
            each.ended = False
        if self._compared_on != now.date():
            self._compared_on = now.date()
            self._register_is_due = self._charters_are_due = True
            self.comparison.ask_again()
        await self.submissions.look_for_room(now)
        room, self._room = self._room, (now.date(), shares)
        if self._visits % WHOLE_EVERY_VISITS == 0 or room != self._room:
            for each in self._readings:
                each.begin_again()
        elif not reading.whole and (reading.passed[WAITS] or await any_due(now)):
            # Never before a round is over: what is behind the pages of one visit would not be met any more.
            reading.begin_again()
        self._visits += 1

    async def _record(self, problem: str | None, step: str | None) -> None:
        """What the queue says of the visit that ends now."""
        reading, now = self.submissions.reading, self.clock()
        row = CollectorStateRecord.filter(id=STATE_ROW)
        waiting, held_back = len(self.submissions.downloads) + reading.passed[WAITS], reading.passed[HELD_BACK]
        await row.update(problem=problem, step=step, waiting=waiting, held_back=held_back)
        if problem is None:
            await row.update(failing_since=None)
        else:
            await CollectorStateRecord.filter(id=STATE_ROW, failing_since=None).update(failing_since=now)
        if all(each.ended for each in self._readings) and not waiting and not held_back:
            await row.update(last_success=now)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        file = self.lock_file.open("a+")
        if not lock(file.fileno()):
            file.close()
            raise CollectorBusy
        self._lock = file
        self._turn.process = name_of_process(file)


def _problem(error: Exception) -> str:
    """Return a code for the page: the portal's own, or the kind of failure here."""
    if isinstance(error, PortalError):
        return error.problem
    why = why_unwritable(error)
    if why is Unwritable.FULL:
        return "no-room"
    return "storage" if why or isinstance(error, STORAGE_ERRORS) else "failure"
