# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting any number of rows: others read and write between one batch and the next.

How many there are is up to strangers, and a transaction keeps all others waiting for as long as it takes.
"""

from typing import Any

from tortoise.queryset import QuerySet


async def delete_rows(rows: QuerySet[Any], at_once: int) -> None:
    """Delete rows, at most ``at_once`` in one transaction. It can be interrupted anywhere and repeated."""
    key = rows.model._meta.pk_attr
    while found := await rows.limit(at_once).values_list(key, flat=True):
        await rows.model.filter(pk__in=found).delete()
