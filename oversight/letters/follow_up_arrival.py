# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follow-ups on their way in: stored as they came, sealed, and confirmed only when they are durable.

The list is read on from where it ended; in a whole round from its beginning, so that a portal that counts anew hides
nothing. A receipt names every message by its id: the portal deletes those and no others. docs/protocol.md §9.3.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from crypto.follow_up_receipt import MESSAGES_MAX, FollowUpReceipt
from crypto.ids import MessageId
from crypto.message import message_id
from oversight.commission.charters import current_charter
from oversight.letters.records import FollowUpRecord
from oversight.letters.thread_notes import mark_stale
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from oversight.wire.portal_client import PortalClient, PortalRefused
from oversight.wire.portal_responses import WaitingFollowUp
from portal.kit.database import transaction


async def collect_follow_ups(client: PortalClient, *, whole: bool, today: date) -> int:
    """Store every follow-up that is new, page by page, then confirm what is here; how many were new.

    What can't be opened later is shown as broken to who reads the thread; nothing is judged here, since nothing can be.
    """
    state = await CollectorStateRecord.get(id=STATE_ROW)
    stored, after = 0, 0 if whole else state.follow_ups_after
    listed: set[MessageId] = set()
    while True:
        page = await client.follow_ups(after)
        stored += await _store(page.entries)
        listed |= {message_id(entry.sealed) for entry in page.entries if entry.sealed}
        highest = max((entry.sequence for entry in page.entries), default=after)
        await CollectorStateRecord.filter(id=STATE_ROW, follow_ups_after__lt=highest).update(follow_ups_after=highest)
        if not page.more or highest <= after:
            break
        after = highest
    waiting: list[Any] = await FollowUpRecord.filter(confirmed=False).values_list("id", flat=True)
    # A portal that was restored has lost earlier receipts: in a whole round it gets them again.
    await _confirm(client, {*waiting, *(listed if whole else ())}, today)
    return stored


async def _confirm(client: PortalClient, messages: Iterable[MessageId], today: date) -> None:
    """Sign receipts of at most 100 messages each; one that is refused does not hold up the others."""
    realm = (await current_charter()).realm
    ordered = sorted(messages)
    refusal: PortalRefused | None = None
    for start in range(0, len(ordered), MESSAGES_MAX):
        batch = tuple(ordered[start : start + MESSAGES_MAX])
        receipt = FollowUpReceipt(realm, batch, today).sign(client.office_key)
        try:
            await client.follow_ups_collected(receipt.encode())
        except PortalRefused as error:
            refusal = refusal or error
            continue
        await FollowUpRecord.filter(id__in=list(batch)).update(confirmed=True)
    if refusal is not None:
        raise refusal


async def _store(entries: tuple[WaitingFollowUp, ...]) -> int:
    records = {
        (identifier := _id(entry)): FollowUpRecord(
            id=identifier,
            sequence=entry.sequence,
            submission=entry.submission,
            day=entry.day,
            sealed=entry.sealed,
            # Of what came as no bytes there is nothing to confirm.
            confirmed=not entry.sealed,
        )
        for entry in entries
    }
    known: list[Any] = await FollowUpRecord.filter(id__in=list(records)).values_list("id", flat=True)
    fresh = [record for identifier, record in records.items() if identifier not in known]
    async with transaction():
        await FollowUpRecord.bulk_create(fresh)
        await mark_stale(record.submission for record in fresh)
    return len(fresh)


def _id(entry: WaitingFollowUp) -> MessageId:
    """The message id; what came as no bytes at all is told apart by its sequence."""
    return message_id(entry.sealed or entry.sequence.to_bytes(8, "big"))
