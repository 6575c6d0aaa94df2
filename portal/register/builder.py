# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes pages of the register, one thing at a time and in threads. A finding that can't be shown is left out alone."""

import asyncio
import logging

from portal.kit.assets import load_assets
from portal.kit.quiet_logging import describe_error
from portal.pages.site import MANIFEST_PATH, Page
from portal.register import feeds
from portal.register.entry import Entry, StoredFinding
from portal.register.findings import BrokenFindingError, Findings
from portal.register.register_pages import RegisterMaker, ShownFinding
from portal.register.shown import ShownPages
from portal.register.stored import is_passing
from portal.settings import Settings

LOG = logging.getLogger("portal")


class RegisterBuilder:
    """Puts what it makes into ``shown``, whose pages are ``pages``."""

    def __init__(self, findings: Findings, settings: Settings, pages: dict[str, Page]) -> None:
        self.shown = ShownPages(pages)
        self.findings = findings
        self._settings = settings
        self._maker: RegisterMaker | None = None

    async def prepare(self) -> RegisterMaker:
        """Read what pages are made of, once. Raises OSError, also when the register's style was not built."""
        if self._maker is None:
            self._maker = await asyncio.to_thread(_make_maker, self._settings)
            self.shown.pages[self._maker.style.path] = self._maker.style
        return self._maker

    async def build(self, name: str) -> None:
        """Make what ``ShownPages.needed`` names. Raises what goes wrong with more than one finding."""
        maker, version = await self.prepare(), self.shown.version
        if (stored := self.shown.finding(name)) is not None:
            if name == stored.id:
                self.shown.add_finding(stored, await self._show(maker, stored))
            else:
                file = await asyncio.to_thread(maker.file, await self.findings.read(stored))
                self.shown.add_file(stored, file)
        elif name in feeds.PATHS:
            entries = [entry for stored in self.shown.feed_findings() if (entry := await self._read(stored))]
            self.shown.add_pages(await asyncio.to_thread(maker.feeds, entries), version)
        else:
            page = await asyncio.to_thread(maker.list_page, self.shown.list_page(name))
            self.shown.add_pages([page], version)

    async def build_all(self) -> dict[str, Page]:
        """Make everything, signed files too."""
        while (name := self.shown.next_missing()) is not None and name != MANIFEST_PATH:
            await self.build(name)
        pages = dict(self.shown.pages)
        for path in self.shown.file_paths():
            await self.build(path)
            pages[path] = self.shown.pages[path]
        return pages

    async def _show(self, maker: RegisterMaker, stored: StoredFinding) -> ShownFinding:
        """What is shown of a finding; when that fails, what says so. Not the revision before: this one corrects it."""
        try:
            return await asyncio.to_thread(maker.show, await self.findings.read(stored))
        except Exception as error:
            LOG.error("a finding is left out, as it can't be shown: %s", describe_error(error.__cause__ or error))
            passing = is_passing(error)
        return await asyncio.to_thread(maker.stand_in, stored, passing=passing)

    async def _read(self, stored: StoredFinding) -> Entry | None:
        try:
            return await self.findings.read(stored)
        except BrokenFindingError as error:
            LOG.error("a finding is left out of the feeds: %s", describe_error(error.__cause__ or error))
            return None


def _make_maker(settings: Settings) -> RegisterMaker:
    return RegisterMaker(settings.origin, settings.leave_url, load_assets(settings.static))
