# SPDX-License-Identifier: AGPL-3.0-or-later
"""Translations from gettext catalogs, read as ``.po`` so that no compiled file can be stale; names by locale."""

import gettext
import io
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LOCALE = "en"
LOCALES = ("en", "ar")
# Countries that reporters name but ISO 3166-1 does not assign (domain codes).
_COUNTRIES_ADDED = ("XK",)
# Tags come from strangers: as many different ones as they like, but a page repeats few.
_TAGS_KEPT_MAX = 256
_DAYS_KEPT_MAX = 1024
_NOT_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})


@dataclass(frozen=True)
class Translation:
    """One locale's strings; the source locale translates to itself."""

    locale: str
    catalog: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        return self.catalog.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.catalog.ngettext(singular, plural, number)

    def pgettext(self, context: str, message: str) -> str:
        return self.catalog.pgettext(context, message)


def load_translation(folder: Path, domain: str, locale: str) -> Translation:
    """Load the catalog ``folder/<locale>/LC_MESSAGES/<domain>.po``.

    Raises FileNotFoundError for a locale other than the source one that has no catalog.
    """
    if locale == SOURCE_LOCALE:
        return Translation(locale, gettext.NullTranslations())
    path = folder / locale / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as source:
        catalog = read_po(source, locale=locale, domain=domain)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translation(locale, gettext.GNUTranslations(compiled))


@lru_cache(_TAGS_KEPT_MAX)
def find_locale(tag: str) -> Locale | None:
    """The locale of a language tag (BCP 47), or None for a tag that Babel has no data of.

    Tags come from strangers, and well-formed ones are often unknown: ``ary``, ``prs``. Nothing else here parses them.
    """
    try:
        return Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def language_in(tag: str, locale: str) -> str:
    """What the language of a tag is called in ``locale``: Arabic, Chinese (Traditional), Arabic (ar-XB).

    A tag whose language has no name there stands for itself.
    """
    found, reader = find_locale(tag), Locale.parse(locale, sep="-")
    # Babel finds something for "und" and for a wrong script as well, and would call it what it is not.
    if found is not None and str(found).casefold() == tag.replace("-", "_").casefold():
        return found.get_display_name(reader) or tag
    base = tag.partition("-")[0]
    name = reader.languages.get(base.lower())
    if name is None:
        return tag
    return str(name) if base == tag else f"{name} ({tag})"


def direction(locale: str) -> str:
    """Return ``rtl`` or ``ltr``, the direction of this language's script; ``ltr`` for an unknown language."""
    found = find_locale(locale)
    return "ltr" if found is None else found.text_direction


def text_direction(text: str, language: str) -> str:
    """Return ``rtl`` or ``ltr``, the direction of most of the letters, or that of the language if there are none.

    A reporter may write in another language than the form's, and begin an Arabic sentence with a Latin name.
    """
    counts = {"rtl": 0, "ltr": 0}
    for character in text[:10_000]:
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL"):
            counts["rtl"] += 1
        elif kind == "L":
            counts["ltr"] += 1
    if counts["rtl"] == counts["ltr"]:
        return direction(language)
    return max(counts, key=lambda name: counts[name])


@lru_cache(_TAGS_KEPT_MAX)
def language_name(locale: str) -> str:
    """Return the language's name in that language: العربية, English."""
    found = find_locale(locale)
    return (found and found.get_display_name()) or locale


@lru_cache(_DAYS_KEPT_MAX)
def format_day(day: date, locale: str) -> str:
    """Return a day with the month in words and Latin digits in every locale: 3 March 2026, 3 مارس 2026."""
    return format_date(day, "d MMMM y", locale=Locale.parse(locale, sep="-"))


def country_names(locale: str) -> dict[str, str]:
    """Return country names by ISO 3166-1 alpha-2 code, and Kosovo, in the order of this locale's alphabet."""
    names = Locale.parse(locale, sep="-").territories
    codes = {code for code in map(str, names) if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES}
    pairs = [(code, str(names[code])) for code in codes.union(_COUNTRIES_ADDED)]
    return dict(sorted(pairs, key=lambda pair: sort_key(pair[1])))


def sort_key(name: str) -> str:
    """Return the name with case, accents and the Arabic alif forms folded, for alphabetical order."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in folded if not unicodedata.combining(char)).replace("ٱ", "ا")
