# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting any number of rows: others read and write between one batch and the next.

How many there are is up to strangers, and a transaction keeps all others waiting for as long as it takes.
"""

from typing import Any

from tortoise.queryset import QuerySet

from portal.kit.columns import UnreadableError


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
