# SPDX-License-Identifier: AGPL-3.0-or-later
"""The site as a value: every path with its bytes, and the manifest of their hashes.

- A page is rendered before it is requested. No request changes it, so everyone gets the same bytes.
- The manifest lists the SHA-256 of every other path. Its own hash identifies the whole site.
"""

import gzip
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from crypto.encoding import encode_json
from crypto.ids import CharterHash
from portal.kit.assets import Asset
from portal.kit.compression import compress
from portal.kit.headers import REPORTER_CSP
from portal.kit.i18n import LOCALES, SOURCE_LOCALE

MANIFEST_PATH = "/manifest.json"
NOT_FOUND_NAME = "not-found"
UNAVAILABLE_NAME = "unavailable"
# The pages that list all commissions, and their paths behind the locale.
LISTING = {"start": "", "protection": "protection"}
LISTING_PATHS = frozenset(f"/{locale}/{path}" for locale in LOCALES for path in LISTING.values()) | {MANIFEST_PATH}
"""Where all commissions stand together."""


@dataclass(frozen=True)
class Page:
    """One path: its bytes, compressed, and their SHA-256; its headers.

    Of kinds with thousands of pages, only what gzip made of them is kept: ``plain`` is None, ``brotli`` empty.
    """

    path: str
    plain: bytes | None
    gzip: bytes
    brotli: bytes
    content_type: str
    hash: str
    csp: str
    immutable: bool

    @property
    def body(self) -> bytes:
        """The bytes as they are."""
        return gzip.decompress(self.gzip) if self.plain is None else self.plain

    @property
    def etag(self) -> str:
        return f'"{self.hash[:32]}"'


@dataclass(frozen=True)
class Site:
    """All pages by path, and what they show.

    ``shown`` has the charter of each commission with a report form, ``problems`` those that can't be shown; it ``is
    final`` unless another attempt may show more. ``withheld`` are paths in whose place another page stands.
    """

    pages: Mapping[str, Page]
    shown: Mapping[str, CharterHash]
    problems: Mapping[str, CharterHash]
    withheld: frozenset[str]
    is_final: bool

    def get(self, path: str) -> Page | None:
        """Return the page at exactly this path, or None, also for one that is withheld."""
        return None if path in self.withheld else self.pages.get(path)

    def not_found(self, path: str) -> Page:
        """Return the not-found page in the language of ``path``."""
        return self.pages[f"/{_locale_of(path)}/{NOT_FOUND_NAME}"]

    def unavailable(self, path: str) -> Page:
        """Return the page, in the language of ``path``, that stands in the place of one that is withheld."""
        return self.pages[f"/{_locale_of(path)}/{UNAVAILABLE_NAME}"]

    def without(self, paths: frozenset[str]) -> "Site":
        """Return the site with these paths withheld."""
        return replace(self, withheld=self.withheld | paths)

    @property
    def hash(self) -> str:
        """The SHA-256 of the manifest, in hex, which identifies all of the site's bytes."""
        return self.pages[MANIFEST_PATH].hash


def report_path(locale: str, slug: str) -> str:
    return f"/{locale}/{slug}/report"


def paths_of(slugs: Collection[str]) -> frozenset[str]:
    """The paths on which these commissions' charters stand: report forms, pages that list them all, the manifest."""
    if not slugs:
        return frozenset()
    reports = {report_path(locale, slug) for locale in LOCALES for slug in slugs}
    return LISTING_PATHS | reports


def _locale_of(path: str) -> str:
    locale = path.split("/")[1] if path.startswith("/") else ""
    return locale if locale in LOCALES else SOURCE_LOCALE


def make_document(path: str, text: str) -> Page:
    """Return a page in HTML, which browsers do not cache: see ``serve``."""
    return make_page(path, text.encode("utf-8"), "text/html; charset=utf-8")


def make_site(
    listed: Sequence[Page],
    *,
    shown: Mapping[str, CharterHash] | None = None,
    problems: Mapping[str, CharterHash] | None = None,
    is_final: bool = True,
) -> Site:
    """Return the site of these pages, with the manifest that lists them; commissions with problems are withheld.

    Raises ValueError when two of them have the same path.
    """
    pages = {page.path: page for page in listed}
    if len(pages) != len(listed):
        raise ValueError("two pages have the same path")
    pages[MANIFEST_PATH] = _manifest_page(_hashes(pages))
    withheld = frozenset(report_path(locale, slug) for locale in LOCALES for slug in problems or ())
    return Site(MappingProxyType(pages), shown or {}, problems or {}, withheld, is_final)


def extend_site(site: Site, more: Mapping[str, Page], hashes: Mapping[str, str] | None) -> Site:
    """Return the site with more pages, whose hashes are listed in its manifest: as long as they are not all known, the
    manifest is withheld."""
    pages = {path: page for path, page in site.pages.items() if path != MANIFEST_PATH and path not in site.withheld}
    # Looked up in this order: no page of the register can replace a reporter's page.
    if hashes is None:
        return replace(site, pages=_Chain((pages, more)), withheld=site.withheld | {MANIFEST_PATH})
    manifest = {MANIFEST_PATH: _manifest_page({**_hashes(pages), **hashes}, quick=True)}
    return replace(site, pages=_Chain((manifest, pages, more)))


class _Chain(Mapping[str, Page]):
    """Several mappings as one, looked up in order; unlike ChainMap, read-only."""

    def __init__(self, parts: tuple[Mapping[str, Page], ...]) -> None:
        self._parts = parts

    def __getitem__(self, path: str) -> Page:
        for part in self._parts:
            if path in part:
                return part[path]
        raise KeyError(path)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(path for part in self._parts for path in part))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _hashes(pages: Mapping[str, Page]) -> dict[str, str]:
    return {path: page.hash for path, page in pages.items()}


def _manifest_page(hashes: Mapping[str, str], *, quick: bool = False) -> Page:
    manifest = encode_json({"version": "amparo/v1/site", "files": dict(hashes)})
    return make_page(MANIFEST_PATH, manifest, "application/json", quick=quick)


def asset_page(asset: Asset) -> Page:
    """Return the page of an asset, whose path changes with its bytes."""
    return Page(
        path=asset.path,
        plain=asset.body,
        gzip=asset.compressed.gzip,
        brotli=asset.compressed.brotli,
        content_type=asset.media_type,
        hash=_hash(asset.body),
        csp=REPORTER_CSP,
        immutable=True,
    )


def make_page(path: str, body: bytes, content_type: str, csp: str = REPORTER_CSP, *, quick: bool = False) -> Page:
    """Return a compressed page of any kind; ``quick`` for kinds with thousands of pages, or one page of all of them."""
    compressed = compress(body, quick=quick)
    return Page(
        path=path,
        plain=None if quick else body,
        gzip=compressed.gzip,
        brotli=compressed.brotli,
        content_type=content_type,
        hash=_hash(body),
        csp=csp,
        immutable=False,
    )


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
