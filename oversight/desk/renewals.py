# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renewing the keys of threads beside the queue, after somebody left the desk: no report has to be opened for it."""

import asyncio
import random
from collections.abc import Callable, Mapping
from time import monotonic

from tortoise.expressions import Q, Subquery

from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.ids import CharterHash
from oversight.cases.actor import Actor
from oversight.cases.thread_renewal import find_case, readers_of, renew_if_due
from oversight.reports.opening import OpenedReport, load_sealed, open_with_grant
from oversight.reports.records import SubmissionRecord, ThreadGrantRecord
from oversight.web.rows import attempt_later

SECONDS_MAX = 0.5


async def continue_renewals(
    actor: Actor,
    charters: Mapping[CharterHash, Charter],
    seconds_max: float = SECONDS_MAX,
    clock: Callable[[], float] = monotonic,
) -> int:
    """Renew threads that this member can renew, until none is left or the time is over; how many there were."""
    started, renewed = clock(), 0
    candidates = await _candidates(actor, charters)
    # Those that this member can't open must not stand in the way of others for ever.
    random.shuffle(candidates)
    for submission in candidates:
        if clock() - started >= seconds_max:
            break
        renewed += await attempt_later(_renew(actor, submission, charters)) or False
    return renewed


async def _renew(actor: Actor, submission: SubmissionRecord, charters: Mapping[CharterHash, Charter]) -> bool:
    readers = await readers_of(actor, submission, charters, await find_case(submission.id))
    if readers is None or not readers.is_stale:
        return False
    opened = await _open(actor, submission)
    return opened is not None and await renew_if_due(actor, submission, opened, charters)


async def _candidates(actor: Actor, charters: Mapping[CharterHash, Charter]) -> list[SubmissionRecord]:
    """Reports whose newest keys were granted under a charter with a reader who is none today."""
    today = {member.label for member in actor.charter.readers_on(actor.now.date())}
    left = [
        charter.hash
        for charter in charters.values()
        if not {member.label for member in charter.members if member.is_reader} <= today
    ]
    if not left:
        return []
    granted = ThreadGrantRecord.filter(charter__in=left).values("submission")
    return await SubmissionRecord.filter(Q(generation=0, charter__in=left) | Q(id__in=Subquery(granted)))


async def _open(actor: Actor, submission: SubmissionRecord) -> OpenedReport | None:
    """The report by the member's own grants; None for one that they do not open, whatever the reason."""
    [sealed] = await load_sealed([submission])
    try:
        return await asyncio.to_thread(open_with_grant, sealed, actor.identity, actor.charter.realm)
    except CryptoError:
        return None
