# SPDX-License-Identifier: AGPL-3.0-or-later
"""The findings that the portal has accepted: checked, numbered without gaps, durable (docs/protocol.md §14.4)."""

import asyncio
from collections.abc import Callable, Iterator
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
    read_finding_text,
)
from crypto.finding_signers import FindingSignersError
from crypto.ids import FindingId
from crypto.note import Note
from crypto.publication import Publication
from portal.api.refusals import Refusal
from portal.charters.known import Charters
from portal.kit.columns import UNREADABLE
from portal.kit.waiting_line import WaitingLine
from portal.register.entry import Entry, Revision, StoredFinding
from portal.register.stored import StoredFindings, is_passing, row_of
from portal.storage.errors import DuplicateError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FindingRecord

PAGE = 100
# How long an office may take to deliver a signed finding: its portal may have been down.
DAYS_MAX = 30


class BrokenFindingError(Exception):
    """A stored finding does not follow the format, is not what its row says, or its charter is not there."""


class Findings:
    """Takes findings, and reads those that are ``stored``. Before anything is made of one, it is read."""

    def __init__(self, charters: Charters, commits: GroupCommit, clock: Callable[[], datetime]) -> None:
        self.stored = StoredFindings()
        self._charters = charters
        self._commits = commits
        self._clock = clock
        self._work = WaitingLine()

    def next_id(self, slug: str) -> FindingId:
        """The id that the next finding of a commission must have, if it is published today."""
        return self.stored.next_id(slug, self._clock().year)

    async def take(self, slug: str, data: bytes, receipt: Publication | None = None) -> FindingId | None:
        """Accept a note from an office of the commission ``slug``; return its id, or None if its text is known already.

        With a ``receipt`` of this portal it was taken before, by the rules of that day: neither its day nor the newest
        charter matters. Raises Refusal: ``finding-malformed``, ``not-your-commission``, ``charter-unknown``,
        ``finding-signatures``, ``finding-number``, ``finding-conflict``.
        """
        note, draft = await self._work.run(_parse, data)
        if draft.slug != slug:
            raise Refusal("not-your-commission")
        if receipt is not None and (receipt.finding, receipt.revision, receipt.hash) != (
            draft.id,
            draft.revision,
            note.hash,
        ):
            raise Refusal("malformed-request", "receipt")
        await self._charters.refresh()
        await self.stored.refresh()
        if self.stored.has_text(note.hash):
            return None
        charter = await self._charters.get(draft.charter)
        if receipt is None:
            self._check_present(draft, charter)
        finding = await self._verify(data, note, draft, charter)
        await self._check_place(finding, was_taken=receipt is not None)
        try:
            await self._commits.insert(row_of(finding))
        except DuplicateError:
            await self.stored.refresh()
            if self.stored.has_text(note.hash):
                return None
            raise Refusal("finding-conflict") from None
        await self.stored.refresh()
        return finding.id

    async def listing(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of a commission's revisions in the order of publication, and the id of its next finding."""
        await self.stored.refresh()
        query = FindingRecord.filter(slug=slug, sequence__gt=after).order_by("sequence").limit(PAGE + 1)
        rows = await query.values("sequence", "identifier", "revision", "kind", "day", "hash")
        # A damaged one is among the office's problems.
        whole = [row for row in rows[:PAGE] if UNREADABLE not in (row["revision"], row["day"])]
        listed = [{"id": row.pop("identifier"), **row, "day": row["day"].isoformat()} for row in whole]
        return {"next": self.next_id(slug), "findings": listed, "more": len(rows) > PAGE}

    async def read(self, stored: StoredFinding) -> Entry:
        """Read a finding and check its signatures.

        Raises BrokenFindingError for what will fail in the same way again, and whatever else fails as it is.
        """
        # In threads: requests are answered meanwhile.
        with _broken():
            note, draft = await asyncio.to_thread(_parse_stored, stored.note)
        try:
            charter = await self._charters.get(draft.charter)
        except Refusal as error:
            raise BrokenFindingError from error
        chain = tuple(self._charters.chain(charter.slug)[: charter.number])
        with _broken():
            finding = await asyncio.to_thread(check_finding, stored.note, note, draft, charter)
        newest = Revision(finding.revision, finding.day, finding.kind, finding.reason, finding.hash)
        if (finding.id, finding.slug, newest) != (stored.id, stored.slug, stored.revisions[-1]):
            raise BrokenFindingError
        return Entry(**vars(stored), finding=finding, charters=chain)

    def _check_present(self, draft: FindingDraft, charter: Charter) -> None:
        """What is new is signed by members of today, and not long ago."""
        if charter is not self._charters.newest(draft.slug):
            # A former member may still hold a key of the older charter.
            raise Refusal("finding-signatures", "charter")
        today = self._clock().date()
        if not today - timedelta(days=DAYS_MAX) <= draft.day <= today:
            raise Refusal("finding-malformed", "day")

    async def _verify(self, data: bytes, note: Note, draft: FindingDraft, charter: Charter) -> Finding:
        try:
            return await self._work.run(check_finding, data, note, draft, charter)
        except FindingSignersError:
            raise Refusal("finding-signatures") from None

    async def _check_place(self, finding: Finding, *, was_taken: bool) -> None:
        """Refuse a finding that has neither the next number of its commission and year nor the next revision.

        The number of one that was taken before need not be the next: the one before it may be lost for good.
        """
        current = self.stored.get(finding.id)
        expected = current.revisions[-1].number + 1 if current else 1
        if finding.revision < expected:
            raise Refusal("finding-conflict")
        if finding.revision > expected:
            raise Refusal("finding-number", "revision")
        if current is None:
            if not was_taken and finding.id != self.stored.next_id(finding.slug, finding.year):
                raise Refusal("finding-number", "id")
            return
        try:
            check_correction((await self.read(current)).finding, finding)
        except (BrokenFindingError, ProofError):
            raise Refusal("finding-conflict", "previous") from None


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise
        raise BrokenFindingError from error


def _parse_stored(data: bytes) -> tuple[Note, FindingDraft]:
    note = Note.parse(data)
    return note, read_finding_text(note.text)


def _parse(data: bytes) -> tuple[Note, FindingDraft]:
    try:
        return _parse_stored(data)
    except CryptoError:
        raise Refusal("finding-malformed") from None
