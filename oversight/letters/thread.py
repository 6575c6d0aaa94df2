# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letters of one report, a page of them at a time: no number of them makes a page long, or keeps the office busy.

Follow-ups are numbered by the reporter's device, so that one that is missing or forged shows (docs/protocol.md §9.2,
§9.3). Each is compared with all others of its thread, wherever they stand; those that nobody has opened yet are opened
for it, for a limited time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any

from crypto.charter import Charter
from crypto.ids import MemberLabel, MessageId
from crypto.message import FollowUp
from oversight.letters.letter_reader import Letter, LetterReader, Trouble
from oversight.letters.numbers import Numbers, Place
from oversight.letters.records import FollowUpRecord, PostingRecord, ReplyRecord
from oversight.letters.thread_order import ThreadPage, find_page, page_of
from oversight.reports.opening import OpenedReport
from oversight.reports.records import SubmissionRecord
from portal.kit.unwritable import if_writable

# Opened between two looks at the time.
BATCH = 20
SECONDS_MAX = 1.0


@dataclass(frozen=True)
class OpenedThread:
    """The letters of one page, oldest first; on one day the reporter's stand before ours.

    ``missing`` are the reporter's messages that should be here, as ranges from the first to the last number of each:
    known once all were compared. ``uncompared`` is how many were not, and ``behind`` says that this member lacks the
    keys for it. ``shown`` are the ids of the follow-ups that this member could look at.
    """

    letters: tuple[Letter, ...]
    page: ThreadPage
    missing: tuple[tuple[int, int], ...]
    uncompared: int
    behind: bool
    shown: tuple[MessageId, ...]


class ThreadReader:
    """Reads the thread of one report as far as the member's keys open it."""

    def __init__(self, submission: SubmissionRecord, opened: OpenedReport, charters: Sequence[Charter]) -> None:
        self.submission = submission.id
        self.reader = LetterReader(opened, charters, behind=opened.identities.newest < submission.generation)

    async def page(self, last: str) -> OpenedThread:
        """The page that ends with the letter at place ``last``, the newest for none."""
        return await self._read(await find_page(self.submission, last))

    async def letter(self, identifier: MessageId) -> OpenedThread | None:
        """One letter alone; None when the thread has no such letter."""
        page = await page_of(self.submission, identifier)
        return None if page is None else await self._read(page)

    async def _read(self, page: ThreadPage) -> OpenedThread:
        reader = self.reader
        rows = await FollowUpRecord.filter(id__in=page.follow_ups).order_by("sequence")
        found = await asyncio.to_thread(reader.open_all, rows)
        places = await self._places(rows, found, page)
        known = await asyncio.to_thread(Numbers, places)
        came = await asyncio.to_thread(
            lambda: [reader.show_follow_up(row, opened, known) for row, opened in zip(rows, found, strict=True)]
        )
        came.sort(key=lambda letter: (letter.day, letter.number))
        uncompared = page.follow_ups_in_all - len(places.keys() | set(page.follow_ups))
        return OpenedThread(
            letters=tuple(sorted([*came, *await self._replies(page)], key=lambda letter: letter.day)),
            page=page,
            missing=() if uncompared else tuple(known.missing()),
            uncompared=uncompared,
            behind=reader.behind,
            shown=tuple(row.id for row, opened in zip(rows, found, strict=True) if opened != "locked"),
        )

    async def _replies(self, page: ThreadPage) -> list[Letter]:
        rows = await ReplyRecord.filter(id__in=page.replies).order_by("number")
        postings = await PostingRecord.filter(message__in=page.replies).only("message", "number")
        numbers = {posting.message: posting.number for posting in postings}
        return await asyncio.to_thread(lambda: [self.reader.show_reply(row, numbers.get(row.id, 0)) for row in rows])

    async def _places(
        self, rows: Sequence[FollowUpRecord], found: Sequence[FollowUp | Trouble], page: ThreadPage
    ) -> dict[MessageId, Place]:
        """Where each message of the thread stands that was opened once: now, or for an earlier page."""
        news = {**await self._compare(page), **await _learn(rows, found)}
        learned = FollowUpRecord.filter(submission=self.submission, number__isnull=False)
        rows_of_all: list[Any] = await learned.values_list("id", "number", "generation")
        stored: dict[MessageId, Place] = {row: (number, generation) for row, number, generation in rows_of_all}
        return {**stored, **news}

    async def _compare(self, page: ThreadPage) -> dict[MessageId, Place]:
        """Open messages of other pages that nobody opened yet, oldest first, until none is left or the time is over."""
        news: dict[MessageId, Place] = {}
        started, after = monotonic(), -1
        while not self.reader.behind and monotonic() - started < SECONDS_MAX:
            unopened = FollowUpRecord.filter(submission=self.submission, number=None, sequence__gt=after)
            batch = await unopened.exclude(id__in=page.follow_ups).order_by("sequence").limit(BATCH)
            if not batch:
                break
            news |= await _learn(batch, await asyncio.to_thread(self.reader.open_all, batch))
            after = batch[-1].sequence
        return news


async def mark_seen(thread: OpenedThread, label: MemberLabel, today: date) -> None:
    """The follow-ups that could be looked at were shown to a member."""
    shown = FollowUpRecord.filter(id__in=list(thread.shown), seen_on=None)
    await shown.update(seen_on=today, seen_by=label)


async def _learn(rows: Sequence[FollowUpRecord], found: Sequence[FollowUp | Trouble]) -> dict[MessageId, Place]:
    """Where these messages stand, which were just opened; it is kept in their rows, if anything can be written."""
    news: dict[MessageId, Place] = {}
    changed = []
    for row, opened in zip(rows, found, strict=True):
        if opened == "locked":
            continue
        place = (opened.number, opened.generation) if isinstance(opened, FollowUp) else (0, 0)
        news[row.id] = place
        if (row.number, row.generation) != place:
            row.number, row.generation = place
            changed.append(row)
    with if_writable():
        if changed:
            await FollowUpRecord.bulk_update(changed, ["number", "generation"])
    return news
