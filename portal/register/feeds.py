# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newest entries for feed readers: Atom (RFC 4287) and JSON Feed 1.1. Times are days: always midnight UTC."""

from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree as ET

import msgspec

from portal.kit.i18n import LOCALES, SOURCE_LOCALE
from portal.register.entry import Entry

ENTRIES_MAX = 50
ATOM_PATH = "/findings.atom"
JSON_PATH = "/findings.json"
PATHS = (ATOM_PATH, JSON_PATH)
ATOM_TYPE = "application/atom+xml; charset=utf-8"
JSON_TYPE = "application/feed+json"
# The time of the last change of a feed without entries; Atom requires one.
_NEVER = date(1970, 1, 1)
_ATOM = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"


def atom_feed(entries: Sequence[Entry], origin: str, title: str) -> bytes:
    """Return the Atom feed of these entries at ``origin``."""
    feed = ET.Element("feed", {"xmlns": _ATOM, f"{{{_XML}}}lang": SOURCE_LOCALE})
    _text(feed, "id", f"{origin}{ATOM_PATH}")
    _text(feed, "title", title)
    _text(feed, "updated", _midnight(max((entry.finding.day for entry in entries), default=_NEVER)))
    ET.SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{origin}{ATOM_PATH}"})
    for entry in entries:
        feed.append(_atom_entry(entry, origin))
    data: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return data


def json_feed(entries: Sequence[Entry], origin: str, title: str) -> bytes:
    """Return the same as a JSON Feed."""
    items = [
        {
            "id": f"{origin}{entry.file_path}",
            "url": f"{origin}{entry.page_path(SOURCE_LOCALE)}",
            "title": _title(entry),
            "content_text": _summary(entry),
            "date_published": _midnight(entry.first_day),
            "date_modified": _midnight(entry.finding.day),
            "language": entry.finding.language,
            "authors": [{"name": _commission(entry)}],
            "attachments": [{"url": f"{origin}{entry.file_path}", "mime_type": "application/json"}],
        }
        for entry in entries
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": f"{origin}/{SOURCE_LOCALE}/findings/",
        "feed_url": f"{origin}{JSON_PATH}",
        "items": items,
    }
    return msgspec.json.encode(feed)


def _atom_entry(entry: Entry, origin: str) -> ET.Element:
    element = ET.Element("entry", {f"{{{_XML}}}lang": entry.finding.language})
    _text(element, "id", f"{origin}{entry.file_path}")
    _text(element, "title", _title(entry))
    _text(element, "published", _midnight(entry.first_day))
    _text(element, "updated", _midnight(entry.finding.day))
    _text(ET.SubElement(element, "author"), "name", _commission(entry))
    _text(element, "summary", _summary(entry))
    for locale in LOCALES:
        link = {"rel": "alternate", "type": "text/html", "hreflang": locale}
        ET.SubElement(element, "link", {**link, "href": f"{origin}{entry.page_path(locale)}"})
    file = {"rel": "enclosure", "type": "application/json", "href": f"{origin}{entry.file_path}"}
    ET.SubElement(element, "link", file)
    return element


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _title(entry: Entry) -> str:
    # A withdrawn finding has no title; its id is the same in every language.
    return entry.finding.title or entry.finding.id


def _summary(entry: Entry) -> str:
    return entry.finding.reason or "" if entry.finding.is_withdrawn else entry.finding.summary


def _commission(entry: Entry) -> str:
    """Return the commission's name in the language of the finding, or in its first language."""
    names = entry.charter.name
    return names.get(entry.finding.language) or next(iter(names.values()))
