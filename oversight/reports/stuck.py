# SPDX-License-Identifier: AGPL-3.0-or-later
"""What lies at the portal and can't be taken: rows that the queue shows, tried again ever later.

A portal that invents entries must not fill this table: there is room for so many rows of submissions, for fewer of
those that the portal did not even sign for, and what finds none is counted in one row for each problem. A submission
without a row is tried whenever the whole list is read.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from crypto.ids import SubmissionId
from oversight.reports.records import StuckArrivalRecord, SubmissionRecord
from oversight.wire.retry import is_due
from portal.kit.columns import readable

SUBMISSION = "submission"
FOLLOW_UP = "follow-up"
CONTROL = "control"
# What stands in the place of an item's name where a row counts several.
MANY = "*"
RETRY_MINUTES_FIRST = 10
RETRY_MINUTES_MAX = 24 * 60
ROWS_MAX = 500
UNPROVEN_ROWS_MAX = 50
UNPROVEN = frozenset({"manifest", "charter", "acknowledgement", "day", "conflict", "too-large"})
"""Problems of what nobody vouches for: it costs whoever runs the portal nothing to invent it."""
GONE = "gone"
NO_ROOM = "no-room"
HELD_BACK = "today"
"""Nothing is wrong with it: more came in one day than is taken in one."""
GONE_DAYS_KEPT = 30


async def resting(now: datetime) -> set[str]:
    """The submissions that are not to be tried yet."""
    rows = await StuckArrivalRecord.filter(kind=SUBMISSION)
    return {row.item for row in rows if row.rests(now)}


async def any_due(now: datetime) -> bool:
    """Whether the time has come for one."""
    return await StuckArrivalRecord.filter(is_due(now), kind=SUBMISSION).exists()


async def write_down(submission: SubmissionId, problem: str, file: str | None, now: datetime) -> bool:
    """Keep why a submission can't be taken, and when it is tried again; False when there is no room for its row."""
    row = await StuckArrivalRecord.get_or_none(kind=SUBMISSION, item=submission)
    if row is None and not await _is_room(problem):
        return False
    row = row or StuckArrivalRecord(kind=SUBMISSION, item=submission, attempts=0)
    row.file = file
    await postpone(row, problem, now)
    return True


async def postpone(row: StuckArrivalRecord, problem: str, now: datetime) -> None:
    """Save the row with its next attempt, each time twice as far off, up to a day."""
    due = now + timedelta(minutes=min(RETRY_MINUTES_FIRST * 2 ** readable(row.attempts, 0), RETRY_MINUTES_MAX))
    # At a full hour: the office collects within a minute, so that anything more exact would tell when the report came.
    row.fail(problem, now, due.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
    await row.save()


async def are_taken(submissions: Iterable[SubmissionId]) -> None:
    """Nothing is wrong with these any more."""
    await StuckArrivalRecord.filter(kind=SUBMISSION, item__in=list(submissions)).delete()


async def count_passed(kind: str, passed: Counter[str], today: date, *, whole: bool) -> None:
    """Keep how many entries of a list were passed over, one row for each reason; ``whole`` after its whole round."""
    for problem, count in passed.items():
        row = await StuckArrivalRecord.get_or_none(kind=kind, item=MANY + problem)
        if count and row is None:
            row = StuckArrivalRecord(kind=kind, item=MANY + problem, problem=problem, failing_since=today, count=0)
        if count and row is not None:
            row.count = count if whole else max(count, readable(row.count, 0))
            await row.save()
    if whole:
        left = [MANY + problem for problem, count in passed.items() if count]
        await StuckArrivalRecord.filter(kind=kind, item__startswith=MANY).exclude(item__in=left).delete()


async def miss_unlisted(listed: set[str], now: datetime) -> None:
    """After a whole round: submissions that the portal does not show any more. They are forgotten after a while.

    One that is stored is forgotten at once: what was shown under its id was not it.
    """
    due = await StuckArrivalRecord.filter(is_due(now), kind=SUBMISSION)
    missing = [row for row in due if row.item not in listed and not row.item.startswith(MANY)]
    stored = {row.id for row in await SubmissionRecord.filter(id__in=[row.item for row in missing]).only("id")}
    for row in missing:
        since = readable(row.failing_since, None) or now.date()
        if row.item in stored or since + timedelta(days=GONE_DAYS_KEPT) < now.date():
            await row.delete()
        else:
            await postpone(row, GONE, now)


async def try_again(now: datetime, *problems: str) -> None:
    """Let the next visit try what has these problems, or everything."""
    rows = StuckArrivalRecord.filter(kind=SUBMISSION, try_again__gt=now)
    await (rows.filter(problem__in=problems) if problems else rows).update(try_again=now)


async def _is_room(problem: str) -> bool:
    """Whether there is room for one more row; what the portal no longer shows makes some."""
    rows = StuckArrivalRecord.filter(kind=SUBMISSION).exclude(item__startswith=MANY)
    if problem in UNPROVEN:
        return await rows.filter(problem__in=list(UNPROVEN)).count() < UNPROVEN_ROWS_MAX
    if await rows.count() < ROWS_MAX:
        return True
    oldest = await rows.filter(problem=GONE).order_by("failing_since").first()
    if oldest is not None:
        await oldest.delete()
    return oldest is not None
