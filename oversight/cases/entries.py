# SPDX-License-Identifier: AGPL-3.0-or-later
"""The events of a case, verified, with the sealed parts that a member's keys open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from crypto.charter import Charter
from crypto.event import SignedEvent, read_event
from crypto.event_fields import Part
from crypto.ids import CaseId, CharterHash
from oversight.cases.case_keys import CaseKeys
from oversight.commission.charters import charters_by_hash
from oversight.ledger.records import EventRecord
from oversight.web.rows import attempt

PAGE_EVENTS = 200


@dataclass(frozen=True)
class Entry:
    """An event of a timeline. ``part`` is the opened sealed part, None without one or without keys."""

    event: SignedEvent
    part: Part | None


@dataclass(frozen=True)
class BrokenEntry:
    """An event that is not genuine, or whose sealed part is not what it should be. The day is only the row's."""

    sequence: int
    day: date


async def read_entries(
    case_id: CaseId,
    keys: CaseKeys | None = None,
    *,
    types: Sequence[str] = (),
    after: int = -1,
    limit: int = PAGE_EVENTS,
) -> list[Entry]:
    """The events after sequence ``after``, oldest first, of these ``types`` if any are given, each one verified.

    Raises CryptoError when an event is not genuine or its sealed part is not what it should be.
    """
    charters = await charters_by_hash()
    chosen: dict[str, Any] = {"type__in": list(types)} if types else {}
    rows = EventRecord.filter(case=case_id, sequence__gt=after, **chosen).order_by("sequence").limit(limit)
    return [_read(row, charters, keys) for row in await rows]


async def read_shown(
    case_id: CaseId, keys: CaseKeys | None, *, types: Sequence[str] = (), limit: int
) -> tuple[list[Entry], list[BrokenEntry]]:
    """The last ``limit`` events, of these ``types`` if any are given, oldest first, and apart those that can't be read.

    For pages that tell what happened. Whatever decides by the events reads them with ``read_entries``.
    """
    charters = await charters_by_hash()
    chosen: dict[str, Any] = {"type__in": list(types)} if types else {}
    entries: list[Entry] = []
    unread: list[BrokenEntry] = []
    for row in reversed(await EventRecord.filter(case=case_id, **chosen).order_by("-sequence").limit(limit)):
        entry = attempt(partial(_read, row, charters, keys))
        if entry is None:
            unread.append(BrokenEntry(row.sequence, row.time.date()))
        else:
            entries.append(entry)
    return entries, unread


def _read(row: EventRecord, charters: Mapping[CharterHash, Charter], keys: CaseKeys | None) -> Entry:
    event = read_event(bytes(row.note), charters)
    return Entry(event, None if keys is None else keys.open(event, row.generation))
