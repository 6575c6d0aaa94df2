# SPDX-License-Identifier: AGPL-3.0-or-later
"""The beginning of an office's visit: which of its processes has the turn, and whether both sides are still those that
met the last time (docs/protocol.md §10.2).

An office names the random mark that it was given at its last visit. A portal that does not know it was restored from a
backup since, or the office was: however that was done, no counter and no clock could tell.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from crypto.encoding import ID_BYTES
from portal.api.refusals import Refusal
from portal.kit.columns import readable
from portal.kit.database import STORAGE_ERRORS
from portal.storage.errors import BusyError, StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import VisitRecord

LEASE_SECONDS = 300
"""How long a process that says nothing more keeps its turn."""


@dataclass(frozen=True)
class Visit:
    """``known``: whether the mark that was named is one that this portal gave last. ``mark`` is to be named next."""

    mark: str
    known: bool


@dataclass(frozen=True)
class Visits:
    """The visits of all commissions' offices."""

    commits: GroupCommit
    clock: Callable[[], datetime]

    async def begin(self, slug: str, process: str, mark: str | None) -> Visit:
        """Give a process of an office the turn, or more time; ``mark`` is the one that it was given last.

        Raises Refusal ``office-elsewhere`` while another process has the turn. A portal that can write nothing gives
        the same mark again, so that it hands its reports over all the same.
        """
        try:
            outcome = await self.commits.apply(lambda: self._begin(slug, process, mark))
        except (BusyError, StorageFullError, *STORAGE_ERRORS):
            row = await VisitRecord.get_or_none(slug=slug)
            outcome = self._refusal(row, process) or Visit(mark or secrets.token_hex(ID_BYTES), _knows(row, mark))
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def end(self, slug: str, process: str) -> None:
        """Give the turn back, if this process has it."""
        await self.commits.apply(lambda: VisitRecord.filter(slug=slug, process=process).update(until=0))

    async def _begin(self, slug: str, process: str, mark: str | None) -> Visit | Refusal:
        row = await VisitRecord.get_or_none(slug=slug)
        if (refusal := self._refusal(row, process)) is not None:
            return refusal
        visit = Visit(secrets.token_hex(ID_BYTES), _knows(row, mark))
        until = self._now() + LEASE_SECONDS
        # The mark that was named stays good until the next one is: the answer may be lost.
        before = mark if mark and visit.known else ""
        row = row or VisitRecord(slug=slug)
        row.process, row.until, row.mark, row.before = process, until, visit.mark, before
        await row.save()
        return visit

    def _refusal(self, row: VisitRecord | None, process: str) -> Refusal | None:
        if row is None or row.process == process:
            return None
        # A lease that would last longer was given while the clock ran ahead.
        left = readable(row.until, 0) - self._now()
        return Refusal("office-elsewhere") if 0 < left <= LEASE_SECONDS else None

    def _now(self) -> int:
        return int(self.clock().timestamp())


def _knows(row: VisitRecord | None, mark: str | None) -> bool:
    return row is not None and bool(mark) and mark in (row.mark, row.before)
