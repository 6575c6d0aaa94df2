# SPDX-License-Identifier: AGPL-3.0-or-later
"""The events of a case, verified, with the sealed parts that a member's keys open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crypto.event import SignedEvent, read_event
from crypto.event_fields import Part
from crypto.ids import CaseId
from oversight.cases.case_keys import CaseKeys
from oversight.commission.charters import charters_by_hash
from oversight.ledger.records import EventRecord

PAGE_EVENTS = 200


@dataclass(frozen=True)
class Entry:
    """An event of a timeline. ``part`` is the opened sealed part, None without one or without keys."""

    event: SignedEvent
    part: Part | None


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
    entries = []
    for data, generation in await rows.values_list("note", "generation"):
        event = read_event(bytes(data), charters)
        entries.append(Entry(event, None if keys is None else keys.open(event, generation)))
    return entries
