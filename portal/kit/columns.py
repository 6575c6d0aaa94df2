# SPDX-License-Identifier: AGPL-3.0-or-later
"""Columns whose values have a type of their own, such as an id: ``case: Field[CaseId] = text_column(32)``."""

from typing import Any

from tortoise.fields import CharField


def text_column(max_length: int, **options: Any) -> Any:
    """A column of text of at most ``max_length`` characters; the annotation beside it says of which type."""
    return CharField(max_length=max_length, **options)
