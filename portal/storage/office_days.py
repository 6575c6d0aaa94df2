# SPDX-License-Identifier: AGPL-3.0-or-later
"""The day that each commission's office signed last: the second of the two by which the portal deletes what belongs to
a commission (docs/protocol.md §10.1).

A portal whose clock runs ahead hears nothing from an office, so this day stays where it was. An office that is gone
signs none any more: from the ``SILENT_DAYS``-th day on which the portal lived without one, each further such day counts
as if it had been signed. No jump of a clock does.
"""

import re
from contextlib import suppress
from datetime import date, timedelta

from tortoise.expressions import F

from crypto.charter import SLUG
from portal.kit.columns import readable
from portal.storage.database import transaction
from portal.storage.errors import DuplicateError
from portal.storage.records import CharterRecord, OfficeDayRecord, SweptDayRecord

# An office's clock may be a little wrong, and past midnight before the portal's is.
DAYS_AHEAD_MAX = 1
SILENT_DAYS = 180
SWEPT_ROW = 1


async def first_day_of_grace(today: date, signed: date) -> date:
    """The later one of the portal's day and a signed one; at the latest tomorrow.

    The portal's day is not before that of its last sweep: what is confirmed while both clocks are behind would have no
    grace left once they are right.
    """
    today = max(today, await last_swept_day() or today)
    return max(today, min(signed, today + timedelta(days=DAYS_AHEAD_MAX)))


async def last_swept_day() -> date | None:
    """The day of the portal's last sweep whose clock was believed (``clock_watch``)."""
    row = await SweptDayRecord.get_or_none(id=SWEPT_ROW)
    return readable(row.day, None) if row else None


async def sign_day(slug: str, day: date, today: date) -> None:
    """Keep a day that a commission's office signed, unless a later one is there. In a change (``GroupCommit.apply``).

    One that is still to come was kept while both clocks were ahead: it gives way.
    """
    there = await OfficeDayRecord.get_or_none(slug=slug)
    if there is None:
        await OfficeDayRecord.create(slug=slug, day=day)
        return
    kept = readable(there.day, date.min)
    if day > kept or kept > today + timedelta(days=DAYS_AHEAD_MAX):
        await OfficeDayRecord.filter(slug=slug).update(day=day, silent=0)


async def count_day() -> None:
    """The portal has lived a day since every office signed last."""
    await OfficeDayRecord.filter(silent__gte=0).update(silent=F("silent") + 1)


async def add_missing(today: date) -> None:
    """A commission whose office never signed a day has one from now on, so that there is an end for it too."""
    slugs = {str(slug) for slug in await CharterRecord.all().distinct().values_list("slug", flat=True)}
    there = {row.slug for row in await OfficeDayRecord.all()}
    for slug in sorted(each for each in slugs - there if re.fullmatch(SLUG, each)):
        # Another process may have been quicker.
        with suppress(DuplicateError):
            async with transaction():
                await OfficeDayRecord.create(slug=slug, day=today)


async def days_of_both(today: date) -> dict[str, date]:
    """Up to which day of deletion each commission's rows may go: the earlier one of the two days.

    What is damaged is left out: nothing of that commission is deleted until its office signs another day.
    """
    found = {}
    for row in await OfficeDayRecord.all().order_by("slug"):
        day, silent = readable(row.day, None), readable(row.silent, 0)
        if day is not None:
            left = max(0, (today - day).days)
            found[str(row.slug)] = min(today, day + timedelta(days=min(left, max(0, silent - SILENT_DAYS))))
    return found
