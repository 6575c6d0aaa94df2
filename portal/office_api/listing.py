# SPDX-License-Identifier: AGPL-3.0-or-later
"""A page of a list for an office: at most 100 entries, and about 1 MiB of them (docs/protocol.md §10)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

PAGE = 100
PAGE_BYTES = 1024 * 1024
R = TypeVar("R")


def first_page(rows: Sequence[R], size: Callable[[R], int]) -> tuple[Sequence[R], bool]:
    """The rows of the page, one at least if there are any, and whether there are more; ``size`` in bytes.

    ``rows`` are at most ``PAGE + 1``: a slow line must get a page whole within the office's patience.
    """
    total = 0
    for number, row in enumerate(rows):
        total += size(row)
        if number == PAGE or (number and total > PAGE_BYTES):
            return rows[:number], True
    return rows, False
