# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector: pulls what waits at the portal, posts what waits for it, and says what this office holds.

- A submission is confirmed only after everything of it is durable here; a crash at any step leads to the same end.
- One that can't be collected becomes a row that the queue shows. It is never confirmed, it is tried again later, and it
  never hides the others.
- What the portal refuses in one step of a visit does not stop the steps after it.
- One collector runs at a time: it holds a lock on a file of the office's data folder.
"""

import fcntl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tortoise.exceptions import BaseORMException

from crypto.collection import Collection
from crypto.ids import SubmissionId
from crypto.manifest import manifest_hash
from oversight.collector.damage import postpone, record_damage
from oversight.collector.newest_charter import note_newest_charter
from oversight.commission.charters import current_charter
from oversight.findings.publication import FINDINGS
from oversight.letters.follow_up_arrival import collect_follow_ups
from oversight.letters.mailbox_commands import collect_controls
from oversight.letters.outbox import LETTERS
from oversight.letters.thread_notes import post_thread_notes
from oversight.reports.arrival import DamagedArrivalError, Receiver
from oversight.reports.records import STATE_ROW, CollectorStateRecord, DamagedArrivalRecord, SubmissionRecord
from oversight.wire.outbox import Outbox
from oversight.wire.portal_client import PortalClient, PortalError, PortalRefused, PortalUnreachable
from oversight.wire.portal_responses import WaitingSubmission

T = TypeVar("T")
# Downloads of one visit that may break off before the visit does: one that always breaks must not hide the others.
INTERRUPTIONS_MAX = 2
WHOLE_EVERY_VISITS = 60
OUTBOXES: tuple[Outbox[Any], ...] = (LETTERS, FINDINGS)


class CollectorBusy(Exception):
    """Another collector holds the lock."""


@dataclass(frozen=True)
class Outcome:
    """What one run did."""

    collected: int
    damaged: int
    follow_ups: int
    posted: int


@dataclass
class _Steps:
    """The steps of one visit. What the portal refuses in one of them is raised at the end."""

    refusal: PortalRefused | None = None

    async def step(self, work: Awaitable[T]) -> T | None:
        """The result of a step, or None when the portal refused it. Raises what else breaks it off."""
        try:
            return await work
        except PortalRefused as error:
            self.refusal = self.refusal or error
            return None

    def end(self) -> None:
        if self.refusal is not None:
            raise self.refusal


@dataclass
class Collector:
    """One office's collector. ``whole`` makes the next run read the portal's lists from their beginning."""

    client: PortalClient
    receiver: Receiver
    lock_file: Path
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    whole: bool = True
    visits: int = 0
    interruptions: int = 0
    steps: _Steps = field(default_factory=_Steps)

    async def run(self) -> Outcome:
        """Make one visit to the portal; its outcome is stored in the collector's row.

        Raises CollectorBusy when another one is under way, and whatever broke the visit off.
        """
        with _locked(self.lock_file):
            try:
                outcome = await self._visit()
            except Exception as error:
                await _record_failure(_problem(error), self.clock())
                raise
            await _record_success(self.clock())
            return outcome

    async def _visit(self) -> Outcome:
        self.interruptions, self.steps = 0, _Steps()
        state, _ = await CollectorStateRecord.get_or_create(id=STATE_ROW)
        client, today, step = self.client, self.clock().date(), self.steps.step
        collected, damaged = await self._collect(state)
        mended = await self._retry_damaged()
        await self._confirm_stored()
        follow_ups = await step(collect_follow_ups(client, whole=self.whole, today=today)) or 0
        await step(collect_controls(client, whole=self.whole, today=today))
        await step(note_newest_charter(client, today))
        posted = 0
        for outbox in OUTBOXES:
            posted += await step(outbox.post_waiting(client, today)) or 0
        await step(post_thread_notes(client, today))
        self.steps.end()
        self.visits += 1
        # A portal that was restored from a backup counts from an earlier number again.
        self.whole = self.visits % WHOLE_EVERY_VISITS == 0
        return Outcome(collected + mended, damaged, follow_ups, posted)

    async def _collect(self, state: CollectorStateRecord) -> tuple[int, int]:
        """Walk through the list; submissions that were new, and those that could not be taken."""
        after = 0 if self.whole else state.after
        collected = damaged = 0
        known_damaged = {row.sequence for row in await DamagedArrivalRecord.all()}
        while True:
            page = await self.client.submissions(after)
            settled = await _confirmed(page.entries)
            for entry in page.entries:
                if entry.sequence in known_damaged or entry.submission in settled:
                    continue
                if await self._take(entry):
                    collected += 1
                else:
                    damaged += 1
            highest = max((entry.sequence for entry in page.entries), default=after)
            await CollectorStateRecord.filter(id=STATE_ROW, after__lt=highest).update(after=highest)
            # A list that does not get on has no end.
            if not page.more or highest <= after:
                return collected, damaged
            after = highest

    async def _take(self, entry: WaitingSubmission) -> bool:
        """Store and confirm one submission; False when it could not be collected, which is written down."""
        try:
            submission = await self.receiver.receive(entry, self.clock().date())
        except DamagedArrivalError as error:
            await record_damage(entry, error, self.clock())
            return False
        except PortalUnreachable:
            self.interruptions += 1
            if self.interruptions > INTERRUPTIONS_MAX:
                raise
            await record_damage(entry, DamagedArrivalError("interrupted"), self.clock())
            return False
        await self.steps.step(self._confirm(submission))
        return True

    async def _confirm(self, submission: SubmissionRecord) -> None:
        realm = (await current_charter()).realm
        note = Collection(realm, submission.id, manifest_hash(submission.manifest), submission.collected)
        try:
            await self.client.collect(submission.id, note.sign(self.client.office_key).encode())
        except PortalRefused as error:
            # It was deleted there already: after the grace, when an earlier confirmation's answer was lost.
            if error.code != "not-found":
                raise
        await SubmissionRecord.filter(id=submission.id).update(confirmed=True)

    async def _confirm_stored(self) -> None:
        """Confirm submissions that were stored before a crash and are not in the part of the list that was read."""
        for submission in await SubmissionRecord.filter(confirmed=False):
            await self.steps.step(self._confirm(submission))

    async def _retry_damaged(self) -> int:
        """Retry the submissions whose time has come; return how many were collected."""
        mended = 0
        for row in await DamagedArrivalRecord.filter(try_again__lte=self.clock()).order_by("sequence"):
            page = await self.client.submissions(row.sequence - 1)
            entry = next((entry for entry in page.entries if entry.sequence == row.sequence), None)
            if entry is None:
                await postpone(row, self.clock())
            elif await self._take(entry):
                await row.delete()
                mended += 1
        return mended


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CollectorBusy from None
        yield


def _problem(error: Exception) -> str:
    """Return a code for the page: the portal's own, or the kind of failure here."""
    if isinstance(error, PortalRefused):
        return error.code
    if isinstance(error, PortalError):
        return "unreachable"
    return "storage" if isinstance(error, OSError | BaseORMException) else "failure"


async def _confirmed(entries: tuple[WaitingSubmission, ...]) -> set[SubmissionId]:
    """Those of a page that were stored and confirmed before."""
    found = await SubmissionRecord.filter(id__in=[entry.submission for entry in entries], confirmed=True)
    stored = {submission.id: submission.manifest for submission in found}
    return {entry.submission for entry in entries if stored.get(entry.submission) == entry.manifest}


async def _record_success(now: datetime) -> None:
    await CollectorStateRecord.filter(id=STATE_ROW).update(last_success=now, failing_since=None, problem=None)


async def _record_failure(problem: str, now: datetime) -> None:
    await CollectorStateRecord.get_or_create(id=STATE_ROW)
    await CollectorStateRecord.filter(id=STATE_ROW).update(problem=problem)
    await CollectorStateRecord.filter(id=STATE_ROW, failing_since=None).update(failing_since=now)
