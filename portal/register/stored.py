# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rows of the register, as they are in the database: which findings there are, which numbers and texts are taken.

No note is read here: that takes longer than a start may. A row that can't be loaded takes nothing else away.
"""

import asyncio
import logging

from crypto.errors import MalformedError
from crypto.finding import Finding, finding_id, parse_finding_id
from crypto.ids import FindingId, TextHash
from portal.kit.columns import UNREADABLE, UnreadableError
from portal.kit.database import STORAGE_ERRORS
from portal.kit.quiet_logging import describe_error
from portal.register.entry import Revision, StoredFinding
from portal.storage.database import transaction
from portal.storage.records import FindingRecord

LOG = logging.getLogger("portal")
# Rows that are loaded at once: what the database's library makes of them holds up requests.
ROWS = 200


def is_passing(error: Exception) -> bool:
    """Whether it is for lack of files, memory, threads, or the database: another attempt may succeed."""
    return isinstance(error, (*STORAGE_ERRORS, MemoryError)) or type(error) is RuntimeError


class StoredFindings:
    """All findings by id. ``refresh`` loads what this and other processes have stored since.

    Memory and database hold the text of the newest revision only. ``unreadable`` are findings of which a row can't be
    loaded, with their commissions' short names. Their numbers stay taken.
    """

    def __init__(self) -> None:
        self._by_id: dict[FindingId, StoredFinding] = {}
        self._hashes: set[TextHash] = set()
        self._numbers: dict[tuple[str, int], int] = {}
        self._changed: set[FindingId] = set()
        # Findings whose earlier texts may still be in the database, and their newest revisions.
        self._superseded: dict[FindingId, int] = {}
        self.unreadable: dict[FindingId, str] = {}
        self._sequence = 0
        self._turn = asyncio.Lock()

    def newest_first(self) -> list[StoredFinding]:
        return sorted(self._by_id.values(), key=lambda stored: stored.published, reverse=True)

    def get(self, identifier: FindingId) -> StoredFinding | None:
        return self._by_id.get(identifier)

    def has_text(self, text_hash: str) -> bool:
        """Whether a text was published, also if it was corrected since."""
        return text_hash in self._hashes

    def next_id(self, slug: str, year: int) -> FindingId:
        return finding_id(slug, year, self._numbers.get((slug, year), 0) + 1)

    @property
    def has_changes(self) -> bool:
        return bool(self._changed)

    def take_changes(self) -> set[FindingId]:
        """The ids of the findings that have changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    async def refresh(self) -> None:
        """Load the revisions that were stored since the last call. Raises what the database raises."""
        async with self._turn:
            while rows := await self._next_rows():
                for row in rows:
                    self._add(row)
                self._sequence = rows[-1].sequence
            await self._delete_superseded()

    async def _next_rows(self) -> list[FindingRecord]:
        return await FindingRecord.filter(sequence__gt=self._sequence).order_by("sequence").limit(ROWS)

    def _add(self, row: FindingRecord) -> None:
        before = self._by_id.get(row.identifier)
        try:
            if UNREADABLE in (row.revision, row.day):
                raise UnreadableError
            stored = StoredFinding(
                id=row.identifier,
                slug=row.slug,
                note=row.note.encode("utf-8"),
                revisions=(*(before.revisions if before else ()), _revision(row)),
                published=before.published if before else row.sequence,
                updated=row.sequence,
            )
            self._count(row.identifier, row.slug, row.hash)
        except Exception as error:
            self._leave_out(row.identifier, row.slug, row.hash, error)
            return
        self._by_id[stored.id] = stored
        self.unreadable.pop(stored.id, None)
        if before is not None and before.note:
            self._superseded[stored.id] = row.revision

    def _count(self, identifier: FindingId, slug: str, text_hash: TextHash) -> None:
        year, number = parse_finding_id(identifier)
        self._numbers[slug, year] = max(self._numbers.get((slug, year), 0), number)
        self._hashes.add(text_hash)
        self._changed.add(identifier)

    def _leave_out(self, identifier: FindingId, slug: str, text_hash: TextHash, error: Exception) -> None:
        LOG.error("a stored finding can't be loaded, and is left out: %s", describe_error(error))
        try:
            self._count(identifier, slug, text_hash)
        except MalformedError:
            # It has no number, and so no page.
            return
        # The revision before it says what this one corrects or withdraws: it goes as well.
        self._by_id.pop(identifier, None)
        self.unreadable[identifier] = slug

    async def _delete_superseded(self) -> None:
        for identifier, revision in list(self._superseded.items()):
            try:
                async with transaction():
                    older = FindingRecord.filter(identifier=identifier, revision__lt=revision).exclude(note="")
                    await older.update(note="")
            except Exception as error:
                # The pages must not wait for a disk that takes no write.
                LOG.error("a corrected text is not deleted yet, which is tried again: %s", describe_error(error))
                return
            del self._superseded[identifier]


def row_of(finding: Finding) -> FindingRecord:
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
