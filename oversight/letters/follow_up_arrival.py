# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follow-ups on their way in: stored as they came, sealed, and confirmed only when they are durable."""

from typing import Any

from crypto.ids import MessageId
from crypto.message import message_id
from oversight.letters.records import FollowUpRecord
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_responses import WaitingFollowUp


async def collect_follow_ups(client: PortalClient) -> int:
    """Store every follow-up that waits, page by page, confirming each page; how many were new.

    What can't be opened later is shown as broken to who reads the thread; nothing is judged here, since nothing can be.
    The portal deletes confirmed follow-ups, so the list always starts at its beginning.
    """
    stored, after = 0, 0
    while True:
        page = await client.follow_ups(after)
        stored += await _store(page.entries)
        if page.entries:
            after = max(entry.sequence for entry in page.entries)
            await client.follow_ups_collected(after)
        if not page.more or not page.entries:
            return stored


async def _store(entries: tuple[WaitingFollowUp, ...]) -> int:
    records = {
        (identifier := _id(entry)): FollowUpRecord(
            id=identifier,
            sequence=entry.sequence,
            submission=entry.submission,
            day=entry.day,
            sealed=entry.sealed,
        )
        for entry in entries
    }
    known: list[Any] = await FollowUpRecord.filter(id__in=list(records)).values_list("id", flat=True)
    fresh = [record for identifier, record in records.items() if identifier not in known]
    await FollowUpRecord.bulk_create(fresh)
    return len(fresh)


def _id(entry: WaitingFollowUp) -> MessageId:
    """The message id; what came as no bytes at all is told apart by its sequence."""
    return message_id(entry.sealed or entry.sequence.to_bytes(8, "big"))
