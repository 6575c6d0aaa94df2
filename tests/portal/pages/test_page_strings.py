# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every string that a reader sees goes through the catalog, and the catalog is whole."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from portal.kit.i18n import LOCALES, SOURCE_LOCALE
from portal.pages.build import DOMAIN, LOCALE, TEMPLATES
from portal.pages.strings import PAGES, SCRIPT_FOLDER, strings_asset
from tests.conftest import ROOT

TRANSLATED = [locale for locale in LOCALES if locale != SOURCE_LOCALE]
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.js", "javascript")]
OPTIONS = {"**.html": {"trimmed": "true"}}
# These are the same in every language.
NAMES_OF_FORMATS = {"Atom", "JSON", "JSON Feed", "Feed"}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "t": None, "tn": (1, 2)}


def catalog(locale: str) -> Catalog:
    with (LOCALE / locale / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as source:
        return read_po(source, locale=locale, domain=DOMAIN)


def used_messages() -> set[str]:
    """The messages that templates, pages and script ask for, a plural by its first form."""
    found = set()
    for folder in (ROOT / "portal", ROOT / "static" / "src"):
        for _, _, message, _, _ in extract_from_dir(folder, METHODS, OPTIONS, KEYWORDS):
            found.add(message if isinstance(message, str) else message[0])
    return found


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_message_is_translated(locale: str) -> None:
    messages = catalog(locale)
    forms = messages.num_plurals
    missing = []
    for used in used_messages():
        message = messages.get(used)
        strings = message.string if message else ""
        whole = bool(strings) if isinstance(strings, str) else len(strings) == forms and all(strings)
        if not whole or (message and message.fuzzy):
            missing.append(used)
    assert missing == []


@pytest.mark.parametrize("locale", TRANSLATED)
def test_translations_keep_every_placeholder(locale: str) -> None:
    pattern = re.compile(r"%\(\w+\)s|\{\w+\}")
    for message in catalog(locale):
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[1]
        strings = [message.string] if isinstance(message.string, str) else message.string
        for string in filter(None, strings):
            assert set(pattern.findall(string)) == set(pattern.findall(source)), message.id


@pytest.mark.parametrize("locale", TRANSLATED)
def test_machine_made_translations_are_marked_so(locale: str) -> None:
    head = (LOCALE / locale / "LC_MESSAGES" / f"{DOMAIN}.po").read_text().split("msgid", 1)[0]
    assert "Machine-made translation, not yet checked by a native speaker" in head


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_no_template_holds_text_outside_of_the_catalog(template: Path) -> None:
    text = template.read_text()
    for pattern in (
        r"<(code|pre)\b.*?</\1>",
        r"\{#.*?#\}",
        r"\{% trans.*?endtrans %\}",
        r"\{[%{].*?[%}]\}",
        r"<!doctype html>",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    words = re.findall(r'\b(?:aria-label|alt|title|placeholder)="([^"]*\w[^"]*)"', text)
    words += re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", " ", text))
    assert set(words) <= NAMES_OF_FORMATS


def test_script_gets_its_own_strings_and_the_catalogs_rule_of_plurals() -> None:
    module = strings_asset(LOCALE, DOMAIN, "form", "ar").body.decode()
    assert "Not answered" in module
    # What only templates say is not sent along.
    assert "You can tell someone" not in module
    assert "n%100>=3 && n%100<=10" in module
    english = strings_asset(LOCALE, DOMAIN, "form", "en").body.decode()
    assert "messages = {}" in english


@pytest.mark.parametrize("page", sorted(PAGES))
def test_each_page_gets_the_strings_of_its_script_and_no_others(page: str) -> None:
    built = ROOT / "static" / "dist"
    script = (built / f"{page}.js").read_text() + ((built / "more.js").read_text() if page == "return" else "")
    module = strings_asset(LOCALE, DOMAIN, page, "ar").body.decode()
    sent = {message for message in used_messages() if json.dumps(message, ensure_ascii=False) + ":" in module}
    assert len(sent) > 20
    # Quotes are escaped in one way or another; none of these texts holds a straight one.
    assert {message for message in sent if message not in script} == set()
    spoken = {message.id if isinstance(message.id, str) else message.id[0] for message in in_script(catalog("ar"))}
    assert {message for message in spoken - sent if f'"{message}"' in script} == set()


def in_script(messages: Catalog) -> list[Message]:
    return [each for each in messages if each.id and any(path.startswith(SCRIPT_FOLDER) for path, _ in each.locations)]
