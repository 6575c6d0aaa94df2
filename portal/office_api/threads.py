# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an office puts into a mailbox: replies and thread notes (docs/protocol.md §8.1, §9.1, §10).

A reply and the thread note that speaks of it are taken together. The number of a thread's last reply outlives the
reply, so that no number is given twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto.age import check_sealed_prefix
from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.ids import MessageId, SubmissionId
from crypto.message import message_id
from crypto.padding import THREAD_NOTE_SIZE
from crypto.posting import Posting, read_posting
from portal.api.refusals import Refusal
from portal.api.sealed_form import check_sealed_size
from portal.kit.columns import NUMBER_MAX, readable
from portal.office_api.own import own_submission
from portal.storage.commands import save_thread
from portal.storage.errors import DuplicateError, StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.office_days import first_day_of_grace
from portal.storage.records import ReplyRecord, SubmissionRecord, ThreadRecord
from portal.storage.shares import Kind, Shares
from portal.storage.submissions import is_closed
from portal.storage.weights import row_weight

# A reply of this size, in base64, still fits into a mailbox answer.
REPLY_SEALED_MAX = 700 * 1024
REPLIES_MAX = 256
"""That one mailbox holds: what a reporter deletes at once is deleted in one transaction."""
_COLUMNS = ("submission", "note_number", "last_reply", "last_message", "last_posting", "deleted_to")


@dataclass(frozen=True)
class SealedThreadNote:
    """A thread note for the mailbox of ``submission``, and its number in the open."""

    submission: SubmissionId
    number: int
    sealed: bytes


@dataclass(frozen=True)
class Outgoing:
    """A sealed reply, the note of its posting, and the thread note that goes with it."""

    posting: str
    last: int
    sealed: bytes
    thread: SealedThreadNote

    @property
    def message(self) -> MessageId:
        return message_id(self.sealed)


@dataclass(frozen=True)
class Threads:
    """The threads of all commissions, each for its own offices."""

    realm: str
    commits: GroupCommit
    shares: Shares
    clock: Callable[[], datetime]

    async def post_reply(self, charter: Charter, reply: Outgoing) -> tuple[str, bool]:
        """Put a reply and a thread note into the mailbox, durably; return the posting note that counts, and True.

        A message that is there already, or was the last one, changes nothing: its posting, and False. ``charter`` is
        the commission's newest. Raises Refusal ``too-large``, ``not-sealed``, ``malformed-request`` (posting),
        ``mailbox-closed``, ``reply-number``, ``thread-number``, ``mailbox-full``. Raises StorageFullError when replies
        have no room left, or those of this commission.
        """
        submission = reply.thread.submission
        row = await own_submission(charter.slug, submission, "manifest_sha256")
        _check_reply(reply.sealed)
        check_thread_note(reply.thread)
        posting = self._read_posting(charter, reply, row.manifest_sha256)
        share = (Kind.REPLIES, row_weight(reply.sealed), charter.slug)
        try:
            self.shares.take(*share)
        except StorageFullError:
            # One that is there takes no more room.
            thread = await ThreadRecord.filter(submission=submission).first().only(*_COLUMNS)
            if (there := await _posting_of(submission, reply.message, thread)) is not None:
                return there, False
            raise
        is_kept = False
        try:
            outcome = await self.commits.apply(lambda: self._post(reply, posting, charter.reply_days))
        except DuplicateError:
            # A reply that is kept has the number: what says how far the thread is went back, or is damaged.
            raise Refusal("reply-number") from None
        else:
            is_kept = not isinstance(outcome, Refusal) and outcome[1]
        finally:
            if not is_kept:
                self.shares.give_back(*share)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def post_notes(self, slug: str, notes: Sequence[SealedThreadNote]) -> list[SubmissionId]:
        """Replace thread notes by higher ones, durably; return the submissions whose note was not taken.

        A note that is there already counts as taken. Raises Refusal ``not-sealed``.
        """
        for note in notes:
            check_thread_note(note)
        return await self.commits.apply(lambda: _post_notes(slug, notes))

    async def thread(self, slug: str, submission: SubmissionId) -> dict[str, Any]:
        """How far the thread is, and the postings that are kept, the last one among them."""
        await own_submission(slug, submission)
        thread = await ThreadRecord.get_or_none(submission=submission).only("note_number", "last_reply", "last_posting")
        kept = await ReplyRecord.filter(submission=submission).order_by("number").values_list("posting", flat=True)
        postings = [str(posting) for posting in kept]
        if thread is not None and thread.last_posting and thread.last_posting not in postings:
            postings.append(thread.last_posting)
        number = readable(thread.note_number, 0) if thread else 0
        return {"number": number, "last": await _last_number(submission, thread), "postings": postings}

    def _read_posting(self, charter: Charter, reply: Outgoing, manifest_sha256: str) -> Posting | None:
        """The posting note, or None unless it is by an office key of this charter and for this reply."""
        try:
            posting = read_posting(reply.posting.encode("utf-8"), charter.office)
        except (CryptoError, UnicodeEncodeError):
            return None
        named = (posting.realm, posting.manifest, posting.message, posting.charter_number, posting.charter)
        fitting = (self.realm, manifest_sha256, reply.message, charter.number, charter.hash)
        return posting if named == fitting else None

    async def _post(self, reply: Outgoing, posting: Posting | None, days: int) -> tuple[str, bool] | Refusal:
        submission = reply.thread.submission
        thread = await ThreadRecord.filter(submission=submission).first().only(*_COLUMNS)
        if (there := await _posting_of(submission, reply.message, thread)) is not None:
            return there, False
        if (refusal := await _refusal(reply, posting, thread)) is not None:
            return refusal
        assert posting is not None
        if thread is None or posting.number > readable(thread.deleted_to, 0):
            await ReplyRecord.create(
                submission=submission,
                number=posting.number,
                message=reply.message,
                posting=reply.posting,
                delete_from=await first_day_of_grace(self.clock().date(), posting.posted) + timedelta(days=days),
                sealed=reply.sealed,
            )
        await save_thread(
            submission,
            note_number=reply.thread.number,
            note=reply.thread.sealed,
            last_reply=posting.number,
            last_message=reply.message,
            last_posting=reply.posting,
        )
        return reply.posting, True


def check_thread_note(note: SealedThreadNote) -> None:
    """Raise Refusal ``not-sealed`` unless it is sealed, and as long as every thread note is."""
    check_sealed_size("thread", note.sealed, THREAD_NOTE_SIZE)


def _check_reply(sealed: bytes) -> None:
    if len(sealed) > REPLY_SEALED_MAX:
        raise Refusal("too-large", "sealed")
    try:
        check_sealed_prefix(sealed)
    except CryptoError:
        raise Refusal("not-sealed", "sealed") from None


async def _refusal(reply: Outgoing, posting: Posting | None, thread: ThreadRecord | None) -> Refusal | None:
    """Why a reply can't be posted to a thread; none without a posting that counts."""
    submission = reply.thread.submission
    if await is_closed(submission):
        return Refusal("mailbox-closed")
    if posting is None:
        return Refusal("malformed-request", "posting")
    last = await _last_number(submission, thread)
    if reply.last != last or posting.number <= last:
        return Refusal("reply-number")
    if reply.thread.number <= (readable(thread.note_number, 0) if thread else 0):
        return Refusal("thread-number")
    if await ReplyRecord.filter(submission=submission).count() >= REPLIES_MAX:
        return Refusal("mailbox-full")
    return None


async def _posting_of(submission: SubmissionId, message: MessageId, thread: ThreadRecord | None) -> str | None:
    """The posting of a message that was posted before, also of one that has expired if it was the last."""
    if thread is not None and thread.last_message == message:
        return thread.last_posting
    kept = await ReplyRecord.filter(submission=submission, message=message).values_list("posting", flat=True)
    return str(kept[0]) if kept else None


async def _last_number(submission: SubmissionId, thread: ThreadRecord | None) -> int:
    """The number of the last reply, or of the last one that is kept, should the thread's row be damaged."""
    kept = ReplyRecord.filter(submission=submission, number__lte=NUMBER_MAX).order_by("-number").first()
    highest = await kept.only("sequence", "number")
    return max(readable(thread.last_reply, 0) if thread else 0, readable(highest.number, 0) if highest else 0)


async def _post_notes(slug: str, notes: Sequence[SealedThreadNote]) -> list[SubmissionId]:
    named = [note.submission for note in notes]
    own = {row.submission for row in await SubmissionRecord.filter(slug=slug, submission__in=named).only("submission")}
    return [note.submission for note in notes if note.submission not in own or not await _take(note)]


async def _take(note: SealedThreadNote) -> bool:
    return not await is_closed(note.submission) and await _replace(note)


async def _replace(note: SealedThreadNote) -> bool:
    there = await ThreadRecord.filter(submission=note.submission).first().only("submission", "note_number", "note")
    if there is not None and note.number <= readable(there.note_number, 0):
        return note.number == there.note_number and note.sealed == bytes(there.note)
    await save_thread(note.submission, note_number=note.number, note=note.sealed)
    return True
