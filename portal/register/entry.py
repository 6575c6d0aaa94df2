# SPDX-License-Identifier: AGPL-3.0-or-later
"""An entry of the register: the newest revision of a finding, and the list of its revisions."""

from dataclasses import dataclass
from datetime import date

from crypto.charter import Charter
from crypto.finding import Finding, path_name
from crypto.ids import TextHash


@dataclass(frozen=True)
class Revision:
    """The record of a revision: enough to recognise a copy of it, none of its content."""

    number: int
    day: date
    kind: str
    reason: str | None
    hash: TextHash


@dataclass(frozen=True)
class Entry:
    """``finding`` is the newest revision, ``charters`` the chain up to its charter.

    ``published`` and ``updated`` are the sequences of its first and its newest revision, by which lists are sorted.
    """

    finding: Finding
    charters: tuple[Charter, ...]
    revisions: tuple[Revision, ...]
    published: int
    updated: int

    @property
    def name(self) -> str:
        """Its id in the form used in paths."""
        return path_name(self.finding.id)

    @property
    def charter(self) -> Charter:
        return self.charters[-1]

    @property
    def first_day(self) -> date:
        return self.revisions[0].day

    @property
    def file_path(self) -> str:
        return f"/findings/{self.name}.json"

    def page_path(self, locale: str) -> str:
        return f"/{locale}/findings/{self.name}"
