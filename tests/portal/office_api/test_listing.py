# SPDX-License-Identifier: AGPL-3.0-or-later
"""A page of a list ends by count or by bytes, and gets on by one entry at least."""

import pytest

from portal.office_api.listing import PAGE, PAGE_BYTES, first_page


@pytest.mark.parametrize(
    ("sizes", "count", "more"),
    [
        ([], 0, False),
        ([1] * PAGE, PAGE, False),
        ([1] * (PAGE + 1), PAGE, True),
        ([PAGE_BYTES // 4] * 4, 4, False),
        ([PAGE_BYTES // 4] * 5, 4, True),
        ([PAGE_BYTES * 9], 1, False),
        ([PAGE_BYTES * 9, 1], 1, True),
    ],
)
def test_a_page_ends_at_its_count_or_its_bytes(sizes: list[int], count: int, more: bool) -> None:
    page, goes_on = first_page(sizes, lambda size: size)
    assert (len(page), goes_on) == (count, more)
