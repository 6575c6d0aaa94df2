# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follow-ups to mailboxes that this portal does not know (docs/protocol.md §9.3).

A portal that was restored from a backup has lost mailboxes and can't tell which. What is sent to an unknown one is kept
for some days, unread and unverified, until an office announces the mailbox. There is room for so many, and for so many
to one mailbox: what finds none is answered all the same, as everything that strangers send is.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tortoise.queryset import QuerySet

from crypto.control import read_control
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from portal.kit.columns import readable
from portal.storage.batches import EARLIEST
from portal.storage.records import FollowUpRecord, MailboxRecord, UnclaimedRecord

UNCLAIMED_MAX = 1024
OF_ONE_MAILBOX_MAX = 16
DAYS_KEPT = 30


async def is_room(mailbox: str) -> bool:
    """Whether one more to this mailbox is kept."""
    of_one = await UnclaimedRecord.filter(mailbox=mailbox).count()
    return await UnclaimedRecord.all().count() < UNCLAIMED_MAX and of_one < OF_ONE_MAILBOX_MAX


def expired(today: date) -> QuerySet[Any]:
    """Those that nobody has claimed for ``DAYS_KEPT`` days."""
    return UnclaimedRecord.filter(day__gt=EARLIEST, day__lt=today - timedelta(days=DAYS_KEPT))


async def claim(slug: str, mailbox: MailboxRecord, today: date) -> None:
    """Give a mailbox that was announced what was sent to it meanwhile, in a change (``GroupCommit.apply``).

    Only what the holder of its token sent and its V signed becomes a follow-up. The state goes along as far as each
    replaces the one before it.
    """
    rows = await UnclaimedRecord.filter(mailbox=mailbox.mailbox).order_by("sequence")
    for row in rows:
        if row.token_sha256 == mailbox.token_sha256 and _is_genuine(row, mailbox):
            await _deliver(slug, mailbox, row, today)
    await _forget(rows)


def _is_genuine(row: UnclaimedRecord, mailbox: MailboxRecord) -> bool:
    try:
        control = read_control(row.note.encode("utf-8"), mailbox.control)
    except CryptoError:
        return False
    return (control.mailbox, control.follow_up) == (mailbox.mailbox, row.message)


async def _deliver(slug: str, mailbox: MailboxRecord, row: UnclaimedRecord, today: date) -> None:
    control = read_control(row.note.encode("utf-8"), mailbox.control)
    submission: SubmissionId = mailbox.submission
    if not await FollowUpRecord.filter(submission=submission, message=row.message).exists():
        day = readable(row.day, today)
        await FollowUpRecord.create(
            slug=slug, submission=submission, message=row.message, day=day, sealed=bytes(row.sealed)
        )
        mailbox.told = readable(mailbox.told, 0) + 1
    if control.replaces == mailbox.state_sha256:
        mailbox.state, mailbox.state_sha256, mailbox.command = bytes(row.state), control.state, row.note
    await mailbox.save(update_fields=["told", "state", "state_sha256", "command"])


async def _forget(rows: Sequence[UnclaimedRecord]) -> None:
    await UnclaimedRecord.filter(sequence__in=[row.sequence for row in rows]).delete()
