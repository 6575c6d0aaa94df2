# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders the register: a page for every finding, lists, feeds. Once for each locale, without script.

Lists are joined from fragments, one for each entry, so that a publication renders only the changed findings.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from jinja2 import Environment
from markupsafe import Markup

from crypto.fingerprint import member_fingerprint
from portal.kit.assets import Asset
from portal.kit.headers import REGISTER_CSP
from portal.kit.i18n import LOCALES, SOURCE_LOCALE, load_translation
from portal.kit.prose import render_prose
from portal.kit.templating import environment
from portal.pages.build import DOMAIN, LOCALE, TEMPLATES, text_in
from portal.pages.site import Page, asset_page, make_page
from portal.register import feeds
from portal.register.downloads import Downloads, file_hash
from portal.register.entry import Entry
from portal.register.labels import labels

STYLE = "register.css"
LIST_PAGE = 50
SIGNERS_KEPT_MAX = 1024
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class RegisterPages:
    """The current pages of the register, in the order of look-up, and all their hashes."""

    pages: tuple[Mapping[str, Page], ...]
    hashes: Mapping[str, str]
    _fragments: Mapping[tuple[str, str], Markup]
    _made: Mapping[str, Page]
    _environments: Mapping[str, Environment]
    _origin: str

    def renewed(self, entries: Sequence[Entry], changed: Collection[str]) -> "RegisterPages":
        """Return the register with these entries, newest first; those with the ids ``changed`` are rendered again."""
        made, fragments, files = dict(self._made), dict(self._fragments), dict(self.hashes)
        for entry in entries:
            if entry.finding.id not in changed:
                continue
            files[entry.file_path] = file_hash(entry)
            for locale, env in self._environments.items():
                _add(made, entry.page_path(locale), HTML, env.get_template("register/finding.html").render(entry=entry))
                item = env.get_template("register/entry.html").render(entry=entry)
                # Rendered with escaping on.
                fragments[locale, entry.finding.id] = Markup(item)  # noqa: S704
        for locale, env in self._environments.items():
            for path, text in _lists(env, locale, entries, fragments):
                _add(made, path, HTML, text)
        self._add_feeds(made, entries)
        hashes = files | {path: _hash(page) for path, page in made.items() if page is not self._made.get(path)}
        pages = (made, Downloads(entries))
        return RegisterPages(pages, hashes, fragments, made, self._environments, self._origin)

    def _add_feeds(self, made: dict[str, Page], entries: Sequence[Entry]) -> None:
        title = load_translation(LOCALE, DOMAIN, SOURCE_LOCALE).gettext("Findings")
        listed = feeds.newest(entries)
        _add(made, feeds.ATOM_PATH, feeds.ATOM_TYPE, feeds.atom_feed(listed, self._origin, title))
        _add(made, feeds.JSON_PATH, feeds.JSON_TYPE, feeds.json_feed(listed, self._origin, title))


def build_register(entries: Sequence[Entry], origin: str, assets: Mapping[str, Asset]) -> RegisterPages:
    """Return the register with these entries, newest first. Raises KeyError when its style was not built."""
    style = asset_page(assets[STYLE])
    made = {style.path: style}
    environments = {locale: _environment(locale, style.path) for locale in LOCALES}
    empty = RegisterPages((), {style.path: _hash(style)}, {}, made, environments, origin)
    return empty.renewed(entries, {entry.finding.id for entry in entries})


def _environment(locale: str, style_path: str) -> Environment:
    translation = load_translation(LOCALE, DOMAIN, locale)
    env = environment([TEMPLATES], translation)
    env.filters["prose"] = render_prose
    env.filters["in_locale"] = lambda texts: text_in(texts, locale)
    env.globals.update(
        locales=LOCALES,
        style=style_path,
        labels=labels(translation),
        atom_path=feeds.ATOM_PATH,
        json_path=feeds.JSON_PATH,
        # The same few members sign every finding, and their keys are long.
        fingerprint=lru_cache(SIGNERS_KEPT_MAX)(member_fingerprint),
    )
    return env


def _lists(
    env: Environment, locale: str, entries: Sequence[Entry], fragments: Mapping[tuple[str, str], Markup]
) -> Iterator[tuple[str, str]]:
    """Return the pages of the list with their paths."""
    template = env.get_template("register/list.html")
    count = max(1, -(-len(entries) // LIST_PAGE))
    for number in range(1, count + 1):
        shown = entries[(number - 1) * LIST_PAGE : number * LIST_PAGE]
        years = [
            (year, [fragments[locale, entry.finding.id] for entry in group])
            for year, group in groupby(shown, key=lambda entry: entry.first_day.year)
        ]
        path = list_path(number)
        yield (
            f"/{locale}{path}",
            template.render(
                here=path, years=years, total=len(entries), number=number, count=count, list_path=list_path
            ),
        )


def list_path(number: int) -> str:
    """Return the path of a page of the list, after the locale; the first page is the register itself."""
    return "/findings/" if number == 1 else f"/findings/page/{number}"


def _add(made: dict[str, Page], path: str, content_type: str, content: str | bytes) -> None:
    body = content.encode("utf-8") if isinstance(content, str) else content
    if path not in made or made[path].body != body:
        made[path] = make_page(path, body, content_type, REGISTER_CSP, quick=True)


def _hash(page: Page) -> str:
    return hashlib.sha256(page.body).hexdigest()
