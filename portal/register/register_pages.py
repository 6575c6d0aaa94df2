# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders the register: a page for every finding, lists, feeds, signed files. For each locale, without script.

Lists are joined from items, one for each finding, so that a publication renders only the changed finding again.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby

from jinja2 import Environment
from markupsafe import Markup

from crypto.fingerprint import member_fingerprint
from crypto.published_finding import write_published_finding
from portal.kit.assets import Asset
from portal.kit.headers import REGISTER_CSP
from portal.kit.i18n import LOCALES, SOURCE_LOCALE, load_translation
from portal.kit.prose import render_prose
from portal.kit.quiet_logging import describe_error
from portal.kit.templating import environment
from portal.pages.build import DOMAIN, LOCALE, TEMPLATES, text_in
from portal.pages.site import Page, asset_page, make_page
from portal.register import feeds
from portal.register.entry import Entry, StoredFinding
from portal.register.labels import labels

LOG = logging.getLogger("portal")
STYLE = "register.css"
LIST_PAGE = 50
SIGNERS_KEPT_MAX = 1024
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class ShownFinding:
    """What the register shows of a finding: its pages, its items in lists by locale, the hash of its signed file.

    Without such a hash it can't be shown, and its pages say so; ``passing`` if it may be at another attempt.
    """

    pages: tuple[Page, ...]
    items: Mapping[str, Markup]
    file_hash: str | None
    passing: bool = False


@dataclass(frozen=True)
class ListPage:
    """What a page of the list holds: ``items``, newest first, with their first days, of ``total`` findings."""

    locale: str
    number: int
    items: Sequence[tuple[date, Markup]]
    total: int


class RegisterMaker:
    """Makes the register's pages, each for itself. Raises FileNotFoundError when the style was not built."""

    def __init__(self, origin: str, leave_url: str, assets: Mapping[str, Asset]) -> None:
        self.style = asset_page(assets[STYLE])
        self._origin = origin
        self._environments = {locale: _environment(locale, self.style.path, leave_url) for locale in LOCALES}

    def show(self, entry: Entry) -> ShownFinding:
        """Raises whatever goes wrong."""
        pages, items = [], {}
        for locale, env in self._environments.items():
            page = env.get_template("register/finding.html").render(entry=entry)
            pages.append(_page(entry.page_path(locale), HTML, page))
            # Rendered with escaping on.
            items[locale] = Markup(env.get_template("register/entry.html").render(entry=entry))  # noqa: S704
        return ShownFinding(tuple(pages), items, hashlib.sha256(file_bytes(entry)).hexdigest())

    def stand_in(self, stored: StoredFinding, *, passing: bool) -> ShownFinding:
        """The same for a finding that can't be shown: nothing of it but its id and its addresses."""
        named = {"id": stored.id, "name": stored.name}
        pages, items = [], {}
        for locale, env in self._environments.items():
            path = stored.page_path(locale)
            pages.append(_page(path, HTML, env.get_template("register/missing.html").render(named)))
            item = env.get_template("register/missing_entry.html").render(page=path, **named)
            items[locale] = Markup(item)  # noqa: S704
        return ShownFinding(tuple(pages), items, None, passing)

    def list_page(self, listed: ListPage) -> Page:
        groups = groupby(listed.items, key=lambda item: item[0].year)
        template = self._environments[listed.locale].get_template("register/list.html")
        here = list_path(listed.number)
        text = template.render(
            here=here,
            years=[(year, [item for _, item in group]) for year, group in groups],
            total=listed.total,
            number=listed.number,
            count=count_lists(listed.total),
        )
        return _page(f"/{listed.locale}{here}", HTML, text)

    def feeds(self, entries: Sequence[Entry]) -> list[Page]:
        """The feeds of these entries, the newest change first."""
        title = load_translation(LOCALE, DOMAIN, SOURCE_LOCALE).gettext("Findings")
        listed = [entry for entry in entries if self._has_feeds(entry)]
        return [
            _page(feeds.ATOM_PATH, feeds.ATOM_TYPE, feeds.atom_feed(listed, self._origin, title)),
            _page(feeds.JSON_PATH, feeds.JSON_TYPE, feeds.json_feed(listed, self._origin, title)),
        ]

    def _has_feeds(self, entry: Entry) -> bool:
        """Whether an entry can stand in the feeds, which one alone would spoil for all."""
        try:
            feeds.atom_feed([entry], self._origin, "")
            feeds.json_feed([entry], self._origin, "")
        except Exception as error:
            LOG.error("a finding is left out of the feeds: %s", describe_error(error))
            return False
        return True

    def file(self, entry: Entry) -> Page:
        return _page(entry.file_path, "application/json", file_bytes(entry))


def file_bytes(entry: Entry) -> bytes:
    """Return the published finding of docs/protocol.md §14.3. It holds whole charters, so it is made on request."""
    return write_published_finding(entry.note, [charter.note for charter in entry.charters])


def count_lists(total: int) -> int:
    """How many pages the list of so many findings has."""
    return max(1, -(-total // LIST_PAGE))


def list_path(number: int) -> str:
    """Return the path of a page of the list, after the locale; the first page is the register itself."""
    return "/findings/" if number == 1 else f"/findings/page/{number}"


def _environment(locale: str, style_path: str, leave_url: str) -> Environment:
    translation = load_translation(LOCALE, DOMAIN, locale)
    env = environment([TEMPLATES], translation)
    env.filters["prose"] = render_prose
    env.filters["in_locale"] = lambda texts: text_in(texts, locale)
    env.globals.update(
        locales=LOCALES,
        style=style_path,
        leave_url=leave_url,
        labels=labels(translation),
        atom_path=feeds.ATOM_PATH,
        json_path=feeds.JSON_PATH,
        list_path=list_path,
        # The same few members sign every finding, and their keys are long.
        fingerprint=lru_cache(SIGNERS_KEPT_MAX)(member_fingerprint),
    )
    return env


def _page(path: str, content_type: str, content: str | bytes) -> Page:
    body = content.encode("utf-8") if isinstance(content, str) else content
    return make_page(path, body, content_type, REGISTER_CSP, quick=True)
