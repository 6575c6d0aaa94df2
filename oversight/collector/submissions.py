# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of submissions: each entry is taken for itself, or written down as one that can't be taken.

- A submission is confirmed only after everything of it is durable here; a crash at any step leads to the same end.
- What can't be taken is never confirmed, and tried again by a schedule of its own (``reports.stuck``); what a passing
  failure of the portal broke off comes first with the next visits.
- In one day so many are taken, and so many bytes. The rest stays at the portal until the next one, or until a member
  has as many again taken, and the queue says so: whoever holds the portal, or floods it, could otherwise use up this
  office's numbers and its disk.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from crypto.collection import Collection
from crypto.ids import SubmissionId
from crypto.manifest import manifest_hash
from oversight.collector.downloads import Downloads
from oversight.commission.charters import current_charter
from oversight.reports.arrival import CheckedSubmission, DamagedArrivalError, Receiver
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from oversight.reports.stuck import (
    HELD_BACK,
    NO_ROOM,
    SUBMISSION,
    are_taken,
    count_passed,
    miss_unlisted,
    resting,
    try_again,
    write_down,
)
from oversight.wire.list_reading import ListReading
from oversight.wire.patience import Patience
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import REFUSES_ALL, PortalAway, PortalError, PortalRefused
from oversight.wire.portal_responses import WaitingSubmission
from portal.kit.columns import is_unset, sum_below
from portal.kit.unwritable import Unwritable, why_unwritable

LOG = logging.getLogger("oversight.collector")
ARRIVALS_PER_DAY_MAX = 2_000
BYTES_PER_DAY_MAX = 64 * 1024**3
WAITS = "waits"
NO_ROW = "no-row"
ATTEMPTS_AT_ONCE = {"interrupted": 4, "busy": 4, "unavailable": 4, "error": 4, "storage": 4, "slow": 2}
"""What a portal that is started anew, a proxy before it, or this office's disk does to all that is under way: it is no
fault of a report until it happens to the same one as often, visit after visit."""
BROKEN_OFF_KNOWN_MAX = 50_000
ROOM_MORE_BYTES = 64 * 1024 * 1024
"""When the disk has got so much more room since one found none, all of those are tried again."""


class Submissions:
    """What one collector knows of the portal's submissions. ``taken`` counts those that came in since it was asked."""

    def __init__(self, client: PortalClient, receiver: Receiver, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._receiver = receiver
        self._clock = clock
        self._away: PortalAway | None = None
        self._broken_off: Counter[SubmissionId] = Counter()
        # What the disk had left when one found no room; before this program was started one may have found none.
        self._room_lacked_at: float = 0
        self.reading = ListReading()
        self.downloads = Downloads(self._take, self._put_off)
        self.taken = self.stuck = 0

    async def read_list(self, shares: int = 1) -> None:
        """Read on in the list, and begin to fetch what is new or due: ``shares`` times as much as is taken in a day."""
        reading, now = self.reading, self._clock()
        rest, left = await resting(now), await _left_today(now.date(), shares)
        async for entries in reading.pages(self._client.submissions):
            if not self.downloads.takes_more or 0 < left <= self.downloads.small:
                # The next visit goes on here.
                break
            settled = await _settled(entries)
            # Another list of files was shown under its id for a while, or this program ended before it said so.
            await are_taken(settled)
            for entry in entries:
                reading.seen.add(entry.submission)
                if entry.submission in settled or entry.submission in rest or entry.submission in self.downloads:
                    continue
                if left <= 0:
                    reading.passed[HELD_BACK] += 1
                elif left <= self.downloads.small or self.downloads.is_put_off(entry.submission):
                    self._put_off()
                else:
                    await self._begin(entry)
        whole = reading.whole and reading.ended
        passed = Counter({reason: reading.passed[reason] for reason in ("unreadable", NO_ROW)})
        await count_passed(SUBMISSION, passed, now.date(), whole=whole)
        if whole:
            await miss_unlisted(reading.seen, now)
            reading.finish_round()

    async def look_for_room(self, now: datetime) -> None:
        """Have those tried again that found no room on this office's disk, once it has got some."""
        if await self._free_bytes() >= self._room_lacked_at + ROOM_MORE_BYTES:
            self._room_lacked_at = math.inf
            await try_again(now, NO_ROOM)

    async def finish(self, seconds: float) -> None:
        """Wait for what is being fetched, at most so long. Raises PortalAway when nobody answers any more."""
        await self.downloads.wait(seconds)
        if self._away is not None:
            away, self._away = self._away, None
            raise away

    async def confirm_stored(self, turn: int) -> None:
        """Confirm what is stored and was not confirmed yet, beginning at another one in each ``turn``.

        Raises PortalAway at once, the first other PortalError after all had their turn.
        """
        waiting = await SubmissionRecord.filter(is_unset("confirmed")).order_by("number")
        start = turn % len(waiting) if waiting else 0
        failure: PortalError | None = None
        for submission in [*waiting[start:], *waiting[:start]]:
            try:
                await self._confirm(submission)
            except PortalAway:
                raise
            except PortalError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    async def _begin(self, entry: WaitingSubmission) -> None:
        try:
            checked = await self._receiver.check(entry)
        except DamagedArrivalError as error:
            await self._write_down(entry.submission, error.problem, error.file)
            return
        except Exception as error:
            # Whatever of one entry this program can't cope with must not hide the others.
            LOG.error("a submission can't be checked: %s", type(error).__name__)
            await self._write_down(entry.submission, "failure")
            return
        if checked is None:
            # It is stored, and waits to be confirmed.
            return
        if not self.downloads.begin(checked):
            self._put_off()

    def _put_off(self) -> None:
        """The list was read past it: another round meets it again."""
        self.reading.passed[WAITS] += 1

    async def _take(self, acknowledged: CheckedSubmission, patience: Patience) -> bool:
        """Fetch, store and confirm one submission, or write down why not; False when only a short patience ran out."""
        item, file, free = acknowledged.manifest.submission, None, await self._free_bytes()
        try:
            today, running = self._clock().date(), self.downloads.bytes_running
            stored = await self._receiver.fetch(acknowledged, today, running, patience)
        except PortalAway as error:
            self._away = error
            self._put_off()
            return True
        except DamagedArrivalError as error:
            problem, file = error.problem, error.file
        except PortalError as error:
            if patience.is_short and error.problem == "slow":
                return False
            problem = error.problem
        except Exception as error:
            LOG.error("a submission can't be taken: %s", type(error).__name__)
            problem = _own_problem(error)
        else:
            self._broken_off.pop(item, None)
            await self._taken(stored)
            return True
        if problem == NO_ROOM:
            self._room_lacked_at = min(free, self._room_lacked_at)
        if self._may_pass(item, problem):
            self._put_off()
        else:
            await self._write_down(item, problem, file)
        return True

    def _may_pass(self, item: SubmissionId, problem: str) -> bool:
        """Whether it need not be this submission's own failure, so that the next visit tries it again."""
        if problem in REFUSES_ALL:
            return True
        if len(self._broken_off) >= BROKEN_OFF_KNOWN_MAX:
            self._broken_off.clear()
        self._broken_off[item] += 1
        if self._broken_off[item] < ATTEMPTS_AT_ONCE.get(problem, 0):
            return True
        del self._broken_off[item]
        return False

    async def _taken(self, submission: SubmissionRecord) -> None:
        self.taken += 1
        await are_taken([submission.id])
        try:
            await self._confirm(submission)
        except PortalError:
            # It is stored, and not confirmed: the next step tries that again, and says what is wrong.
            return

    async def _confirm(self, submission: SubmissionRecord) -> None:
        realm = (await current_charter()).realm
        note = Collection(realm, submission.id, manifest_hash(submission.manifest), submission.collected)
        try:
            await self._client.collect(submission.id, note.sign(self._client.office_key).encode())
        except PortalRefused as error:
            # It was deleted there already: after the grace, when an earlier confirmation's answer was lost.
            if error.code != "not-found":
                raise
        await SubmissionRecord.filter(id=submission.id).update(confirmed=True)

    async def _free_bytes(self) -> int:
        """Of this office's disk; a disk that can't be asked has none."""
        try:
            return await asyncio.to_thread(self._receiver.blobs.free_bytes)
        except OSError:
            return 0

    async def _write_down(self, submission: SubmissionId, problem: str, file: str | None = None) -> None:
        self.stuck += 1
        try:
            has_row = await write_down(submission, problem, file, self._clock())
        except Exception:
            # The database takes nothing: no row says when it is tried again.
            self._put_off()
            raise
        if not has_row:
            self.reading.passed[NO_ROW] += 1


def _own_problem(error: Exception) -> str:
    """What is wrong on this side, as a code for the queue."""
    why = why_unwritable(error)
    if why is None:
        return "storage" if isinstance(error, OSError) else "failure"
    return NO_ROOM if why is Unwritable.FULL else "storage"


async def _left_today(today: date, shares: int) -> int:
    """How many more submissions are taken today; none once they are too many bytes."""
    files = SealedFileRecord.filter(submission__collected=today).annotate(total=sum_below("size", BYTES_PER_DAY_MAX))
    sizes: list[Any] = await files.group_by("submission_id").values_list("total", flat=True)
    is_over = sum(size or 0 for size in sizes) >= BYTES_PER_DAY_MAX * shares
    return 0 if is_over else ARRIVALS_PER_DAY_MAX * shares - len(sizes)


async def _settled(entries: tuple[WaitingSubmission, ...]) -> set[SubmissionId]:
    """Those of a page that were stored and confirmed before."""
    found = await SubmissionRecord.filter(id__in=[entry.submission for entry in entries], confirmed=True)
    stored = {submission.id: submission.manifest for submission in found}
    return {entry.submission for entry in entries if stored.get(entry.submission) == entry.manifest}
