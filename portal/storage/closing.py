# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closing a mailbox takes no longer for the reports that were sent to it.

The first submission to a mailbox speaks for it (``find_mailbox``): once its row is closed, the mailbox is. The rows of
the other ones, which nobody is shown, are closed by the sweeps, few in one transaction.
"""

from collections.abc import Sequence

from crypto.ids import SubmissionId
from portal.kit.columns import is_unset
from portal.storage.batches import MESSAGES_AT_ONCE, delete_rows
from portal.storage.database import transaction
from portal.storage.records import ClosingRecord, MailboxRecord, ReplyRecord, ThreadRecord
from portal.storage.submissions import first_to

BATCH = 100


async def close(mailbox: str) -> None:
    """Close a mailbox that exists, and leave the rest to ``close_rest``. In a change (``GroupCommit.apply``)."""
    first = await first_to(mailbox)
    if first is None or first.closed is True:
        return
    await _close_rows([first.submission])
    if await MailboxRecord.filter(mailbox=mailbox, sequence__gt=first.sequence).exists():
        await ClosingRecord.create(mailbox=mailbox)


async def closings(after: str) -> Sequence[str]:
    """The next mailboxes after an id, in order, that are closed but for the rest."""
    waiting = ClosingRecord.filter(mailbox__gt=after).order_by("mailbox").limit(BATCH)
    found = [str(mailbox) for mailbox in await waiting.values_list("mailbox", flat=True)]
    # A damaged id is after itself.
    return [mailbox for mailbox in found if mailbox > after]


async def close_rest(mailbox: str) -> None:
    """Close the rows of all submissions to a closed mailbox. It can be interrupted anywhere and repeated."""
    done_to: int | None = 0
    while done_to is not None:
        done_to = await close_more(mailbox, done_to)


async def close_more(mailbox: str, after: int) -> int | None:
    """Close the next rows after a sequence, in a transaction; the last one's sequence, or None if there was none."""
    following = MailboxRecord.filter(mailbox=mailbox, sequence__gt=after).order_by("sequence").limit(BATCH)
    named = list(await following.values_list("submission", flat=True))
    await delete_rows(ReplyRecord.filter(submission__in=named), MESSAGES_AT_ONCE)
    async with transaction():
        rows = await following.only("sequence", "submission")
        if not rows:
            await ClosingRecord.filter(mailbox=mailbox).delete()
            return None
        await _close_rows([row.submission for row in rows])
        return int(rows[-1].sequence)


async def _close_rows(submissions: Sequence[SubmissionId]) -> None:
    await ReplyRecord.filter(submission__in=submissions).delete()
    await ThreadRecord.filter(submission__in=submissions).update(note=b"")
    rows = MailboxRecord.filter(is_unset("closed"), submission__in=submissions)
    await rows.update(closed=True, state=b"", state_sha256="", command=None)
