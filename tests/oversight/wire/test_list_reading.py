# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rounds through a list that is longer than one visit reads."""

import pytest

from oversight.wire import list_reading
from oversight.wire.list_reading import ListReading
from oversight.wire.portal_responses import Page

LAST = 3


async def visit(reading: ListReading) -> list[int]:
    """What one visit meets, a page of one entry at a time."""

    async def fetch(after: int) -> Page[int]:
        return Page((after + 1,), more=after + 1 < LAST, highest=after + 1, unreadable=0)

    met = [entry async for entries in reading.pages(fetch) for entry in entries]
    if reading.whole and reading.ended:
        reading.finish_round()
    return met


async def test_another_round_that_is_asked_for_begins_when_the_one_under_way_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(list_reading, "PAGES_MAX", 1)
    reading, met = ListReading(), []
    for _ in range(2 * LAST):
        met += await visit(reading)
        if len(met) < LAST:
            reading.ask_again()
    assert met == [1, 2, 3, 1, 2, 3]
    assert not reading.whole


async def test_without_one_under_way_it_begins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_reading, "PAGES_MAX", 1)
    reading = ListReading()
    for _ in range(LAST):
        await visit(reading)
    reading.ask_again()
    assert [await visit(reading) for _ in range(LAST)] == [[1], [2], [3]]
