# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue of one member: what the member's index opens, filtered, ordered, cut into pages by key.

The order is urgency first, then the newest. All of it happens in memory after opening the index: what a filter looks at
stands nowhere in the clear.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from tortoise.functions import Count

from crypto.errors import CryptoError
from oversight.intake.records import IndexEntry
from oversight.intake.summary import Summary, open_summary
from oversight.intake.urgency import Level
from oversight.letters.records import FollowUpRecord
from oversight.members.sessions import Unlocked

PAGE_ROWS = 50
STATES = ("new", "opened", "answered")
LEVELS = {"now": Level.NOW, "soon": Level.SOON, "noted": Level.NOTED, "none": Level.NONE}

Key = tuple[int, int]


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
            country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
            urgency=urgency if urgency in LEVELS else "",
        )

    def matches(self, row: "Row") -> bool:
        return (
            self.state in ("", row.state)
            and self.country in ("", row.summary.country)
            and (self.urgency == "" or LEVELS[self.urgency] == row.summary.level)
        )

    def query(self) -> dict[str, str]:
        """The parts of a link's query that keep these filters."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Row:
    """One report in the queue."""

    submission: str
    number: int
    received: date
    charter: str
    state: str
    summary: Summary

    @property
    def key(self) -> Key:
        return (int(self.summary.level), -self.number)


@dataclass(frozen=True)
class QueuePage:
    """Rows of one page; ``following`` is the key to go on after, ``countries`` are those of the whole queue."""

    rows: tuple[Row, ...]
    following: str | None
    matching: int
    countries: frozenset[str]
    unread: Mapping[str, int]


async def read_queue(unlocked: Unlocked, filters: Filters, after: str = "") -> QueuePage:
    """One page of this member's queue. Reports without a grant for the member are not in it, nor counted."""
    rows = [row for row in await _read_rows(unlocked) if row.summary.access != "none"]
    found = sorted((row for row in rows if filters.matches(row)), key=lambda row: row.key)
    cursor = _read_key(after)
    rest = [row for row in found if cursor is None or row.key > cursor]
    page = tuple(rest[:PAGE_ROWS])
    return QueuePage(
        rows=page,
        following=_write_key(page[-1].key) if len(rest) > PAGE_ROWS else None,
        matching=len(found),
        countries=frozenset(row.summary.country for row in rows if row.summary.country),
        unread=await _unread([row.submission for row in page]),
    )


async def _read_rows(unlocked: Unlocked) -> list[Row]:
    entries = await IndexEntry.filter(member=unlocked.member.label).values_list(
        "submission_id",
        "submission__number",
        "submission__received",
        "submission__charter",
        "submission__opened_on",
        "submission__answered_on",
        "sealed",
    )
    key, member = unlocked.keyring.index_key, unlocked.member.label
    return [
        Row(submission, number, received, charter, _state(opened, answered), _open(sealed, key, member, submission))
        for submission, number, received, charter, opened, answered, sealed in entries
    ]


def _open(sealed: bytes, index_key: bytes, member: str, submission: str) -> Summary:
    """An entry that was tampered with still shows that there is something: it opens as a broken report."""
    try:
        return open_summary(sealed, index_key, member, submission)
    except CryptoError:
        return Summary(access="broken")


def _state(opened: date | None, answered: date | None) -> str:
    if answered is not None:
        return "answered"
    return "new" if opened is None else "opened"


async def _unread(submissions: Iterable[str]) -> dict[str, int]:
    counts = (
        await FollowUpRecord.filter(submission__in=list(submissions), seen_on=None)
        .annotate(unread=Count("id"))
        .group_by("submission")
        .values_list("submission", "unread")
    )
    return dict(counts)


def _write_key(key: Key) -> str:
    return f"{key[0]}.{-key[1]}"


def _read_key(text: str) -> Key | None:
    level, _, number = text.partition(".")
    if not (level.isdecimal() and number.isdecimal() and len(text) < 20 and text.isascii()):
        return None
    return (int(level), -int(number))
