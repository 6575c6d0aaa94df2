# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member's index of the queue: built from the sealed reports, a bounded while at a time, only while unlocked."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from tortoise.expressions import Subquery

from crypto.age import PqIdentity
from crypto.charter import Charter
from crypto.errors import CryptoError, NotARecipientError
from crypto.ids import CharterHash, MemberLabel, SubmissionId
from oversight.members.sessions import OpenSession
from oversight.reports.opening import SealedReport, load_sealed, open_with_grant
from oversight.reports.records import IndexEntryRecord, SubmissionRecord
from oversight.reports.sealed_urgency import URGENT
from oversight.reports.summary import Summary, seal_summary, summarise
from oversight.web.rows import attempt, attempt_later
from portal.kit.database import STORAGE_ERRORS
from portal.kit.unwritable import why_unwritable

BATCH = 25
SECONDS_MAX = 1.5


@dataclass(frozen=True)
class Progress:
    """How many of the office's reports this member's index covers, whether they could be opened or not."""

    done: int
    total: int

    @property
    def finished(self) -> bool:
        return self.done >= self.total


async def continue_index(
    session: OpenSession,
    charters: Mapping[CharterHash, Charter],
    realm: str,
    seconds_max: float = SECONDS_MAX,
    clock: Callable[[], float] = monotonic,
) -> Progress:
    """Index reports that this member's index lacks, until none is left or the time is over.

    What the office's own key read as urgent comes first, and of the rest the newest.
    """
    started, lost = clock(), 0
    member = session.member.label
    while clock() - started < seconds_max:
        batch = await _next_batch(member)
        if not batch:
            break
        sealed = await load_sealed(batch)
        entries = await asyncio.to_thread(_seal_entries, sealed, session, charters, realm)
        try:
            await IndexEntryRecord.bulk_create(entries, ignore_conflicts=True)
        except STORAGE_ERRORS as error:
            if why_unwritable(error) is not None:
                # What is indexed already is shown all the same.
                break
            if not await _create_each(entries):
                lost = len(entries)
                break
    total = await SubmissionRecord.all().count() - lost
    return Progress(min(total, await IndexEntryRecord.filter(member=member).count()), total)


async def _next_batch(member: MemberLabel) -> list[SubmissionRecord]:
    """Reports that are not indexed yet: of those that hours count for, else those that days count for, else of all."""
    indexed = IndexEntryRecord.filter(member=member).values("submission_id")
    lacking = SubmissionRecord.exclude(id__in=Subquery(indexed)).order_by("-number").limit(BATCH)
    for level in URGENT:
        if batch := await lacking.filter(urgency=level):
            return batch
    return await lacking


async def _create_each(entries: list[IndexEntryRecord]) -> bool:
    """Entries one by one: of a report whose row is damaged none can be made. False when that is so of all."""

    async def create(entry: IndexEntryRecord) -> bool:
        await entry.save()
        return True

    return any([await attempt_later(create(entry)) for entry in entries])


def _seal_entries(
    batch: list[SealedReport], session: OpenSession, charters: Mapping[CharterHash, Charter], realm: str
) -> list[IndexEntryRecord]:
    member = session.member.label
    key, identity = session.keyring.index_key, session.identity
    entries = []
    for sealed in batch:
        # What fails is indexed as failed: it is not opened again for every view, until the member opens it.
        failed = Summary(access="failed", number=sealed.number)
        summary = attempt(partial(_summary, sealed, identity, charters, realm)) or failed
        data = attempt(partial(seal_summary, summary, key, member, sealed.submission))
        data = data or seal_summary(failed, key, member, sealed.submission)
        entries.append(IndexEntryRecord(member=member, submission_id=sealed.submission, sealed=data))
    return entries


def _summary(
    sealed: SealedReport, identity: PqIdentity, charters: Mapping[CharterHash, Charter], realm: str
) -> Summary:
    try:
        opened = open_with_grant(sealed, identity, realm)
    except NotARecipientError:
        return Summary(access="none", number=sealed.number)
    except CryptoError:
        return Summary(access="broken", number=sealed.number)
    return summarise(sealed.number, opened.report, charters[opened.report.charter])


async def forget_entry(member: MemberLabel, submission: SubmissionId) -> None:
    """Have the queue's next view index this report again: the member has opened it."""
    await IndexEntryRecord.filter(member=member, submission_id=submission).delete()
