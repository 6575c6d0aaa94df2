# SPDX-License-Identifier: AGPL-3.0-or-later
"""Letters on their way out. A letter's id is the hash of its sealed bytes: posting again never makes two of one.

The office signs a letter a second time when it is posted (docs/protocol.md §9.1), and only what a present member with a
role that replies sends now: a letter of somebody who left in the meantime is never signed.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from crypto.charter import Charter
from oversight.commission.charters import charters_by_hash, current_charter
from oversight.letters.mailbox_commands import commands_of
from oversight.letters.postings import Signer, catch_up, reserve, settle
from oversight.letters.records import AUTHOR_LEFT, MAILBOX_CLOSED, MAILBOX_LOST, PostingRecord, ReplyRecord
from oversight.letters.thread_notes import seal_note
from oversight.reports.beyond_help import LETTER, MAILBOX, note_lost
from oversight.reports.records import BeyondHelpRecord, SubmissionRecord
from oversight.wire.outbox import Outbox, WithheldError
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalRefused

# Refusals that this letter will get every time; not that the portal knows no such report: one that was restored knows
# it again once it is announced.
FINAL_REFUSALS = frozenset({"too-large", "not-sealed", "malformed-request", "not-your-commission", MAILBOX_CLOSED})
# The portal's numbers are not those that this office knows.
NUMBER_REFUSALS = frozenset({"reply-number", "thread-number"})


@dataclass(frozen=True)
class _Line:
    """The connection, the thread whose letters go over it, and who signs them."""

    client: PortalClient
    submission: SubmissionRecord
    signer: Signer


async def _post(client: PortalClient, reply: ReplyRecord, today: date) -> None:
    """Post a letter after those that were stored before it for the same thread."""
    waiting = ReplyRecord.filter(submission=reply.submission, posted_on=None, refused=None, number__lt=reply.number)
    for earlier in await waiting.order_by("number"):
        await LETTERS.post_one(client, earlier, today)
    submission = await SubmissionRecord.get(id=reply.submission)
    charter = await current_charter()
    reason = await _withheld(reply, charter, today)
    if reason is not None:
        if await _went_out(client, submission, reply):
            return
        raise WithheldError(reason)
    line = _Line(client, submission, Signer(charter, client.office_key, today))
    try:
        await _send(line, reply, await reserve(submission, reply, line.signer))
    except PortalRefused as error:
        if error.code not in NUMBER_REFUSALS:
            raise
        last = await _bring_again(line, await catch_up(client, submission))
        await _send(line, reply, await reserve(submission, reply, line.signer, last), last)


LETTERS = Outbox(ReplyRecord, _post, FINAL_REFUSALS, lane=lambda reply: reply.submission)


async def _withheld(reply: ReplyRecord, charter: Charter, today: date) -> str | None:
    """Why this office must not post the letter, or nothing."""
    written = {member.label: member for member in (await charters_by_hash())[reply.charter].members}
    author = next((member for member in charter.members_on(today) if member.label == reply.author), None)
    if author is None or not author.may_reply or author.verifier != written[reply.author].verifier:
        return AUTHOR_LEFT
    if (await commands_of(reply.submission)).closed:
        return MAILBOX_CLOSED
    return MAILBOX_LOST if await BeyondHelpRecord.filter(kind=MAILBOX, item=reply.submission).exists() else None


async def _went_out(client: PortalClient, submission: SubmissionRecord, reply: ReplyRecord) -> bool:
    """Whether the portal has had the letter since an earlier attempt whose answer was lost."""
    if not await PostingRecord.filter(message=reply.id).exists():
        return False
    try:
        await catch_up(client, submission)
    except PortalRefused:
        return False
    return await PostingRecord.filter(message=reply.id, held=True).exists()


async def bring_replies_again(client: PortalClient, submission: SubmissionRecord, today: date) -> None:
    """Compare a thread with what the portal has of it: take up what is missing here, and send what is missing there.

    Raises PortalError.
    """
    line = _Line(client, submission, Signer(await current_charter(), client.office_key, today))
    await _bring_again(line, await catch_up(client, submission))


async def _bring_again(line: _Line, last: int) -> int:
    """Send what the portal took before it was restored, under the numbers of that time; the number of its last reply.

    A letter of an author who has left is not signed again: it stays missing. So does one whose text this office has
    lost as well. What would have expired meanwhile is not sent.
    """
    today, days = line.signer.today, line.signer.charter.reply_days
    lost = PostingRecord.filter(submission=line.submission.id, held=True, number__gt=last)
    for posting in await lost.order_by("number"):
        letter = await ReplyRecord.get_or_none(id=posting.message)
        if posting.posted + timedelta(days=days) <= today or (await commands_of(line.submission.id)).closed:
            continue
        if letter is None or await _withheld(letter, line.signer.charter, today):
            await note_lost(LETTER, [(posting.message, line.submission.id)], today)
            continue
        await _send(line, letter, await reserve(line.submission, letter, line.signer), last)
        last = posting.number
    return last


async def _send(line: _Line, reply: ReplyRecord, posting: PostingRecord, last: int | None = None) -> None:
    """Post a letter after the one numbered ``last``, or the one that is before it here."""
    if last is None:
        before = PostingRecord.filter(submission=line.submission.id, held=True, number__lt=posting.number)
        highest = await before.order_by("-number").first()
        last = highest.number if highest else 0
    thread = await seal_note(line.client, line.submission, line.signer.today, posting=posting)
    answer = await line.client.post_reply(bytes(posting.note), last, bytes(reply.sealed), thread)
    await settle(posting, line.submission, answer)
