# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue of one member: what the member's index opens, filtered, ordered, cut into pages by key.

The order is urgency first, in it surrender first, then the newest. All of it happens in memory after opening the index:
the fields of the filters are stored nowhere in the clear.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tortoise.functions import Count

from crypto.errors import CryptoError
from crypto.ids import MemberLabel, SubmissionId
from crypto.taxonomy import COUNTRY
from oversight.letters.records import FollowUpRecord
from oversight.members.sessions import OpenSession
from oversight.reports.records import IndexEntryRecord, SubmissionRecord
from oversight.reports.summary import Summary, open_summary
from oversight.reports.urgency import Level, names_surrender

PAGE_ROWS = 50
# Entries dropped at once: as many as one statement names.
UNREADABLE_MAX = 500
STATES = ("new", "opened", "answered")
_STATE_CONDITIONS: dict[str, dict[str, Any]] = {
    "new": {"opened_on": None, "answered_on": None},
    "opened": {"opened_on__isnull": False, "answered_on": None},
    "answered": {"answered_on__isnull": False},
}
LEVELS = {"now": Level.NOW, "soon": Level.SOON, "noted": Level.NOTED, "none": Level.NONE}

Key = tuple[int, int, int]


@dataclass(frozen=True)
class Filters:
    """What the queue is narrowed to; an empty text means everything."""

    state: str = ""
    country: str = ""
    urgency: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """From a page's query; a value that does not exist filters nothing."""
        state, urgency, country = query.get("state", ""), query.get("urgency", ""), query.get("country", "")
        return cls(
            state=state if state in STATES else "",
            country=country if re.fullmatch(COUNTRY, country) else "",
            urgency=urgency if urgency in LEVELS else "",
        )

    def query(self) -> dict[str, str]:
        """The parts of a link's query that keep these filters."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Row:
    """One report in the queue."""

    submission: SubmissionRecord
    summary: Summary
    unread: int
    level: Level

    @property
    def state(self) -> str:
        if self.submission.answered_on is not None:
            return "answered"
        return "new" if self.submission.opened_on is None else "opened"


@dataclass(frozen=True)
class QueuePage:
    """Rows of one page; ``following`` is the key to go on after.

    ``matching`` counts the rows on all pages, ``countries`` are those of the whole queue, whatever the filters.
    ``dropped`` entries of the index could not be read: they are missing here, and the next view makes them anew.
    """

    rows: tuple[Row, ...]
    following: str | None
    matching: int
    countries: frozenset[str]
    dropped: int


@dataclass(frozen=True)
class _Entry:
    submission: SubmissionId
    level: Level
    summary: Summary

    @property
    def key(self) -> Key:
        return (self.level, 0 if names_surrender(self.summary.urgency) else 1, -self.summary.number)


async def read_queue(session: OpenSession, filters: Filters, after: str = "") -> QueuePage:
    """One page of this member's queue. Reports without a grant for the member are not in it, nor counted."""
    entries, dropped = await _read_entries(session)
    entries = await _with_sealed_levels(entries)
    found = await _matching(entries, filters)
    found.sort(key=lambda entry: entry.key)
    cursor = _read_key(after)
    rest = [entry for entry in found if cursor is None or entry.key > cursor]
    page = rest[:PAGE_ROWS]
    return QueuePage(
        rows=await _rows(page),
        following=_write_key(page[-1].key) if len(rest) > PAGE_ROWS else None,
        matching=len(found),
        countries=frozenset(entry.summary.country for entry in entries if entry.summary.country),
        dropped=dropped,
    )


async def _read_entries(session: OpenSession) -> tuple[list[_Entry], int]:
    """The member's index. Entries that do not open are dropped, so that the next view rebuilds them; how many."""
    member = session.member.label
    sealed = await IndexEntryRecord.filter(member=member).values_list("submission_id", "sealed")
    entries, unreadable = await asyncio.to_thread(_open_entries, sealed, session.keyring.index_key, member)
    if unreadable:
        dropped = unreadable[:UNREADABLE_MAX]
        await IndexEntryRecord.filter(member=member, submission_id__in=dropped).delete()
    return entries, len(unreadable)


def _open_entries(
    sealed: Iterable[tuple[SubmissionId, bytes]], index_key: bytes, label: MemberLabel
) -> tuple[list[_Entry], list[SubmissionId]]:
    """Entries to show, and the submissions whose entry was sealed under another key or altered."""
    entries, unreadable = [], []
    for submission, data in sealed:
        try:
            summary = open_summary(data, index_key, label, submission)
        except CryptoError:
            unreadable.append(submission)
            continue
        if summary.access != "none":
            entries.append(_Entry(submission, summary.level, summary))
    return entries, unreadable


async def _with_sealed_levels(entries: list[_Entry]) -> list[_Entry]:
    """Of a report that could not be opened the office's own key may have read how urgent it is."""
    unopened = [entry.submission for entry in entries if entry.summary.access != "open"]
    if not unopened:
        return entries
    found: list[Any] = await SubmissionRecord.filter(id__in=unopened).values_list("id", "urgency")
    levels = {submission: LEVELS.get(level, Level.NOTED) for submission, level in found if level is not None}
    return [replace(entry, level=levels.get(entry.submission, entry.level)) for entry in entries]


async def _matching(entries: list[_Entry], filters: Filters) -> list[_Entry]:
    found = entries
    if filters.country:
        found = [entry for entry in found if entry.summary.country == filters.country]
    if filters.urgency:
        found = [entry for entry in found if entry.level == LEVELS[filters.urgency]]
    if filters.state:
        ids: list[Any] = await SubmissionRecord.filter(**_STATE_CONDITIONS[filters.state]).values_list("id", flat=True)
        wanted = set(ids)
        found = [entry for entry in found if entry.submission in wanted]
    return found


async def _rows(page: list[_Entry]) -> tuple[Row, ...]:
    ids = [entry.submission for entry in page]
    submissions = {row.id: row for row in await SubmissionRecord.filter(id__in=ids)}
    unread = await _unread(ids)
    return tuple(
        Row(submissions[entry.submission], entry.summary, unread.get(entry.submission, 0), entry.level)
        for entry in page
        if entry.submission in submissions
    )


async def _unread(submissions: Iterable[SubmissionId]) -> dict[SubmissionId, int]:
    counts = (
        await FollowUpRecord.filter(submission__in=list(submissions), seen_on=None)
        .annotate(unread=Count("id"))
        .group_by("submission")
        .values_list("submission", "unread")
    )
    return dict(counts)


def _write_key(key: Key) -> str:
    return f"{key[0]}.{key[1]}.{-key[2]}"


def _read_key(text: str) -> Key | None:
    """The key of a link, or nothing for a text that is none: then the page begins at the top."""
    found = re.fullmatch(r"([0-9])\.([01])\.([0-9]{1,9})", text, re.ASCII)
    return None if found is None else (int(found[1]), int(found[2]), -int(found[3]))
