# SPDX-License-Identifier: AGPL-3.0-or-later
"""The register as it is served: which of its pages is made when.

- At the start no page is made and no finding read. A page is made when it is first asked for, once for everybody, and
  stays. What nobody has asked for is made meanwhile, at no more than half of one processor's time.
- One thing is made at a time: by turns what somebody asks for and what is missing, so that all is made some time. Of
  the visitors who ask for a page that is not there, few wait; the others are asked to come back. So nobody makes the
  portal work more than it would anyway.
- Signed files don't stay, and so can be asked for without end: those who wait for them have places of their own, and
  what stays is made before them.
- What changes is taken away at once. The manifest is withheld until all pages are made: it lists every one.
- What failed is tried again at one of the next ``refresh``, ever more rarely.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crypto.ids import FindingId
from crypto.publication import Publication
from portal.charters.known import Charters
from portal.kit.quiet_logging import describe_error
from portal.pages.live_pages import MANIFEST_PATH, LivePages
from portal.register.findings import Findings
from portal.settings import Settings
from portal.storage.group_commit import GroupCommit

if TYPE_CHECKING:
    from portal.pages.site import Page
    from portal.register.builder import RegisterBuilder

LOG = logging.getLogger("portal")
VISITORS_MAX = 32
FILE_VISITORS_MAX = 8
DOUBLINGS_MAX = 5
"""After many failures in a row 31 calls of ``refresh`` try nothing again: some five minutes."""


class LiveRegister:
    """Accepts findings and makes the pages. An accepted finding is durable even when its page can't be made.

    ``run`` must be running as a task, on the portal's database.
    """

    def __init__(self, findings: Findings, pages: LivePages, settings: Settings) -> None:
        self.findings = findings
        self._pages = pages
        self._settings = settings
        self._builder: RegisterBuilder | None = None
        self._refreshed = asyncio.Event()
        self._turn = asyncio.Lock()
        # What somebody waits for, and is told when it was made or could not be.
        self._asked: dict[str, asyncio.Event] = {}
        self._wake = asyncio.Event()
        # How many wait, for signed files and for anything else.
        self._visitors = {True: 0, False: 0}
        self._failures = self._passed_over = 0
        pages.make_page = self.make

    @property
    def problems(self) -> Mapping[FindingId, str]:
        """The findings that can't be shown, as far as it was tried, and their commissions' short names."""
        shown = self._builder.shown.problems if self._builder is not None else {}
        return {**shown, **self.findings.stored.unreadable}

    async def publish(self, slug: str, note: bytes, receipt: Publication | None = None) -> bool:
        """Accept a finding, and return when its page is served. Raises as ``Findings.take``.

        Returns whether it is a new one.
        """
        identifier = await self.findings.take(slug, note, receipt)
        await self.refresh()
        if identifier is not None and self._builder is not None:
            await self._made(self._builder, identifier)
        return identifier is not None

    async def refresh(self) -> None:
        """Take the revisions in that were stored since the last call; what failed is tried again if it is time to.

        Raises what the database raises.
        """
        try:
            async with self._turn:
                await self.findings.stored.refresh()
                if self._builder is None:
                    own = (self.findings, self._settings, self._pages.register)
                    self._builder = await asyncio.to_thread(_make_builder, *own)
                    self._renew(self._builder)
                elif self.findings.stored.has_changes or self._is_due(self._builder):
                    self._renew(self._builder)
        finally:
            self._refreshed.set()

    def _renew(self, builder: "RegisterBuilder") -> None:
        stored = self.findings.stored
        self._pages.withhold_manifest()
        builder.shown.renew(stored.newest_first(), stored.take_changes())
        self._wake.set()

    def _is_due(self, builder: "RegisterBuilder") -> bool:
        """Whether to try again now: at the next call after a failure, then after one more, after three, and so on."""
        if not builder.shown.has_put_off:
            self._failures = self._passed_over = 0
            return False
        if self._passed_over < 2 ** min(self._failures, DOUBLINGS_MAX) - 1:
            self._passed_over += 1
            return False
        self._failures, self._passed_over = self._failures + 1, 0
        return True

    async def make(self, path: str) -> bool:
        """For a visitor: return when the page at ``path`` is there if it is of the register, False if it can't be."""
        await self._refreshed.wait()
        if self._builder is None:
            return False
        if self._builder.shown.needed(path) is None:
            return True
        is_file = self._builder.shown.is_file(path)
        if self._visitors[is_file] >= (FILE_VISITORS_MAX if is_file else VISITORS_MAX):
            return False
        self._visitors[is_file] += 1
        try:
            return await self._made(self._builder, path)
        finally:
            self._visitors[is_file] -= 1

    async def _made(self, builder: "RegisterBuilder", name: str) -> bool:
        # What is needed may change while it is being made.
        while (needed := builder.shown.needed(name)) is not None:
            if builder.shown.is_put_off(needed):
                return False
            made = self._asked.setdefault(needed, asyncio.Event())
            self._wake.set()
            await made.wait()
        return True

    async def run(self) -> None:
        """Make by turns what somebody waits for and what is missing, until cancelled."""
        while True:
            self._wake.clear()
            builder = self._builder
            if builder is None or not (await self._make_asked(builder) | await self._make_missing(builder)):
                await self._wake.wait()

    async def _make_asked(self, builder: "RegisterBuilder") -> bool:
        if not self._asked:
            return False
        asked = next((name for name in self._asked if not builder.shown.is_file(name)), None) or next(iter(self._asked))
        if builder.shown.needed(asked) == asked:
            await self._build(builder, asked)
        self._asked.pop(asked).set()
        return True

    async def _make_missing(self, builder: "RegisterBuilder") -> bool:
        missing = builder.shown.next_missing()
        if missing is None:
            return False
        began = asyncio.get_running_loop().time()
        await self._build(builder, missing)
        if not self._asked:
            await self._rest(asyncio.get_running_loop().time() - began)
        return True

    async def _build(self, builder: "RegisterBuilder", name: str) -> None:
        try:
            await builder.prepare()
        except Exception as error:
            LOG.error("the register can't be built, which is tried again: %s", describe_error(error))
            builder.shown.put_off(name)
            builder.shown.put_off_all()
            return
        try:
            if name != MANIFEST_PATH:
                await builder.build(name)
            elif builder.shown.is_complete:
                await self._pages.publish_manifest(builder.shown.hashes())
        except Exception as error:
            LOG.error("a page of the register can't be made, which is tried again: %s", describe_error(error))
            builder.shown.put_off(name)

    async def _rest(self, seconds: float) -> None:
        """Leave the processor to others for so long, unless somebody waits for a page."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()


def _make_builder(findings: Findings, settings: Settings, pages: "dict[str, Page]") -> "RegisterBuilder":
    # Imported late: templates and locales load slowly, and the API should not wait for them.
    from portal.register.builder import RegisterBuilder

    return RegisterBuilder(findings, settings, pages)


async def stored_register(charters: Charters, settings: Settings) -> tuple[dict[str, "Page"], dict[str, str]]:
    """Return all pages and signed files of the running task's database, and their hashes.

    Raises FileNotFoundError without the register's style.
    """
    builder = _make_builder(Findings(charters, GroupCommit(0), lambda: datetime.now(UTC)), settings, {})
    await builder.findings.stored.refresh()
    builder.shown.renew(builder.findings.stored.newest_first(), builder.findings.stored.take_changes())
    pages = await builder.build_all()
    return pages, builder.shown.hashes()
