# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submissions that can't be collected as they are: rows that the queue shows, and that are tried again ever later."""

from datetime import datetime, timedelta

from oversight.reports.arrival import DamagedArrivalError
from oversight.reports.records import DamagedArrivalRecord
from oversight.wire.portal_responses import WaitingSubmission

RETRY_MINUTES_FIRST = 10
RETRY_MINUTES_MAX = 24 * 60


async def record_damage(entry: WaitingSubmission, error: DamagedArrivalError, now: datetime) -> None:
    """Write down what is wrong with a submission, and when it is tried again."""
    row = await DamagedArrivalRecord.get_or_none(sequence=entry.sequence)
    if row is None:
        row = DamagedArrivalRecord(sequence=entry.sequence, first_seen=now.date(), attempts=0)
    row.submission, row.problem, row.file = entry.submission, error.problem, error.file
    await postpone(row, now)


async def postpone(row: DamagedArrivalRecord, now: datetime) -> None:
    """Save the row with its next attempt, each time twice as far off, up to a day."""
    due = now + timedelta(minutes=min(RETRY_MINUTES_FIRST * 2**row.attempts, RETRY_MINUTES_MAX))
    # At a full hour: the office collects within a minute, so that anything more exact would tell when the report came.
    row.try_again = due.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    row.attempts = min(row.attempts + 1, 30)
    await row.save()
