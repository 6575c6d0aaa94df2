# SPDX-License-Identifier: AGPL-3.0-or-later
"""The register as it is served: pages follow the accepted findings, and only changed ones are rendered again.

A finding that can't be shown is left out alone (``register_pages``). What fails as a whole, and what files or memory
were short for, is tried again at one of the next ``refresh``, ever more rarely; the pages that are there go on being
served until then.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crypto.ids import FindingId
from portal.charters.known import Charters
from portal.kit.quiet_logging import describe_error
from portal.pages.live_pages import LivePages
from portal.register.entry import Entry
from portal.register.findings import Findings
from portal.settings import Settings
from portal.storage.group_commit import GroupCommit

if TYPE_CHECKING:
    from portal.register.register_pages import RegisterPages

LOG = logging.getLogger("portal")
DOUBLINGS_MAX = 5
"""After many failures in a row 31 calls of ``refresh`` try nothing again: some five minutes."""


class LiveRegister:
    """Accepts findings and updates the pages. An accepted finding is durable even when its pages can't be rendered."""

    def __init__(self, findings: Findings, pages: LivePages, settings: Settings) -> None:
        self.findings = findings
        self._pages = pages
        self._settings = settings
        self._register: RegisterPages | None = None
        self._waiting: set[FindingId] = set()
        self._is_shown = False
        self._failures = self._passed_over = 0
        self._turn = asyncio.Lock()

    @property
    def problems(self) -> Mapping[FindingId, str]:
        """The findings that can't be shown, and their commissions' short names."""
        shown = self._register.problems if self._register is not None else {}
        return {**shown, **self.findings.unreadable}

    async def publish(self, slug: str, note: bytes) -> bool:
        """Accept a finding, and return when its page is served. Returns and raises as ``Findings.take``."""
        new = await self.findings.take(slug, note)
        await self.refresh()
        return new

    async def refresh(self) -> None:
        """Update the pages with the revisions that were stored since the last call, or that could not be shown then.

        Raises what the database raises.
        """
        try:
            async with self._turn:
                await self.findings.refresh()
                changes = self.findings.take_changes()
                self._waiting |= changes
                if changes or ((self._waiting or not self._is_shown) and self._is_due()):
                    await self._show()
        finally:
            self._pages.register_ready.set()

    def _is_due(self) -> bool:
        """Whether to try again now: at the next call after a failure, then after one more, after three, and so on."""
        if self._passed_over >= 2 ** min(max(self._failures - 1, 0), DOUBLINGS_MAX) - 1:
            return True
        self._passed_over += 1
        return False

    async def _show(self) -> None:
        self._is_shown = False
        self._passed_over = 0
        # Until nothing waits any more.
        self._failures += 1
        try:
            entries = self.findings.newest_first()
            register = await asyncio.to_thread(self._render, entries, frozenset(self._waiting))
            await self._pages.extend(register.pages, register.hashes)
        except Exception as error:
            # What has been rendered before stays, and is what the next attempt begins with.
            LOG.error("the register can't be built, which is tried again: %s", describe_error(error))
            return
        self._register, self._is_shown = register, True
        # What files or memory were short for may be shown the next time.
        self._waiting = set(register.passing)
        if not self._waiting:
            self._failures = 0

    def _render(self, entries: Sequence[Entry], changed: Collection[FindingId]) -> "RegisterPages":
        if self._register is None:
            return _build(entries, self._settings)
        return self._register.renewed(entries, changed)


async def stored_register(charters: Charters, settings: Settings) -> "RegisterPages":
    """Return the register of the running task's database. Raises FileNotFoundError or KeyError without its style."""
    findings = Findings(charters, GroupCommit(0), lambda: datetime.now(UTC))
    await findings.refresh()
    return _build(findings.newest_first(), settings)


def _build(entries: Sequence[Entry], settings: Settings) -> "RegisterPages":
    # Imported late: templates and locales load slowly, and the API should not wait for them.
    from portal.kit.assets import load_assets
    from portal.register.register_pages import build_register

    return build_register(entries, settings.origin, load_assets(settings.static))
