# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders the register: a page for every finding, lists, feeds. Once for each locale, without script.

Lists are joined from fragments, one for each entry, so that a publication renders only the changed findings.
"""

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from jinja2 import Environment
from markupsafe import Markup

from crypto.fingerprint import member_fingerprint
from crypto.ids import FindingId
from portal.kit.assets import Asset
from portal.kit.headers import REGISTER_CSP
from portal.kit.i18n import LOCALES, SOURCE_LOCALE, load_translation
from portal.kit.prose import render_prose
from portal.kit.quiet_logging import describe_error
from portal.kit.templating import environment
from portal.pages.build import DOMAIN, LOCALE, PASSING, TEMPLATES, text_in
from portal.pages.site import Page, asset_page, make_page
from portal.register import feeds
from portal.register.downloads import Downloads, file_hash
from portal.register.entry import Entry
from portal.register.labels import labels

LOG = logging.getLogger("portal")
STYLE = "register.css"
LIST_PAGE = 50
SIGNERS_KEPT_MAX = 1024
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class RegisterPages:
    """The current pages of the register, in the order of look-up, and all their hashes.

    ``problems`` are the findings that can't be shown, with their commissions' short names: their pages say so, and they
    are in no feed. ``passing`` are those of them that may be shown at another attempt.
    """

    pages: tuple[Mapping[str, Page], ...]
    hashes: Mapping[str, str]
    problems: Mapping[FindingId, str]
    passing: frozenset[FindingId]
    _fragments: Mapping[tuple[str, str], Markup]
    _made: Mapping[str, Page]
    _environments: Mapping[str, Environment]
    _origin: str

    def renewed(self, entries: Sequence[Entry], changed: Collection[str]) -> "RegisterPages":
        """Return the register with these entries, newest first; those with the ids ``changed`` are rendered again."""
        made, fragments, files = dict(self._made), dict(self._fragments), dict(self.hashes)
        problems = {name: slug for name, slug in self.problems.items() if name not in changed}
        passing = self.passing.difference(changed)
        for entry in entries:
            if entry.finding.id not in changed:
                continue
            try:
                shown, files[entry.file_path] = self._show(entry), file_hash(entry)
            except Exception as error:
                LOG.error("a finding is left out, its page can't be built: %s", describe_error(error))
                problems[entry.finding.id] = entry.finding.slug
                passing |= {entry.finding.id} if isinstance(error, PASSING) else frozenset()
                files.pop(entry.file_path, None)
                # Not the revision before: it says what this one corrects or withdraws.
                shown = self._stand_in(entry)
            for locale, (page, item) in shown.items():
                _add(made, entry.page_path(locale), HTML, page)
                # Rendered with escaping on.
                fragments[locale, entry.finding.id] = Markup(item)  # noqa: S704
        for locale, env in self._environments.items():
            for path, text in _lists(env, locale, entries, fragments):
                _add(made, path, HTML, text)
        whole = [entry for entry in entries if entry.finding.id not in problems]
        self._add_feeds(made, whole)
        hashes = files | {path: _hash(page) for path, page in made.items() if page is not self._made.get(path)}
        values = (problems, passing, fragments, made, self._environments, self._origin)
        return RegisterPages((made, Downloads(whole)), hashes, *values)

    def _show(self, entry: Entry) -> dict[str, tuple[str, str]]:
        """A finding's page and its item in lists, by locale."""
        return {
            locale: (
                env.get_template("register/finding.html").render(entry=entry),
                env.get_template("register/entry.html").render(entry=entry),
            )
            for locale, env in self._environments.items()
        }

    def _stand_in(self, entry: Entry) -> dict[str, tuple[str, str]]:
        """The same for a finding that can't be shown: nothing of it but its id and its addresses."""
        named = {"id": entry.finding.id, "name": entry.name}
        return {
            locale: (
                env.get_template("register/missing.html").render(named),
                env.get_template("register/missing_entry.html").render(page=entry.page_path(locale), **named),
            )
            for locale, env in self._environments.items()
        }

    def _add_feeds(self, made: dict[str, Page], entries: Sequence[Entry]) -> None:
        title = load_translation(LOCALE, DOMAIN, SOURCE_LOCALE).gettext("Findings")
        listed = [entry for entry in feeds.newest(entries) if self._has_feeds(entry)]
        _add(made, feeds.ATOM_PATH, feeds.ATOM_TYPE, feeds.atom_feed(listed, self._origin, title))
        _add(made, feeds.JSON_PATH, feeds.JSON_TYPE, feeds.json_feed(listed, self._origin, title))

    def _has_feeds(self, entry: Entry) -> bool:
        """Whether an entry can stand in the feeds, which one alone would spoil for all."""
        try:
            feeds.atom_feed([entry], self._origin, "")
            feeds.json_feed([entry], self._origin, "")
        except Exception as error:
            LOG.error("a finding is left out of the feeds: %s", describe_error(error))
            return False
        return True


def build_register(entries: Sequence[Entry], origin: str, assets: Mapping[str, Asset]) -> RegisterPages:
    """Return the register with these entries, newest first. Raises KeyError when its style was not built."""
    style = asset_page(assets[STYLE])
    made = {style.path: style}
    environments = {locale: _environment(locale, style.path) for locale in LOCALES}
    empty = RegisterPages((), {style.path: _hash(style)}, {}, frozenset(), {}, made, environments, origin)
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
