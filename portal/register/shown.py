# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which pages of the register are made, and which are still to be made. For the event loop alone.

- A finding's pages are made as a whole, under its id, and stay until it changes. Lists and feeds go with every change.
- What changes is taken away at once, and what was just being made of it is not taken in.
- Signed files hold whole charters: of them only the hashes stay, and the files that were made last.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from crypto.ids import FindingId
from portal.kit.i18n import LOCALES
from portal.pages.site import MANIFEST_PATH, Page
from portal.register import feeds
from portal.register.entry import StoredFinding
from portal.register.register_pages import LIST_PAGE, ListPage, ShownFinding, count_lists, list_path

FILES_KEPT_MAX = 64
FILES_KEPT_BYTES_MAX = 16 * 1024 * 1024


class ShownPages:
    """``pages`` are those that are made, by path. ``version`` grows with every change of the findings.

    What can be made has a name: a finding its id, anything else its path.
    """

    def __init__(self, pages: dict[str, Page]) -> None:
        self.pages = pages
        self.version = 0
        self._newest_first: Sequence[StoredFinding] = ()
        self._last_changed: Sequence[StoredFinding] = ()
        # By their ids and all their paths.
        self._findings: dict[str, StoredFinding] = {}
        self._shown: dict[FindingId, ShownFinding] = {}
        self._lists: dict[str, tuple[str, int]] = {}
        self._file_hashes: dict[str, str] = {}
        self._files: deque[str] = deque()
        self._missing: deque[str] = deque()
        self._put_off: set[str] = set()

    @property
    def problems(self) -> Mapping[FindingId, str]:
        """The findings that can't be shown, and their commissions' short names."""
        unshown = (stored for stored in self._newest_first if self._is_problem(stored))
        return {stored.id: stored.slug for stored in unshown}

    @property
    def is_complete(self) -> bool:
        """Whether all pages are made, and so the hashes of all known."""
        return not self._missing and not self._put_off

    @property
    def has_put_off(self) -> bool:
        """Whether there is something that another attempt may show."""
        return bool(self._put_off) or any(shown.passing for shown in self._shown.values())

    def hashes(self) -> dict[str, str]:
        """The hashes of all pages and signed files that are known."""
        return {path: page.hash for path, page in self.pages.items()} | self._file_hashes

    def file_paths(self) -> list[str]:
        return list(self._file_hashes)

    def renew(self, newest_first: Sequence[StoredFinding], changed: Collection[FindingId]) -> None:
        """From now on these are all findings. To be made are those with the ids ``changed``, and what was put off."""
        again = {*changed, *(identifier for identifier, shown in self._shown.items() if shown.passing)}
        for stored in self._newest_first:
            if stored.id in again:
                self._take_away(stored)
        for stored in newest_first:
            if stored.id in again:
                self._findings |= dict.fromkeys(_names(stored), stored)
        self._newest_first = newest_first
        self._last_changed = sorted(newest_first, key=lambda stored: stored.updated, reverse=True)
        self._renew_lists()

    def put_off(self, name: str) -> None:
        """Leave what could not be made for another attempt."""
        self._put_off.add(name)

    def put_off_all(self) -> None:
        """The same for everything that is missing."""
        self._put_off.update(self._missing)
        self._missing.clear()

    def is_put_off(self, name: str) -> bool:
        return name in self._put_off

    def next_missing(self) -> str | None:
        """The name of what is to be made next, which then is made or put off; at the very end, the manifest's path."""
        while self._missing:
            name = self._missing.popleft()
            if name not in self._put_off and (name == MANIFEST_PATH or self.needed(name) == name):
                return name
        return None

    def needed(self, name: str) -> str | None:
        """The name of what has to be made first for the page at this path, or for a finding, if anything has.

        Nothing has for what is there, and for what is not of the register.
        """
        if (stored := self._findings.get(name)) is not None:
            if stored.id not in self._shown:
                return stored.id
            return name if name in self._file_hashes and name not in self.pages else None
        if name in feeds.PATHS:
            return None if name in self.pages else self._first_unshown(self._in_feeds()) or feeds.ATOM_PATH
        # A path that lacks its trailing slash leads to the one that has it.
        path = name if name in self._lists else f"{name}/"
        if path not in self._lists or path in self.pages:
            return None
        return self._first_unshown(self._listed(path)) or path

    def finding(self, name: str) -> StoredFinding | None:
        """The finding with this id, or whose page or signed file is at this path."""
        return self._findings.get(name)

    def is_file(self, name: str) -> bool:
        """Whether this is the path of a signed file."""
        return (stored := self._findings.get(name)) is not None and name == stored.file_path

    def list_page(self, path: str) -> ListPage:
        """What stands in the list at this path, all of whose findings are made. Raises KeyError for another path."""
        locale, number = self._lists[path]
        items = [(stored.first_day, self._shown[stored.id].items[locale]) for stored in self._listed(path)]
        return ListPage(locale, number, items, len(self._newest_first))

    def feed_findings(self) -> list[StoredFinding]:
        """The findings that changed last and can be shown, the newest change first."""
        return [stored for stored in self._in_feeds() if not self._is_problem(stored)]

    def add_finding(self, stored: StoredFinding, shown: ShownFinding) -> None:
        """Take in what was made of a finding, unless it has changed meanwhile."""
        if self._findings.get(stored.file_path) is not stored:
            return
        self._shown[stored.id] = shown
        self.pages |= {page.path: page for page in shown.pages}
        if shown.file_hash is not None:
            self._file_hashes[stored.file_path] = shown.file_hash

    def add_file(self, stored: StoredFinding, page: Page) -> None:
        """Take in a finding's signed file, for a while, unless the finding has changed meanwhile."""
        if self._findings.get(page.path) is not stored:
            return
        kept = [len(self.pages[path].body) if path in self.pages else 0 for path in self._files]
        room = FILES_KEPT_BYTES_MAX - len(page.body) - sum(kept)
        while self._files and (len(self._files) >= FILES_KEPT_MAX or room < 0):
            room += kept.pop(0)
            self.pages.pop(self._files.popleft(), None)
        self._files.append(page.path)
        self.pages[page.path] = page

    def add_pages(self, pages: Sequence[Page], version: int) -> None:
        """Take in lists or feeds, unless a finding has changed since this version."""
        if version == self.version:
            self.pages |= {page.path: page for page in pages}

    def _take_away(self, stored: StoredFinding) -> None:
        self._shown.pop(stored.id, None)
        for path in _names(stored):
            self._findings.pop(path, None)
            self.pages.pop(path, None)
        self._file_hashes.pop(stored.file_path, None)

    def _renew_lists(self) -> None:
        self.version += 1
        for path in (*self._lists, *feeds.PATHS):
            self.pages.pop(path, None)
        numbers = range(1, count_lists(len(self._newest_first)) + 1)
        self._lists = {f"/{locale}{list_path(number)}": (locale, number) for number in numbers for locale in LOCALES}
        unshown = (stored.id for stored in self._newest_first if stored.id not in self._shown)
        self._missing = deque([*unshown, *self._lists, feeds.ATOM_PATH, MANIFEST_PATH])
        self._put_off.clear()

    def _listed(self, path: str) -> Sequence[StoredFinding]:
        _, number = self._lists[path]
        return self._newest_first[(number - 1) * LIST_PAGE : number * LIST_PAGE]

    def _in_feeds(self) -> list[StoredFinding]:
        """As many of those that changed last as can be shown and stand in a feed, with all problems between them."""
        found: list[StoredFinding] = []
        left = feeds.ENTRIES_MAX
        for stored in self._last_changed:
            if not left:
                break
            found.append(stored)
            left -= not self._is_problem(stored)
        return found

    def _is_problem(self, stored: StoredFinding) -> bool:
        shown = self._shown.get(stored.id)
        return shown is not None and shown.file_hash is None

    def _first_unshown(self, findings: Sequence[StoredFinding]) -> str | None:
        return next((stored.id for stored in findings if stored.id not in self._shown), None)


def _names(stored: StoredFinding) -> list[str]:
    return [stored.id, stored.file_path, *(stored.page_path(locale) for locale in LOCALES)]
