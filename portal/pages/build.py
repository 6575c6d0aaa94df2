# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders every page once, for each locale and charter."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from babel import Locale
from babel.dates import get_month_names
from jinja2 import Environment
from markupsafe import Markup, escape

from crypto.charter import Charter
from portal.kit.assets import Asset, make_asset
from portal.kit.i18n import LOCALES, SOURCE_LOCALE, country_names, direction, load_translation
from portal.kit.templating import environment
from portal.pages.site import Page, Site, make_document, make_site, not_found_path
from portal.pages.strings import PAGES, strings_asset

_PORTAL = Path(__file__).resolve().parent.parent
TEMPLATES = _PORTAL / "templates"
LOCALE = _PORTAL / "locale"
DOMAIN = "portal"

# Built files that the portal's pages load; the office has its own style.
_PAGE_ASSETS = ("page.css", "leave.js", "form.js", "return.js", "seal-worker.js", "mailbox-worker.js")


class PageSettings(Protocol):
    """The portal's settings that the pages need."""

    @property
    def leave_url(self) -> str: ...


def build_site(charters: Sequence[Charter], settings: PageSettings, assets: Mapping[str, Asset], realm: str) -> Site:
    """Return the whole site: languages, start, return, protection and not found in every locale, a report form for the
    newest charter of every commission, and the assets that these load.

    ``realm`` is the portal's, with which a page derives from a receipt code. Raises KeyError when a script or style was
    not built.
    """
    newest = newest_charters(charters)
    files = {name: assets[name] for name in _PAGE_ASSETS}
    files |= {
        f"strings-{page}-{locale}": strings_asset(LOCALE, DOMAIN, page, locale) for page in PAGES for locale in LOCALES
    }
    files |= {charter.hash: make_asset(f"charter-{charter.slug}.txt", charter.note) for charter in newest}
    paths = {name: asset.path for name, asset in files.items()}
    documents = [_languages(settings, realm, paths)]
    for locale in LOCALES:
        documents += _documents(locale, newest, _environment(locale, settings, realm, paths))
    return make_site(documents, files.values())


def newest_charters(charters: Sequence[Charter]) -> list[Charter]:
    """Return the charter with the highest number of every commission, sorted by slug."""
    by_slug: dict[str, Charter] = {}
    for charter in sorted(charters, key=lambda charter: charter.number):
        by_slug[charter.slug] = charter
    return [by_slug[slug] for slug in sorted(by_slug)]


def _languages(settings: PageSettings, realm: str, paths: Mapping[str, str]) -> Page:
    env = _environment(SOURCE_LOCALE, settings, realm, paths)
    leave_labels = {locale: load_translation(LOCALE, DOMAIN, locale).gettext("Leave now") for locale in LOCALES}
    return make_document("/", env.get_template("languages.html").render(leave_labels=leave_labels, here=""))


def _documents(locale: str, charters: Sequence[Charter], env: Environment) -> Iterator[Page]:
    for name, path in (("start", ""), ("return", "return"), ("protection", "protection")):
        yield make_document(f"/{locale}/{path}", env.get_template(f"{name}.html").render(charters=charters, here=path))
    yield make_document(not_found_path(locale), env.get_template("not_found.html").render(here=""))
    names = {
        # Only the two-letter codes: a browser knows the names, which would take 2 KB.
        "countries": "".join(sorted(country_names(SOURCE_LOCALE))),
        "months": get_month_names("wide", locale=Locale.parse(locale, sep="-")),
    }
    report = env.get_template("report.html")
    for charter in charters:
        here = f"{charter.slug}/report"
        yield make_document(f"/{locale}/{here}", report.render(charter=charter, here=here, **names))


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
