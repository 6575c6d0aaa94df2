# SPDX-License-Identifier: AGPL-3.0-or-later
"""Thread notes: what the office holds of a thread, signed by the office without any member. docs/protocol.md §8.1.

One goes out when a report was collected, with each reply, when follow-ups came, and for all live mailboxes in the
weekly round. The number always rises: it is counted before the note is made.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.expressions import F, Q, Subquery

from crypto.charter import Charter
from crypto.ids import MessageId, SubmissionId
from crypto.manifest import manifest_hash, read_manifest
from crypto.note import Note
from crypto.posting import read_text
from crypto.thread_note import HELD_KEPT_MAX, ThreadNote, seal_thread_note
from oversight.commission.charters import charters_by_hash, current_charter
from oversight.letters.postings import catch_up, check_left
from oversight.letters.records import ControlRecord, FollowUpRecord, PostingRecord, ThreadNoteRecord
from oversight.letters.thread_keys import announce_renewals, pending_renewal
from oversight.reports.records import STATE_ROW, CollectorStateRecord, SubmissionRecord
from oversight.wire.portal_client import PortalClient, SealedThreadNote
from oversight.wire.portal_errors import PortalAway, PortalError, PortalRefused
from oversight.wire.portal_responses import THREADS_MAX
from oversight.wire.retry import COLUMNS, MENDED, is_due, next_attempt, time_of_one
from portal.kit.columns import is_unset
from portal.kit.database import transaction


async def seal_note(
    client: PortalClient,
    submission: SubmissionRecord,
    today: date,
    *,
    posting: PostingRecord | None = None,
) -> SealedThreadNote:
    """The next thread note of this thread; ``posting`` is that of the reply which goes out with it."""
    charter, manifest = await current_charter(), read_manifest(submission.manifest)
    replies = await _replies(submission.id, charter, today, posting)
    held = FollowUpRecord.filter(submission=submission.id)
    newest = await held.order_by("-sequence").limit(HELD_KEPT_MAX).only("id")
    note = ThreadNote(
        realm=charter.realm,
        submission=submission.id,
        manifest=manifest_hash(submission.manifest),
        number=await _next_number(submission.id),
        day=today,
        charter_number=charter.number,
        charter=charter.hash,
        oldest_reply=replies.oldest,
        last_reply=replies.last,
        last_message=replies.message,
        held_count=await held.count(),
        held=tuple(row.id for row in reversed(newest)),
        renewal=await pending_renewal(submission.id),
    )
    sealed = await asyncio.to_thread(seal_thread_note, note, client.office_key, manifest.recipient)
    return SealedThreadNote(submission.id, note.number, sealed)


async def post_thread_notes(client: PortalClient, now: datetime) -> None:
    """Post the notes of threads with news; from the first visit of a week on, those of all live mailboxes.

    Raises PortalAway at once, and what went wrong first after all had their turn.
    """
    await _begin_new_threads()
    await _begin_week(now.date())
    failure = await _Round(client, now).post(await _due(now))
    if failure is not None:
        raise failure


async def mark_stale(submissions: Iterable[SubmissionId]) -> None:
    """There is news of these threads."""
    await ThreadNoteRecord.filter(submission__in=list(set(submissions))).update(stale=True)


@dataclass(frozen=True)
class _Replies:
    oldest: int
    last: int
    message: MessageId | None


async def _replies(
    submission: SubmissionId, charter: Charter, today: date, going_out: PostingRecord | None
) -> _Replies:
    """Which replies the mailbox should show: those that the portal has, and the one that goes out now."""
    held = {record.number: record for record in await PostingRecord.filter(submission=submission, held=True)}
    if going_out is not None:
        held[going_out.number] = going_out
    if not held:
        return _Replies(1, 0, None)
    charters = await charters_by_hash()
    last = max(held)
    due = []
    for number, record in held.items():
        named = charters.get(read_text(Note.parse(bytes(record.note)).text).charter, charter)
        # The portal may go by either charter: only what both still keep is due.
        if record.posted + timedelta(days=min(named.reply_days, charter.reply_days)) > today:
            due.append(number)
    return _Replies(min(due, default=last + 1), last, held[last].message)


async def _next_number(submission: SubmissionId) -> int:
    async with transaction():
        await ThreadNoteRecord.get_or_create({"stale": True}, submission=submission)
        await ThreadNoteRecord.filter(submission=submission).update(number=F("number") + 1)
        return check_left((await ThreadNoteRecord.get(submission=submission)).number)


async def _begin_new_threads() -> None:
    """Threads of reports that were collected since."""
    fresh = await SubmissionRecord.ids_without(ThreadNoteRecord, confirmed=True)
    begin = [ThreadNoteRecord(submission=submission, number=0, stale=True) for submission in fresh]
    await ThreadNoteRecord.bulk_create(begin, ignore_conflicts=True)


async def _begin_week(today: date) -> None:
    """In the first visit of a week every thread has news: a round that takes many visits goes on where it was."""
    monday = today - timedelta(days=today.weekday())
    async with transaction():
        # A later one was noted while the clock ran ahead.
        begun = await CollectorStateRecord.filter(Q(round=None) | ~Q(round=monday), id=STATE_ROW).update(round=monday)
        if begun:
            await ThreadNoteRecord.filter(is_unset("stale")).update(stale=True)
            await announce_renewals()


async def _due(now: datetime) -> list[SubmissionId]:
    """Threads with news whose mailbox is not closed, but for those that failed and rest.

    Those that failed the least come first: what is slow must leave the others their time.
    """
    closed = Subquery(ControlRecord.filter(close=True).values("submission"))
    due = ThreadNoteRecord.filter(Q(try_again=None) | is_due(now), stale=True).exclude(submission__in=closed)
    return [row.submission for row in await due.order_by("attempts", "submission").only("submission")]


@dataclass(frozen=True)
class _Round:
    """Notes in batches; what fails with a batch is tried alone, so that it holds up no other."""

    client: PortalClient
    now: datetime

    async def post(self, threads: Sequence[SubmissionId]) -> Exception | None:
        """Post a note of each; what went wrong first. Raises PortalAway."""
        failure: Exception | None = None
        for start in range(0, len(threads), THREADS_MAX):
            batch = threads[start : start + THREADS_MAX]
            try:
                async with time_of_one():
                    refused = await self._post_batch(batch)
            except PortalAway:
                raise
            except Exception as error:
                # Also what is damaged here, of one of them.
                failure, refused = failure or error, list(batch)
            for thread in refused:
                failure = await self._post_again(thread) or failure
        return failure

    async def _post_again(self, thread: SubmissionId) -> Exception | None:
        """A second try under a higher number; a failure is kept in the thread's row. Raises PortalAway."""
        row = await ThreadNoteRecord.get(submission=thread)
        try:
            async with time_of_one():
                await catch_up(self.client, await SubmissionRecord.get(id=thread))
                await self._post_batch([thread])
        except PortalAway:
            raise
        except PortalRefused as error:
            if error.code != "not-found":
                return await _fail(row, error, self.now)
        except Exception as error:
            return await _fail(row, error, self.now)
        # Posted, or the portal has no such mailbox any more: then it is asked again in the next weekly round.
        row.mend()
        row.stale = False
        await row.save(update_fields=["stale", *COLUMNS])
        return None

    async def _post_batch(self, threads: Sequence[SubmissionId]) -> list[SubmissionId]:
        """Post the notes of at most 32 threads; those that the portal refused."""
        today = self.now.date()
        submissions = await SubmissionRecord.filter(id__in=list(threads)).order_by("id")
        notes = [await seal_note(self.client, submission, today) for submission in submissions]
        if not notes:
            return []
        answered = set(await self.client.post_threads(notes))
        taken = [note.submission for note in notes if note.submission not in answered]
        await ThreadNoteRecord.filter(submission__in=taken).update(stale=False, **MENDED)
        return [note.submission for note in notes if note.submission in answered]


async def _fail(row: ThreadNoteRecord, error: Exception, now: datetime) -> Exception:
    problem = error.problem if isinstance(error, PortalError) else "failure"
    row.fail(problem, now, next_attempt(row.attempts, now))
    row.stale = True
    await row.save(update_fields=["stale", *COLUMNS])
    return error
