# SPDX-License-Identifier: AGPL-3.0-or-later
"""Serves the built pages, and rebuilds them when a charter is accepted.

- A build that fails is tried again, ever more rarely, up to every five minutes. Until then the pages that are there go
  on being served, save those of a charter that was replaced: nobody is to write under an old one. 503 stands there.
- Charters may come faster than pages are built. Who asks for a page that lists all commissions waits for one build at
  the most; who asks for a form, for the charters that had come by then.
- What fails for one commission alone takes only its own pages away (``build``).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from crypto.charter import Charter
from crypto.ids import CharterHash
from portal.kit.quiet_logging import describe_error
from portal.kit.stopping import stop
from portal.pages.site import LISTING_PATHS
from portal.pages.unfinished import UnfinishedPages
from portal.settings import Settings

if TYPE_CHECKING:
    from portal.pages.build import SiteMaker
    from portal.pages.serve import SiteEndpoint
    from portal.pages.site import Page, Site

LOG = logging.getLogger("portal")
RETRY_SECONDS_MIN = 5
RETRY_SECONDS_MAX = 300
WAIT_SECONDS_MAX = 30
"""Of a visitor, for a build that does not end."""
MANIFEST_PATH = "/manifest.json"


async def _make_nothing(_: str) -> bool:
    """A site without a register has no page that is still to be made."""
    return True


class LivePages:
    """ASGI endpoint for everything that is not the API.

    A request for a page that a build may change waits for it. Pages that list all commissions are then served as they
    are, also when there is a newer charter again; a report form never shows one that was replaced.
    ``closed`` are the charters that nothing can be sent under, as the start page says.
    ``register`` has the register's pages that are made. For a path that may be of the register and is not there,
    ``make_page`` is called: it returns when it is there, if it is of the register, and False if it can't be made now.
    """

    def __init__(self, settings: Settings, realm: str) -> None:
        self._settings = settings
        self._realm = realm
        self._charters: list[Charter] = []
        self.closed: Collection[CharterHash] = frozenset()
        self._outdated: frozenset[str] = frozenset()
        self._failures = 0
        self._due = asyncio.Event()
        # How often pages were to be built anew, and the last of these times for which a build has ended.
        self._renewals = self._renewed = 0
        self._ended = asyncio.Condition()
        self._building: asyncio.Task[None] | None = None
        self._builder: SiteMaker | None = None
        self._served: SiteEndpoint | None = None
        self._site: Site | None = None
        self.register: dict[str, Page] = {}
        self.make_page: Callable[[str], Awaitable[bool]] = _make_nothing
        self._register_hashes: Mapping[str, str] | None = None
        self._showing = asyncio.Lock()
        self._unfinished = UnfinishedPages()

    @property
    def problems(self) -> Mapping[str, CharterHash]:
        """The commissions whose pages can't be shown, and their charters."""
        return self._site.problems if self._site is not None else {}

    def renew(self, charters: Sequence[Charter], closed: Collection[CharterHash] = frozenset()) -> None:
        """Start building the pages for these charters. ``closed`` are those that nothing can be sent under today."""
        self._charters, self.closed = list(charters), closed
        self._failures = 0
        self._renewals += 1
        self._due.set()
        if self._building is None:
            self._building = asyncio.create_task(self._build_for_ever())
        if self._site is not None:
            self._outdated = _outdated(self._site, self._charters)

    async def built(self) -> None:
        """Wait until the pages of the charters that are there now are built, or could not be."""
        await self._until_renewed(max(self._renewals, 1))

    async def _until_renewed(self, times: int) -> None:
        async with self._ended:
            await self._ended.wait_for(lambda: self._renewed >= times)

    async def can_show(self, charter: Charter) -> bool:
        """Whether the pages of a charter that is not accepted yet can be rendered, as far as can be told now."""
        try:
            if self._builder is None:
                self._builder = await asyncio.to_thread(self._prepare)
            await asyncio.to_thread(self._builder.check, charter)
        except Exception as error:
            from portal.pages.build import PASSING

            # Also without scripts and styles a charter is taken.
            return self._builder is None or isinstance(error, PASSING)
        return True

    def withhold_manifest(self) -> None:
        """Serve no manifest, as the register has pages whose hashes are not in it, until ``publish_manifest``."""
        self._register_hashes = None
        if self._served is not None:
            self._served.site = self._served.site.without(frozenset({MANIFEST_PATH}))

    async def publish_manifest(self, hashes: Mapping[str, str]) -> None:
        """Serve the manifest with these hashes, of all the register's pages, unless it is withheld meanwhile."""
        self._register_hashes = hashes
        await self._show()

    async def close(self) -> None:
        if self._building is not None:
            await stop(self._building)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        in_time = await self._built_in_time(path) if self._site is None or path in self._outdated else True
        if self._served is None:
            await self._unfinished(scope, receive, send)
        elif in_time and await self._can_be_served(path):
            await self._served(scope, receive, send)
        else:
            await self._served.answer_unavailable(scope, receive, send)

    async def _built_in_time(self, path: str) -> bool:
        """Wait for what a page shows; for one that lists all commissions until one build has ended."""
        one_more = min(self._renewed + 1, self._renewals)
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                await (self._until_renewed(one_more) if path in LISTING_PATHS and self._site else self.built())
                return True
        return False

    async def _can_be_served(self, path: str) -> bool:
        if path in self._outdated and path not in LISTING_PATHS:
            return False
        return not _may_be_of_register(path) or self._has(path) or await self.make_page(path)

    def _has(self, path: str) -> bool:
        return path in self.register or (
            self._site is not None and (self._site.get(path) is not None or path in self._site.withheld)
        )

    async def _build_for_ever(self) -> None:
        while True:
            self._due.clear()
            renewals = self._renewals
            again = not await self._build(self._charters)
            async with self._ended:
                self._renewed = renewals
                self._ended.notify_all()
            if again:
                self._failures += 1
                await self._wait(min(RETRY_SECONDS_MIN * 2 ** (self._failures - 1), RETRY_SECONDS_MAX))
            else:
                await self._due.wait()

    async def _wait(self, seconds: float) -> None:
        """Wait for the time of the next attempt, or for new charters."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._due.wait()

    async def _build(self, charters: Sequence[Charter]) -> bool:
        """Build and show the pages; False when it is worth while to try again."""
        try:
            if self._builder is None:
                self._builder = await asyncio.to_thread(self._prepare)
            site = await asyncio.to_thread(self._builder.build, charters, self.closed)
            await self._show(site)
        except Exception as error:
            LOG.error("the pages can't be built, which is tried again: %s", describe_error(error))
            self._withhold()
            return False
        return site.is_final

    def _prepare(self) -> "SiteMaker":
        self._unfinished.prepare()
        return prepare_pages(self._settings, self._realm)

    def _withhold(self) -> None:
        """After a failure, go on with what is there, without the pages of charters that were replaced."""
        if self._site is not None and self._served is not None:
            self._site = self._site.without(self._outdated)
            self._served.site = self._served.site.without(self._outdated)

    async def _show(self, site: "Site | None" = None) -> None:
        """Combine the site, if it is a new one, with the register, and serve both from now on."""
        async with self._showing:
            site = site or self._site
            if site is None:
                return
            from portal.pages.serve import SiteEndpoint
            from portal.pages.site import extend_site

            hashes = self._register_hashes
            whole = await asyncio.to_thread(extend_site, site, self.register, hashes)
            if hashes is not self._register_hashes:
                whole = extend_site(site, self.register, None)
            if self._served is None:
                self._served = SiteEndpoint(whole)
            self._served.site, self._site = whole, site
            self._outdated = _outdated(site, self._charters)


def prepare_pages(settings: Settings, realm: str) -> "SiteMaker":
    """Read what pages are made of. Raises OSError, also when scripts or styles were not built."""
    # Imported late: templates and locales load slowly, and the API should not wait for them.
    from portal.kit.assets import load_assets
    from portal.pages.build import SiteMaker

    return SiteMaker(settings, load_assets(settings.static), realm)


def build_pages(
    settings: Settings, realm: str, charters: Sequence[Charter], closed: Collection[CharterHash] = ()
) -> "Site":
    """Return the whole site once. Raises as ``prepare_pages``."""
    return prepare_pages(settings, realm).build(charters, closed)


def _outdated(site: "Site", charters: Sequence[Charter]) -> frozenset[str]:
    """The paths that don't show the newest of these charters, as far as a commission can be shown at all."""
    from portal.pages.build import newest_charters
    from portal.pages.site import paths_of

    newest = {charter.slug: charter.hash for charter in newest_charters(charters)}
    there = {**site.shown, **site.problems}
    return paths_of({slug for slug in newest.keys() | there.keys() if newest.get(slug) != there.get(slug)})


def _may_be_of_register(path: str) -> bool:
    return "/findings" in path
