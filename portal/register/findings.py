# SPDX-License-Identifier: AGPL-3.0-or-later
"""The findings that the portal has accepted: checked, numbered without gaps, durable (docs/protocol.md §14.4)."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from crypto.charter import Charter
from crypto.errors import CryptoError, ProofError
from crypto.finding import (
    Finding,
    FindingDraft,
    check_correction,
    check_finding,
    finding_id,
    parse_finding_id,
    read_finding_text,
)
from crypto.finding_signers import FindingSignersError
from crypto.ids import FindingId, TextHash
from crypto.note import Note
from portal.api.refusals import Refusal
from portal.charters.known import Charters
from portal.kit.quiet_logging import describe_error
from portal.kit.waiting_line import WaitingLine
from portal.register.entry import Entry, Revision
from portal.storage.database import transaction
from portal.storage.errors import DuplicateError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FindingRecord

LOG = logging.getLogger("portal")
PAGE = 100
# How long an office may take to deliver a signed finding: its portal may have been down.
DAYS_MAX = 30


# Lack of files, memory or threads.
PASSING = (OSError, MemoryError, RuntimeError)


class BrokenFindingError(Exception):
    """A stored finding does not follow the format, or its charter is not there."""


class Findings:
    """All findings by id. ``refresh`` loads those that other processes accepted.

    Memory and database hold the text of the newest revision only. ``unreadable`` are stored findings that can't be
    read, with their commissions' short names; they take nothing else away.
    """

    def __init__(self, charters: Charters, commits: GroupCommit, clock: Callable[[], datetime]) -> None:
        self._charters = charters
        self._commits = commits
        self._clock = clock
        self._entries: dict[FindingId, Entry] = {}
        self._hashes: set[TextHash] = set()
        self._numbers: dict[tuple[str, int], int] = {}
        self._changed: set[FindingId] = set()
        self.unreadable: dict[FindingId, str] = {}
        self._sequence = 0
        self._turn = asyncio.Lock()
        self._work = WaitingLine()

    def newest_first(self) -> list[Entry]:
        return sorted(self._entries.values(), key=lambda entry: entry.published, reverse=True)

    def take_changes(self) -> set[FindingId]:
        """The ids of the findings that have changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def next_id(self, slug: str) -> FindingId:
        """The id that the next finding of a commission must have, if it is published today."""
        return self._next_id(slug, self._clock().year)

    async def take(self, slug: str, data: bytes) -> bool:
        """Accept a note from an office of the commission ``slug``; return False if its text is already published.

        Raises Refusal: ``finding-malformed``, ``not-your-commission``, ``charter-unknown``, ``finding-signatures``,
        ``finding-number``, ``finding-conflict``.
        """
        note, draft = await self._work.run(_parse, data)
        if draft.slug != slug:
            raise Refusal("not-your-commission")
        await self._charters.refresh()
        await self.refresh()
        if note.hash in self._hashes:
            return False
        finding = await self._verify(data, note, draft, await self._charters.get(draft.charter))
        self._check_place(finding)
        try:
            await self._commits.insert(_row(finding))
        except DuplicateError:
            await self.refresh()
            if note.hash in self._hashes:
                return False
            raise Refusal("finding-conflict") from None
        await self.refresh()
        return True

    async def listing(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of a commission's revisions in the order of publication, and the id of its next finding."""
        await self.refresh()
        query = FindingRecord.filter(slug=slug, sequence__gt=after).order_by("sequence").limit(PAGE + 1)
        rows = await query.values("sequence", "identifier", "revision", "kind", "day", "hash")
        listed = [{"id": row.pop("identifier"), **row, "day": row["day"].isoformat()} for row in rows[:PAGE]]
        return {"next": self.next_id(slug), "findings": listed, "more": len(rows) > PAGE}

    async def refresh(self) -> None:
        """Load the revisions that were stored since the last call."""
        async with self._turn:
            rows = await FindingRecord.filter(sequence__gt=self._sequence).order_by("sequence")
            by_id: dict[FindingId, list[FindingRecord]] = {}
            for row in rows:
                by_id.setdefault(row.identifier, []).append(row)
            for identifier, revisions in by_id.items():
                await self._add(identifier, revisions)
            if rows:
                self._sequence = rows[-1].sequence

    async def _add(self, identifier: FindingId, rows: Sequence[FindingRecord]) -> None:
        # Of the rows that one statement sees, the newest has its text: it is emptied after the next one is there.
        newest, before = rows[-1], self._entries.get(identifier)
        try:
            finding, charter = await self._read(newest)
        except BrokenFindingError as error:
            # The revision before it says what this one corrects or withdraws: it goes as well.
            LOG.error("a stored finding can't be read, and is left out: %s", describe_error(error.__cause__ or error))
            self._entries.pop(identifier, None)
            self.unreadable[identifier] = newest.slug
        else:
            self.unreadable.pop(identifier, None)
            self._entries[identifier] = Entry(
                finding=finding,
                charters=self._chain(charter),
                revisions=(before.revisions if before else ()) + tuple(_revision(row) for row in rows),
                published=before.published if before else rows[0].sequence,
                updated=newest.sequence,
            )
        year, number = parse_finding_id(identifier)
        self._numbers[newest.slug, year] = max(self._numbers.get((newest.slug, year), 0), number)
        self._hashes.update(row.hash for row in rows)
        self._changed.add(identifier)
        if newest.revision > 1:
            async with transaction():
                older = FindingRecord.filter(identifier=identifier, revision__lt=newest.revision).exclude(note="")
                await older.update(note="")

    async def _read(self, row: FindingRecord) -> tuple[Finding, Charter]:
        """Raises BrokenFindingError for what will fail in the same way again, and whatever else fails as it is."""
        data = row.note.encode("utf-8")
        # In threads, so that requests are answered while the whole register is loaded at the start.
        with _unreadable():
            note, draft = await asyncio.to_thread(_parse_stored, data)
        try:
            charter = await self._charters.get(draft.charter)
        except Refusal as error:
            raise BrokenFindingError from error
        with _unreadable():
            return await asyncio.to_thread(check_finding, data, note, draft, charter), charter

    async def _verify(self, data: bytes, note: Note, draft: FindingDraft, charter: Charter) -> Finding:
        if charter is not self._charters.newest(draft.slug):
            # A former member may still hold a key of the older charter.
            raise Refusal("finding-signatures", "charter")
        today = self._clock().date()
        if not today - timedelta(days=DAYS_MAX) <= draft.day <= today:
            raise Refusal("finding-malformed", "day")
        try:
            return await self._work.run(check_finding, data, note, draft, charter)
        except FindingSignersError:
            raise Refusal("finding-signatures") from None

    def _check_place(self, finding: Finding) -> None:
        """Refuse a finding that has neither the next number of its commission and year nor the next revision."""
        current = self._entries.get(finding.id)
        expected = current.finding.revision + 1 if current else 1
        if finding.revision < expected:
            raise Refusal("finding-conflict")
        if finding.revision > expected:
            raise Refusal("finding-number", "revision")
        if current is None:
            if finding.id != self._next_id(finding.slug, finding.year):
                raise Refusal("finding-number", "id")
            return
        try:
            check_correction(current.finding, finding)
        except ProofError:
            raise Refusal("finding-conflict", "previous") from None

    def _next_id(self, slug: str, year: int) -> FindingId:
        return finding_id(slug, year, self._numbers.get((slug, year), 0) + 1)

    def _chain(self, charter: Charter) -> tuple[Charter, ...]:
        own = (other for other in self._charters.all() if other.slug == charter.slug and other.number <= charter.number)
        return tuple(sorted(own, key=lambda other: other.number))


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except PASSING:
        raise
    except Exception as error:
        raise BrokenFindingError from error


def _parse_stored(data: bytes) -> tuple[Note, FindingDraft]:
    note = Note.parse(data)
    return note, read_finding_text(note.text)


def _parse(data: bytes) -> tuple[Note, FindingDraft]:
    try:
        return _parse_stored(data)
    except CryptoError:
        raise Refusal("finding-malformed") from None


def _row(finding: Finding) -> FindingRecord:
    return FindingRecord(
        identifier=finding.id,
        slug=finding.slug,
        revision=finding.revision,
        hash=finding.hash,
        day=finding.day,
        kind=finding.kind,
        reason=finding.reason,
        note=finding.note.decode("utf-8"),
    )


def _revision(row: FindingRecord) -> Revision:
    return Revision(row.revision, row.day, row.kind, row.reason, row.hash)
