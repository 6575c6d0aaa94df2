# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting any number of rows whose time is over: others read and write between one batch and the next.

How many there are is up to strangers, and a transaction keeps all others waiting for as long as it takes.
"""

from datetime import date
from typing import Any

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from portal.kit.columns import YEAR_MIN, UnreadableError

EARLIEST = date(YEAR_MIN, 1, 1)
MESSAGES_AT_ONCE = 32
"""Of replies and follow-ups, each of up to 700 KiB."""


def is_over(day: date) -> Q:
    """Rows that are to be deleted from this day (``delete_from``) or an earlier one.

    To SQLite a damaged day is a text, and may come before all days.
    """
    return Q(delete_from__gt=EARLIEST, delete_from__lte=day)


async def delete_rows(rows: QuerySet[Any], at_once: int) -> None:
    """Delete rows, at most ``at_once`` in one transaction. It can be interrupted anywhere and repeated.

    Raises UnreadableError when nothing is left but rows whose keys are damaged.
    """
    key = rows.model._meta.pk_attr
    before: list[Any] = []
    while found := await rows.limit(at_once).values_list(key, flat=True):
        if found == before:
            raise UnreadableError
        await rows.model.filter(pk__in=found).delete()
        before = found
