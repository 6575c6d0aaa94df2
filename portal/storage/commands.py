# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a control note makes of a mailbox's rows, when it comes from the reporter and when an office brings it again
(docs/protocol.md §9.3, §10). Only replies and thread notes go; what the office has not fetched stays."""

import hashlib
from typing import Any

from tortoise.expressions import Q

from crypto.control import Control
from crypto.ids import SubmissionId
from portal.kit.columns import NUMBER_MAX, readable
from portal.storage.closing import close
from portal.storage.records import ControlRecord, ReplyRecord, ThreadRecord


async def save_thread(submission: SubmissionId, **values: Any) -> None:
    """Set these columns of a thread's row, which is made if it is missing. In a change (``GroupCommit.apply``)."""
    if not await ThreadRecord.filter(submission=submission).update(**values):
        await ThreadRecord.create(submission=submission, **{"note": b"", **values})


async def obey(slug: str, submission: SubmissionId, control: Control, note: str) -> bool:
    """Delete and close as a genuine control note says, and keep the note if it did more than earlier ones.

    In a change; a repeat changes nothing. Returns whether the note is kept, and so told to the office.
    """
    deleted = bool(control.delete) and await _delete_replies(submission, control.delete)
    if control.close:
        await close(control.mailbox)
    # A note that deletes nothing more than one before it is not kept: else whoever has a reply could store any number.
    is_kept = deleted or control.close
    if is_kept:
        note_hash = hashlib.sha256(note.encode("utf-8")).hexdigest()
        if not await ControlRecord.filter(submission=submission, hash=note_hash).exists():
            await ControlRecord.create(slug=slug, submission=submission, hash=note_hash, note=note)
    return is_kept


async def _delete_replies(submission: SubmissionId, up_to: int) -> bool:
    """Delete the replies up to a number; whether no note deleted as many before."""
    # One whose number is damaged is shown whatever was read before, and so it goes with whatever goes.
    gone = Q(number__lte=up_to) | Q(number__gt=NUMBER_MAX)
    await ReplyRecord.filter(gone, submission=submission).delete()
    # Kept, so that a reply that an office posts again after a restore stays deleted.
    thread = await ThreadRecord.filter(submission=submission).first().only("submission", "deleted_to")
    if thread is None or readable(thread.deleted_to, 0) < up_to:
        await save_thread(submission, deleted_to=up_to)
        return True
    return False
