# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follow-ups on their way in: stored as they came, sealed, and confirmed only when they are durable.

A receipt names every message by its id: the portal deletes those and no others. docs/protocol.md §9.3.

What can't be opened later is shown as broken to who reads the thread; nothing is judged here, since nothing can be. So
what whoever holds the portal may invent is bounded by number: follow-ups of reports that are here, so many of one
mailbox and of all in a day. The others stay where they are, unconfirmed, and are met again in the next whole round.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from tortoise.functions import Count

from crypto.follow_up_receipt import MESSAGES_MAX, FollowUpReceipt
from crypto.ids import MessageId, SubmissionId
from crypto.message import message_id
from oversight.commission.charters import current_charter
from oversight.letters.mailbox_commands import UNKNOWN
from oversight.letters.mailbox_states import mark_states_stale
from oversight.letters.records import FollowUpRecord
from oversight.letters.thread_notes import mark_stale
from oversight.reports.records import SubmissionRecord
from oversight.reports.stuck import FOLLOW_UP, HELD_BACK, count_passed
from oversight.wire.list_reading import ListReading
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalAway, PortalError
from oversight.wire.portal_responses import WaitingFollowUp
from portal.kit.columns import is_unset
from portal.kit.database import transaction
from portal.kit.unwritable import why_unwritable

LOG = logging.getLogger("oversight.letters")
UNKEPT = "unkept"
# A portal keeps 256 of one mailbox that were not confirmed.
MAILBOX_PER_DAY_MAX = 512
PER_DAY_MAX = 10_000
_MESSAGE_ID = "[0-9a-f]{32}"


async def collect_follow_ups(
    client: PortalClient, reading: ListReading, today: date, turn: int, shares: int = 1
) -> int:
    """Store every follow-up that is new, page by page, then confirm what is here; how many were new.

    Receipts begin at another message in each ``turn``; ``shares`` times as many are stored as in any other day.
    """
    stored = 0
    listed: set[MessageId] = set()
    async for entries in reading.pages(client.follow_ups):
        stored += await _store(entries, reading.passed, today, shares)
        # A portal that was restored has lost earlier receipts: in a whole round it gets them again.
        listed |= await _held(entries) if reading.whole else set()
    whole = reading.whole and reading.ended
    await count_passed(FOLLOW_UP, reading.passed, today, whole=whole)
    if whole:
        reading.finish_round()
    waiting: list[Any] = await FollowUpRecord.filter(is_unset("confirmed")).values_list("id", flat=True)
    await _confirm(client, {*waiting, *listed}, today, turn)
    return stored


async def _confirm(client: PortalClient, messages: Iterable[MessageId], today: date, turn: int) -> None:
    """Sign receipts of at most 100 messages each; one that is refused does not hold up the others."""
    realm = (await current_charter()).realm
    # A damaged name is none that the portal knows.
    ordered = sorted(message for message in messages if re.fullmatch(_MESSAGE_ID, message))
    batches = [tuple(ordered[start : start + MESSAGES_MAX]) for start in range(0, len(ordered), MESSAGES_MAX)]
    start = turn % len(batches) if batches else 0
    failure: PortalError | None = None
    for batch in [*batches[start:], *batches[:start]]:
        receipt = FollowUpReceipt(realm, batch, today).sign(client.office_key)
        try:
            await client.follow_ups_collected(receipt.encode())
        except PortalAway:
            raise
        except PortalError as error:
            failure = failure or error
            continue
        await FollowUpRecord.filter(id__in=list(batch)).update(confirmed=True)
    if failure is not None:
        raise failure


async def _store(entries: tuple[WaitingFollowUp, ...], passed: Counter[str], today: date, shares: int) -> int:
    """Store those of a page that are new and within today's bounds; count the others in ``passed``."""
    waiting = {message_id(entry.sealed): entry for entry in entries}
    for known in await _held(entries):
        del waiting[known]
    here = await _reports({entry.submission for entry in waiting.values()})
    counts = await _today({entry.submission for entry in waiting.values()}, today)
    left = PER_DAY_MAX * shares - await FollowUpRecord.filter(collected=today).count()
    fresh: list[FollowUpRecord] = []
    for identifier, entry in waiting.items():
        if entry.submission not in here:
            passed[UNKNOWN] += 1
        elif len(fresh) >= left or counts[entry.submission] >= MAILBOX_PER_DAY_MAX * shares:
            passed[HELD_BACK] += 1
        else:
            counts[entry.submission] += 1
            fresh.append(_record(identifier, entry, today))
    kept = await _keep_all(fresh)
    passed[UNKEPT] += len(fresh) - kept
    return kept


async def _keep_all(fresh: list[FollowUpRecord]) -> int:
    """How many are durable: all at once, or each for itself when one of them keeps the others from it.

    Raises what says that the disk or the database takes nothing: no other one would do better.
    """
    try:
        await _keep(fresh)
    except Exception as error:
        if isinstance(error, OSError) or why_unwritable(error) is not None:
            raise
        if len(fresh) == 1:
            LOG.error("a message can't be stored: %s", type(error).__name__)
            return 0
    else:
        return len(fresh)
    return sum([await _keep_all([record]) for record in fresh])


async def _keep(records: list[FollowUpRecord]) -> None:
    async with transaction():
        await FollowUpRecord.bulk_create(records)
        fresh = {record.submission for record in records}
        await mark_stale(fresh)
        await mark_states_stale(fresh)


def _record(identifier: MessageId, entry: WaitingFollowUp, today: date) -> FollowUpRecord:
    return FollowUpRecord(
        id=identifier,
        sequence=entry.sequence,
        submission=entry.submission,
        day=entry.day,
        collected=today,
        sealed=entry.sealed,
        confirmed=False,
    )


async def _held(entries: tuple[WaitingFollowUp, ...]) -> set[MessageId]:
    """Those of a page that are stored here."""
    named = [message_id(entry.sealed) for entry in entries]
    return {row.id for row in await FollowUpRecord.filter(id__in=named).only("id")}


async def _reports(submissions: set[SubmissionId]) -> set[SubmissionId]:
    return {row.id for row in await SubmissionRecord.filter(id__in=list(submissions)).only("id")}


async def _today(submissions: set[SubmissionId], today: date) -> Counter[SubmissionId]:
    """How many follow-ups of each came in today."""
    rows: list[Any] = (
        await FollowUpRecord.filter(submission__in=list(submissions), collected=today)
        .annotate(number=Count("id"))
        .group_by("submission")
        .values_list("submission", "number")
    )
    return Counter(dict(rows))
