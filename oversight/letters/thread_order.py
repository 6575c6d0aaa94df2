# SPDX-License-Identifier: AGPL-3.0-or-later
"""The order of a thread's letters, and which of them stand on a page: known without opening or even loading them.

A letter's place counts from 1, oldest first. The days are those on which letters came and were written here; on one day
the reporter's stand before ours. A thread may have tens of thousands of follow-ups, and has few replies: members write
them by hand.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any, Self

from tortoise.expressions import Q
from tortoise.functions import Count

from crypto.ids import MessageId, SubmissionId
from oversight.letters.records import FollowUpRecord, ReplyRecord

PAGE_LETTERS = 50


@dataclass(frozen=True)
class ThreadPage:
    """Letters ``first`` to ``last`` of ``total``, by their places, and their ids of both kinds."""

    first: int
    last: int
    total: int
    follow_ups: tuple[MessageId, ...]
    replies: tuple[MessageId, ...]
    follow_ups_in_all: int

    @property
    def earlier(self) -> int:
        """The last place of the page before, 0 for none."""
        return self.first - 1

    @property
    def later(self) -> int:
        """The last place of the page after, 0 for none."""
        return min(self.last + PAGE_LETTERS, self.total) if self.last < self.total else 0

    @property
    def with_others(self) -> int:
        """The last place of the page on which the last of these letters stands."""
        return self.total - (self.total - self.last) // PAGE_LETTERS * PAGE_LETTERS


async def find_page(submission: SubmissionId, last: str) -> ThreadPage:
    """The page that ends with the letter at place ``last``; the newest for a text that is no place of this thread."""
    order = await _Order.load(submission)
    asked = int(last) if re.fullmatch(r"[0-9]{1,9}", last, re.ASCII) else 0
    end = asked if 1 <= asked <= order.total else order.total
    return await order.page(max(0, end - PAGE_LETTERS), end)


async def page_of(submission: SubmissionId, letter: MessageId) -> ThreadPage | None:
    """This letter alone, or None when the thread has no such letter."""
    order = await _Order.load(submission)
    place = await order.place_of(letter)
    return None if place is None else await order.page(place - 1, place)


@dataclass(frozen=True)
class _Order:
    """``replies`` are ours in their order; ``days`` those on which follow-ups came, ``sums`` how many had come by then.

    ``places`` are those of the replies.
    """

    submission: SubmissionId
    replies: Sequence[tuple[MessageId, date]]
    days: Sequence[date]
    sums: Sequence[int]

    @classmethod
    async def load(cls, submission: SubmissionId) -> Self:
        replies: list[Any] = (
            await ReplyRecord.filter(submission=submission).order_by("day", "number").values_list("id", "day")
        )
        counts: list[Any] = (
            await FollowUpRecord.filter(submission=submission)
            .annotate(came=Count("id"))
            .group_by("day")
            .order_by("day")
            .values_list("day", "came")
        )
        return cls(submission, replies, [day for day, _ in counts], list(accumulate(came for _, came in counts)))

    @property
    def follow_ups(self) -> int:
        return self.sums[-1] if self.sums else 0

    @property
    def total(self) -> int:
        return self.follow_ups + len(self.replies)

    @property
    def places(self) -> list[int]:
        return [index + self._came_by(day) for index, (_, day) in enumerate(self.replies, 1)]

    async def place_of(self, letter: MessageId) -> int | None:
        for (identifier, _), place in zip(self.replies, self.places, strict=True):
            if identifier == letter:
                return place
        came = FollowUpRecord.filter(submission=self.submission)
        found = await came.filter(id=letter).only("id", "day", "sequence").first()
        if found is None:
            return None
        before = Q(day__lt=found.day) | Q(day=found.day, sequence__lt=found.sequence)
        same = Q(day=found.day, sequence=found.sequence, id__lt=found.id)
        ours = sum(day < found.day for _, day in self.replies)
        return await came.filter(before | same).count() + ours + 1

    async def page(self, start: int, end: int) -> ThreadPage:
        """The letters after place ``start`` up to place ``end``."""
        places = self.places
        before = bisect_right(places, start)
        ours = [identifier for identifier, _ in self.replies[before : bisect_right(places, end)]]
        came = FollowUpRecord.filter(submission=self.submission).order_by("day", "sequence", "id")
        count = end - start - len(ours)
        theirs: list[Any] = await came.offset(start - before).limit(count).values_list("id", flat=True) if count else []
        return ThreadPage(start + 1, end, self.total, tuple(theirs), tuple(ours), self.follow_ups)

    def _came_by(self, day: date) -> int:
        """How many follow-ups had come at the end of a day."""
        index = bisect_right(self.days, day)
        return self.sums[index - 1] if index else 0
