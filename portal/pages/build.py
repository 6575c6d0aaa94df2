# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders every page once, for each locale and charter; a commission that can't be shown is left out alone."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from babel import Locale
from babel.dates import get_month_names
from jinja2 import Environment
from markupsafe import Markup, escape

from crypto.charter import Charter
from crypto.ids import CharterHash
from portal.kit.assets import Asset, make_asset
from portal.kit.i18n import LOCALES, SOURCE_LOCALE, country_names, direction, load_translation
from portal.kit.quiet_logging import describe_error
from portal.kit.templating import environment
from portal.pages.site import LISTING, Page, Site, asset_page, make_document, make_site, report_path
from portal.pages.strings import PAGES, strings_asset

_PORTAL = Path(__file__).resolve().parent.parent
TEMPLATES = _PORTAL / "templates"
LOCALE = _PORTAL / "locale"
DOMAIN = "portal"

LOG = logging.getLogger("portal")
# Lack of files, of memory: nothing that a commission can have brought about, and it may be over at the next attempt.
PASSING = (OSError, MemoryError)

# What stands on the start page in the place of a commission that nothing can be sent to today.
CLOSED = "closed"
# Built files that the portal's pages load; the office has its own style.
PAGE_ASSETS = (
    "page.css",
    "leave.js",
    "form.js",
    "more.js",
    "picture.js",
    "picture-worker.js",
    "pdf-worker.js",
    "return.js",
    "seal-worker.js",
    "mailbox-worker.js",
)


class PageSettings(Protocol):
    """The portal's settings that the pages need."""

    @property
    def leave_url(self) -> str: ...


class SiteMaker:
    """Renders the site for the charters of a moment: languages, start, return, protection, not found and unavailable in
    every locale, a report form for the newest charter of every commission, and the assets that these load.

    Each commission is rendered for itself, and once for each of its charters. One that fails is left out and named as
    ``Site.problems``; the other pages are the same bytes as without it, save those that list all commissions. ``realm``
    is the portal's, with which a page derives from a receipt code. Raises OSError, also when a script or style was not
    built.
    """

    def __init__(self, settings: PageSettings, assets: Mapping[str, Asset], realm: str) -> None:
        files = {name: assets[name] for name in PAGE_ASSETS}
        for page in PAGES:
            files |= {f"strings-{page}-{locale}": strings_asset(LOCALE, DOMAIN, page, locale) for locale in LOCALES}
        paths = {name: asset.path for name, asset in files.items()}
        self._environments = {locale: _environment(locale, settings, realm, paths) for locale in LOCALES}
        self._shared = [asset_page(asset) for asset in files.values()] + [self._languages()]
        for locale, env in self._environments.items():
            self._shared += [_document(env, f"/{locale}/", "unavailable"), _document(env, f"/{locale}/", "not_found")]
        self._shown: dict[CharterHash, CommissionPages] = {}
        self._failed: set[CharterHash] = set()

    def build(self, charters: Sequence[Charter], closed: Collection[CharterHash] = ()) -> Site:
        """Return the site of the newest of these charters. Nothing can be sent under those that are ``closed``."""
        newest = newest_charters(charters)
        shown = {charter.slug: pages for charter in newest if (pages := self._pages(charter)) is not None}
        missing = [charter for charter in newest if charter.slug not in shown]
        documents = [page for pages in shown.values() for page in pages.documents]
        for locale, env in self._environments.items():
            is_open = [slug for slug, pages in shown.items() if pages.charter not in closed]
            urgent = [slug for slug in is_open if shown[slug].is_urgent]
            names = {"slugs": is_open, "urgent": urgent, "missing": [charter.slug for charter in missing]}
            for name in LISTING:
                sections = [_listed(pages, locale, name, closed) for pages in shown.values()]
                documents.append(_document(env, f"/{locale}/", name, commissions=sections, **names))
            documents.append(_document(env, f"/{locale}/", "return", charters=newest))
        self._shown = {pages.charter: pages for pages in shown.values()}
        self._failed &= {charter.hash for charter in newest}
        return make_site(
            [*self._shared, *documents],
            shown={slug: pages.charter for slug, pages in shown.items()},
            problems={charter.slug: charter.hash for charter in missing},
            is_final=self._failed.issuperset(charter.hash for charter in missing),
        )

    def check(self, charter: Charter) -> None:
        """Render a commission's pages for nobody. Raises whatever goes wrong."""
        for env in self._environments.values():
            for _ in (_report(env, charter), *(_section(env, name, charter) for name in (*LISTING, CLOSED))):
                pass

    def _pages(self, charter: Charter) -> "CommissionPages | None":
        """The pages of a commission, or None when they can't be rendered."""
        if charter.hash in self._failed or charter.hash in self._shown:
            return self._shown.get(charter.hash)
        try:
            return _commission_pages(self._environments, charter)
        except Exception as error:
            LOG.error("a commission is left out, its pages can't be built: %s", describe_error(error))
            if not isinstance(error, PASSING):
                self._failed.add(charter.hash)
            return None

    def _languages(self) -> Page:
        leave_labels = {locale: load_translation(LOCALE, DOMAIN, locale).gettext("Leave now") for locale in LOCALES}
        template = self._environments[SOURCE_LOCALE].get_template("languages.html")
        return make_document("/", template.render(leave_labels=leave_labels, here=""))


@dataclass(frozen=True)
class CommissionPages:
    """What the site has of one charter: its asset and report forms, and its sections in pages that list commissions.

    ``is_urgent`` is whether it has a short way for somebody in danger.
    """

    charter: CharterHash
    is_urgent: bool
    documents: tuple[Page, ...]
    sections: Mapping[tuple[str, str], Markup]


def build_site(charters: Sequence[Charter], settings: PageSettings, assets: Mapping[str, Asset], realm: str) -> Site:
    """Return the site once. Raises as ``SiteMaker``."""
    return SiteMaker(settings, assets, realm).build(charters)


def newest_charters(charters: Sequence[Charter]) -> list[Charter]:
    """Return the charter with the highest number of every commission, sorted by slug."""
    by_slug: dict[str, Charter] = {}
    for charter in sorted(charters, key=lambda charter: charter.number):
        by_slug[charter.slug] = charter
    return [by_slug[slug] for slug in sorted(by_slug)]


def _commission_pages(environments: Mapping[str, Environment], charter: Charter) -> CommissionPages:
    asset = asset_page(_charter_asset(charter))
    reports = [
        make_document(report_path(locale, charter.slug), _report(env, charter)) for locale, env in environments.items()
    ]
    sections = {
        (locale, name): _section(env, name, charter)
        for locale, env in environments.items()
        for name in (*LISTING, CLOSED)
    }
    return CommissionPages(charter.hash, bool(charter.questionnaire.urgent), (asset, *reports), sections)


def _listed(pages: CommissionPages, locale: str, name: str, closed: Collection[CharterHash]) -> Markup:
    """What a page that lists commissions says of one. The start page offers none that can't be written to."""
    return pages.sections[locale, CLOSED if name == "start" and pages.charter in closed else name]


def _charter_asset(charter: Charter) -> Asset:
    return make_asset(f"charter-{charter.slug}.txt", charter.note)


def _report(env: Environment, charter: Charter) -> str:
    locale = Locale.parse(str(env.globals["locale"]), sep="-")
    return env.get_template("report.html").render(
        charter=charter,
        charter_path=_charter_asset(charter).path,
        here=f"{charter.slug}/report",
        # Only the two-letter codes: a browser knows the names, which would take 2 KB.
        countries="".join(sorted(country_names(SOURCE_LOCALE))),
        months=get_month_names("wide", locale=locale),
    )


def _section(env: Environment, name: str, charter: Charter) -> Markup:
    # Rendered with escaping on.
    return Markup(env.get_template(f"commission/{name}.html").render(charter=charter))  # noqa: S704


def _document(env: Environment, folder: str, name: str, **values: object) -> Page:
    path = "" if name == "start" else name.replace("_", "-")
    here = "" if name == "not_found" else path
    return make_document(folder + path, env.get_template(f"{name}.html").render(here=here, **values))


def _environment(locale: str, settings: PageSettings, realm: str, paths: Mapping[str, str]) -> Environment:
    env = environment([TEMPLATES], load_translation(LOCALE, DOMAIN, locale))
    env.filters["in_locale"] = lambda texts: text_in(texts, locale)
    env.globals.update(locales=LOCALES, assets=paths, leave_url=settings.leave_url, realm=realm)
    return env


def text_in(texts: Mapping[str, str], locale: str) -> str | Markup:
    """Return a charter's text in this locale, or in its first language, marked as such."""
    if locale in texts:
        return texts[locale]
    language = SOURCE_LOCALE if SOURCE_LOCALE in texts else next(iter(texts))
    marked = Markup('<span lang="{}" dir="{}">{}</span>')
    return marked.format(language, direction(language), escape(texts[language]))
