# SPDX-License-Identifier: AGPL-3.0-or-later
"""A finding in the register: as it is stored, and as an entry that was read and checked, of which pages are made."""

from dataclasses import dataclass, field
from datetime import date

from crypto.charter import Charter
from crypto.finding import Finding, path_name
from crypto.ids import FindingId, TextHash


@dataclass(frozen=True)
class Revision:
    """The record of a revision: enough to recognise a copy of it, none of its content."""

    number: int
    day: date
    kind: str
    reason: str | None
    hash: TextHash


@dataclass(frozen=True)
class StoredFinding:
    """What the register keeps of every finding: the note of its newest revision, not read yet, and all revisions.

    ``published`` and ``updated`` are the sequences of its first and its newest revision, by which lists are sorted.
    """

    id: FindingId
    slug: str
    note: bytes = field(repr=False)
    revisions: tuple[Revision, ...]
    published: int
    updated: int

    @property
    def name(self) -> str:
        """Its id in the form used in paths."""
        return path_name(self.id)

    @property
    def first_day(self) -> date:
        return self.revisions[0].day

    @property
    def file_path(self) -> str:
        return f"/findings/{self.name}.json"

    def page_path(self, locale: str) -> str:
        return f"/{locale}/findings/{self.name}"


@dataclass(frozen=True)
class Entry(StoredFinding):
    """``finding`` is the newest revision, whose signatures were checked; ``charters`` the chain up to its charter."""

    finding: Finding
    charters: tuple[Charter, ...]

    @property
    def charter(self) -> Charter:
        return self.charters[-1]
