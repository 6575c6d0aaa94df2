# SPDX-License-Identifier: AGPL-3.0-or-later
"""The findings as signed files. They hold whole charters, so a file is made on request, always of the same bytes: their
hash is in the manifest."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from crypto.published_finding import write_published_finding
from portal.kit.headers import REGISTER_CSP
from portal.pages.site import Page, make_page
from portal.register.entry import Entry

KEPT_MAX = 64


class Downloads(Mapping[str, Page]):
    """The files of these entries by path; the most recently requested ones stay in memory."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = {entry.file_path: entry for entry in entries}
        self._made = lru_cache(KEPT_MAX)(self._make)

    def __getitem__(self, path: str) -> Page:
        return self._made(path)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _make(self, path: str) -> Page:
        body = file_bytes(self._entries[path])
        return make_page(path, body, "application/json", REGISTER_CSP, quick=True)


def file_bytes(entry: Entry) -> bytes:
    """Return the published finding of docs/protocol.md §14.3."""
    return write_published_finding(entry.finding.note, [charter.note for charter in entry.charters])


def file_hash(entry: Entry) -> str:
    return hashlib.sha256(file_bytes(entry)).hexdigest()
