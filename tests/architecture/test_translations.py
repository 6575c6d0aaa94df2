# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every string that a page can show is in every catalog, whole, with the same places for values."""

import re
import unicodedata
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from portal.kit.i18n import LOCALES, SOURCE_LOCALE

ROOT = Path(__file__).resolve().parents[2]
READ = [("**.py", "python"), ("**.html", "jinja2"), ("**.js", "javascript")]
OPTIONS = {"**.html": {"trimmed": "true"}}
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "N_", "t")),
    "ngettext": (1, 2),
    "tn": (1, 2),
    "pgettext": ((1, "c"), 2),
}
FOLDERS = {"portal": ("portal", "static/src"), "oversight": ("oversight",)}
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}")

# Arabic words for reporting to the police and for informers (docs/glossary.md), without their marks of vowels.
REFUSED = re.compile("بلاغ|بلغ|مخبر|وشاي|وشى")

Key = tuple[str, str | None]


def used_in(domain: str) -> set[Key]:
    found: set[Key] = set()
    for folder in FOLDERS[domain]:
        rows = extract_from_dir(ROOT / folder, READ, OPTIONS, keywords=KEYWORDS, strip_comment_tags=True)
        found.update((message if isinstance(message, str) else message[0], context) for *_, message, _, context in rows)
    return found - {("", None)}


def catalog_of(domain: str, locale: str) -> Catalog:
    with (ROOT / domain / "locale" / locale / "LC_MESSAGES" / f"{domain}.po").open("rb") as source:
        return read_po(source, locale=locale)


def key_of(message: Message) -> Key:
    return (message.id if isinstance(message.id, str) else message.id[0], message.context)


CASES = [(domain, locale) for domain in FOLDERS for locale in LOCALES if locale != SOURCE_LOCALE]


@pytest.mark.parametrize(("domain", "locale"), CASES)
def test_every_string_is_translated(domain: str, locale: str) -> None:
    catalog = catalog_of(domain, locale)
    whole = {
        key_of(message)
        for message in catalog
        if all([message.string] if isinstance(message.string, str) else message.string or [""])
    }
    used = used_in(domain)
    assert len(used) > 100
    assert sorted(used - whole) == []


@pytest.mark.parametrize(("domain", "locale"), CASES)
def test_translations_have_the_same_places_for_values(domain: str, locale: str) -> None:
    for message in catalog_of(domain, locale):
        if not message.id:
            continue
        wanted = set(PLACE.findall(message.id if isinstance(message.id, str) else message.id[-1]))
        strings = [message.string] if isinstance(message.string, str) else message.string
        for string in strings:
            places = set(PLACE.findall(string))
            # A singular, or the plural for none, one or two, may say its number in words.
            assert places == wanted or (len(strings) > 1 and places <= wanted), message.id


@pytest.mark.parametrize(("domain", "locale"), CASES)
def test_catalogs_say_that_no_native_speaker_has_checked_them(domain: str, locale: str) -> None:
    path = ROOT / domain / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"
    assert "not yet checked by a native speaker" in path.read_text(encoding="utf-8")[:600]
    assert not any(message.fuzzy for message in catalog_of(domain, locale) if message.id)


def without_marks(text: str) -> str:
    """Arabic without the marks of vowels and of doubling."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Mn")


def test_no_arabic_that_a_reporter_reads_has_the_colour_of_informing_the_police() -> None:
    refused = []
    for message in catalog_of("portal", "ar"):
        strings = [message.string] if isinstance(message.string, str) else message.string
        refused += [string for string in strings if REFUSED.search(without_marks(string))]
    questionnaire = (ROOT / "oversight/questionnaires/default.json").read_text(encoding="utf-8")
    refused += [line for line in questionnaire.splitlines() if REFUSED.search(without_marks(line))]
    assert refused == []


def test_the_words_are_found_with_their_marks_too() -> None:
    assert REFUSED.search(without_marks("مُبلِّغ"))
    assert REFUSED.search(without_marks("إبلاغ الأسرة"))
    assert not REFUSED.search(without_marks("ما أرسلته في رسالتك"))
