# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newest-charter notes: what a commission's office said last about which of its charters is the newest, and on which
day (docs/protocol.md §4.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.newest_charter import NewestCharter, read_newest_charter, read_text
from crypto.note import Note
from portal.api.refusals import Refusal
from portal.charters.known import Charters
from portal.kit.columns import is_kept, readable
from portal.storage.group_commit import GroupCommit
from portal.storage.office_days import DAYS_AHEAD_MAX, sign_day
from portal.storage.records import NewestCharterRecord


@dataclass(frozen=True)
class NewestNotes:
    """The latest note of each commission."""

    realm: str
    charters: Charters
    commits: GroupCommit
    clock: Callable[[], datetime]

    async def latest(self, slug: str) -> str | None:
        """The latest note of a commission, if there is one."""
        notes = await NewestCharterRecord.filter(slug=slug).values_list("note", flat=True)
        return str(notes[0]) if notes else None

    async def take(self, slug: str, note: bytes) -> None:
        """Keep a note of this commission, durably, unless one with a higher number or a later day is there; and its day
        as one that the office signed.

        Raises Refusal ``malformed-request`` unless an office key of the charter that it names signed it, for this
        portal, and its day is not in the future: it would stay the latest until then.
        """
        newest = await self._read(note)
        today = self.clock().date()
        is_past = is_kept(newest.day) and newest.day <= today + timedelta(days=DAYS_AHEAD_MAX)
        if (newest.realm, newest.slug) != (self.realm, slug) or not is_past:
            raise Refusal("malformed-request")
        await self.commits.apply(lambda: _keep(newest, note.decode("utf-8"), today))

    async def _read(self, note: bytes) -> NewestCharter:
        try:
            named = read_text(Note.parse(note).text)
            charter = await self.charters.get(named.charter)
            newest = read_newest_charter(note, charter.office)
        except (CryptoError, Refusal):
            raise Refusal("malformed-request") from None
        if not _is_of(newest, charter):
            raise Refusal("malformed-request")
        return newest


def _is_of(newest: NewestCharter, charter: Charter) -> bool:
    return (newest.slug, newest.number) == (charter.slug, charter.number)


async def _keep(newest: NewestCharter, note: str, today: date) -> None:
    await sign_day(newest.slug, newest.day, today)
    there = await NewestCharterRecord.get_or_none(slug=newest.slug)
    if there is None:
        await NewestCharterRecord.create(slug=newest.slug, number=newest.number, day=newest.day, note=note)
    elif newest.number >= readable(there.number, 0) and newest.day >= readable(there.day, date.min):
        values = {"number": newest.number, "day": newest.day, "note": note}
        await NewestCharterRecord.filter(slug=newest.slug).update(**values)
