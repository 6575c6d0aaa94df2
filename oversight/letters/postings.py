# SPDX-License-Identifier: AGPL-3.0-or-later
"""The numbers of replies in their thread, given by posting notes that the office signs. docs/protocol.md §9.1.

- A number is written down here before the note leaves, so that this office never signs it for two messages.
- An office that was restored, or is not the only one, takes up what the portal has: postings that an office key of this
  commission signed. A portal's number of its last reply counts when such a posting proves it.
- Thread notes prove nothing to an office, which can't open them: their number is believed, but for a tenth of all
  numbers at most. So a portal that lies leaves the rest to this office, however often it lies.
"""

from dataclasses import dataclass
from datetime import date

from tortoise.exceptions import IntegrityError

from crypto.charter import Charter
from crypto.errors import CryptoError, ProofError
from crypto.manifest import manifest_hash
from crypto.note import SigningKey
from crypto.posting import Posting, read_posting
from crypto.statement import NUMBER_MAX
from oversight.commission.charters import charters_by_hash, current_charter
from oversight.letters.records import PostingRecord, ReplyRecord, ThreadNoteRecord
from oversight.reports.records import SubmissionRecord
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalUnreachable
from portal.kit.database import transaction

# Above this the portal names no thread note's number that is believed. A bound for each jump would not bound their sum.
BELIEVED_MAX = 100_000
USED_UP = "numbers-used-up"
RESERVE_ATTEMPTS_MAX = 3


@dataclass(frozen=True)
class Signer:
    """Who signs postings now: an office key of the newest charter, on a day."""

    charter: Charter
    key: SigningKey
    today: date


async def reserve(
    submission: SubmissionRecord, reply: ReplyRecord, signer: Signer, last: int | None = None
) -> PostingRecord:
    """Sign a posting of ``reply``, under the number that it has or the next one of its thread.

    ``last`` is the number of the last reply that the portal has, when it refused the number that was given before.
    """
    for attempt in range(RESERVE_ATTEMPTS_MAX):
        try:
            async with transaction():
                return await _reserve(submission, reply, signer, last)
        except IntegrityError:
            # A click and the collector at the same time.
            if attempt == RESERVE_ATTEMPTS_MAX - 1:
                raise
    raise AssertionError("unreachable: the loop returns or raises")


async def settle(record: PostingRecord, submission: SubmissionRecord, answer: bytes) -> None:
    """Take over the posting that the portal answers: this one, or that of an earlier time whose answer was lost.

    Raises PortalUnreachable when it is none of this message.
    """
    try:
        posting = await _read(submission, answer)
    except CryptoError:
        raise PortalUnreachable("the portal's posting can't be verified") from None
    if posting.message != record.message:
        raise PortalUnreachable("the portal answers with the posting of another message")
    await _take_up(submission, posting, answer)


async def catch_up(client: PortalClient, submission: SubmissionRecord) -> int:
    """Ask what the portal has of a thread, and take up what is missing here; the number of its last reply.

    The number of the thread note is raised as well. Raises PortalRefused for a thread that the portal does not have.
    """
    standing = await client.thread(submission.id)
    # Each once: a portal may show one posting as often as its answer has room.
    for data in dict.fromkeys(standing.postings):
        try:
            await _take_up(submission, await _read(submission, data), data)
        except CryptoError:
            continue
    await ThreadNoteRecord.get_or_create({"stale": True}, submission=submission.id)
    if standing.number <= BELIEVED_MAX:
        rising = ThreadNoteRecord.filter(submission=submission.id, number__lt=standing.number)
        await rising.update(number=standing.number)
    proof = PostingRecord.filter(submission=submission.id, number=standing.last, held=True)
    return standing.last if await proof.exists() else 0


def check_left(number: int) -> int:
    """A number that is about to be given. Raises PortalUnreachable when all of the thread's were given before."""
    if number > NUMBER_MAX:
        raise PortalUnreachable("no number of the thread is left", USED_UP)
    return number


async def last_number(submission: SubmissionRecord, but: str = "") -> int:
    """The highest number of the thread that was given, to other messages than ``but``; 0 for none."""
    last = await PostingRecord.filter(submission=submission.id).exclude(message=but).order_by("-number").first()
    return 0 if last is None else last.number


async def _reserve(submission: SubmissionRecord, reply: ReplyRecord, signer: Signer, last: int | None) -> PostingRecord:
    record = await PostingRecord.get_or_none(message=reply.id)
    if record is not None and (record.held or last is None):
        number = record.number
    else:
        number = check_left(max(last or 0, await last_number(submission, but=reply.id)) + 1)
    charter = signer.charter
    posting = Posting(
        realm=charter.realm,
        manifest=manifest_hash(submission.manifest),
        number=number,
        message=reply.id,
        charter_number=charter.number,
        charter=charter.hash,
        posted=signer.today,
    )
    record = record or PostingRecord(submission=submission.id, message=reply.id, held=False)
    record.number, record.note, record.posted = number, posting.sign(signer.key).encode(), signer.today
    await record.save()
    return record


async def _read(submission: SubmissionRecord, data: bytes) -> Posting:
    """A posting of this thread that an office key of this commission signed. Raises CryptoError."""
    charters = (await charters_by_hash()).values()
    posting = read_posting(data, list({key for charter in charters for key in charter.office}))
    here = ((await current_charter()).realm, manifest_hash(submission.manifest))
    if (posting.realm, posting.manifest) != here:
        raise ProofError("a posting is of another thread")
    return posting


async def _take_up(submission: SubmissionRecord, posting: Posting, note: bytes) -> None:
    """Write down that the portal has this posting; a number that was not sent yet gives way to it."""
    async with transaction():
        taken = await PostingRecord.get_or_none(submission=submission.id, number=posting.number)
        if taken is not None and taken.message != posting.message:
            if taken.held:
                return
            await taken.delete()
        record = await PostingRecord.get_or_none(message=posting.message)
        record = record or PostingRecord(submission=submission.id, message=posting.message)
        record.number, record.note, record.posted, record.held = posting.number, note, posting.posted, True
        await record.save()
        await ReplyRecord.filter(id=posting.message, posted_on=None).update(posted_on=posting.posted)
