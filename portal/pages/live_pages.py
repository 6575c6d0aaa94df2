# SPDX-License-Identifier: AGPL-3.0-or-later
"""Serves the built pages, and rebuilds them when a charter is accepted."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from crypto.charter import Charter
from portal.kit.quiet_logging import describe_error
from portal.settings import Settings

if TYPE_CHECKING:
    from portal.pages.site import Page, Site, SiteHolder

LOG = logging.getLogger("portal")


class LivePages:
    """ASGI endpoint for everything that is not the API.

    A request during a build waits for it: nobody is shown a charter that was replaced.
    """

    def __init__(self, settings: Settings, realm: str) -> None:
        self._settings = settings
        self._realm = realm
        self._building: asyncio.Task[None] | None = None
        self._holder: SiteHolder | None = None
        self._site: Site | None = None
        self._register: tuple[Sequence[Mapping[str, Page]], Mapping[str, str]] = ((), {})
        self._showing = asyncio.Lock()
        self.register_ready = asyncio.Event()
        self._endpoint: ASGIApp = PlainTextResponse("The pages of this portal are not built.", 503)

    def renew(self, charters: Sequence[Charter]) -> None:
        """Start building the pages for these charters."""
        before = self._building
        self._building = asyncio.create_task(self._build(before, list(charters)))

    async def built(self) -> None:
        """Wait until no build is running."""
        if self._building is not None:
            await asyncio.shield(self._building)

    async def extend(self, pages: "Sequence[Mapping[str, Page]]", hashes: Mapping[str, str]) -> None:
        """Serve the register's pages, with their hashes, beside the others."""
        self._register = (pages, hashes)
        await self._show()

    async def close(self) -> None:
        if self._building is not None:
            self._building.cancel()
            await asyncio.gather(self._building, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.built()
        if "/findings" in scope["path"] or scope["path"] == "/manifest.json":
            # Built after everything else, so that reporters need not wait for it.
            await self.register_ready.wait()
        await self._endpoint(scope, receive, send)

    async def _build(self, before: "asyncio.Task[None] | None", charters: Sequence[Charter]) -> None:
        if before is not None:
            await before
        try:
            site = await asyncio.to_thread(build_pages, self._settings, self._realm, charters)
        except (OSError, KeyError) as error:
            LOG.error("the pages can't be built because scripts or styles are missing: %s", describe_error(error))
            return
        self._site = site
        await self._show()

    async def _show(self) -> None:
        """Combine site and register, and serve them from now on."""
        async with self._showing:
            if self._site is None:
                return
            from portal.pages.serve import SiteEndpoint
            from portal.pages.site import SiteHolder, extend_site

            site = await asyncio.to_thread(extend_site, self._site, *self._register)
            if self._holder is None:
                self._holder = SiteHolder(site)
                self._endpoint = SiteEndpoint(self._holder)
            self._holder.site = site


def build_pages(settings: Settings, realm: str, charters: Sequence[Charter]) -> "Site":
    """Return the whole site. Raises FileNotFoundError or KeyError when scripts or styles were not built."""
    # Imported late: templates and locales load slowly, and the API should not wait for them.
    from portal.kit.assets import load_assets
    from portal.pages.build import build_site

    return build_site(charters, settings, load_assets(settings.static), realm)
