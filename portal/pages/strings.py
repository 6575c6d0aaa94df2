# SPDX-License-Identifier: AGPL-3.0-or-later
"""The strings of the browser script, one JavaScript module for each page and locale, from the pages' own catalog.

A message belongs to the script when the catalog says that it occurs in ``static/src``, and to every page unless it
occurs only in modules of another page.
"""

import json
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from portal.kit.assets import Asset, make_asset
from portal.kit.i18n import SOURCE_LOCALE

SCRIPT_FOLDER = "static/src/"
# Modules that only this page loads; what is in neither list is loaded by both.
PAGES = {
    "form": (
        "check-answers.js",
        "failure.js",
        "file-item.js",
        "files.js",
        "members.js",
        "moment.js",
        "partial-date.js",
        "question.js",
        "receipt.js",
        "report.js",
        "report-form.js",
        "sending.js",
    ),
    # The form loads the strings of the return page too, with ``more.js``, where somebody has more to say.
    "return": ("code-field.js", "letters.js", "mailbox-failure.js", "mailbox-page.js", "mailbox-status.js", "more.js"),
}
# Gettext's separator between a context and its message.
CONTEXT_END = "\x04"


def strings_asset(folder: Path, domain: str, page: str, locale: str) -> Asset:
    """Return the module of a page, one of ``PAGES``, as an asset. The source locale has its plural rule alone.

    Raises FileNotFoundError when the locale has no catalog.
    """
    if locale == SOURCE_LOCALE:
        catalog = Catalog(locale=locale)
    else:
        with (folder / locale / "LC_MESSAGES" / f"{domain}.po").open("rb") as source:
            catalog = read_po(source, locale=locale, domain=domain)
    return make_asset(f"strings-{page}-{locale}.js", _module(page, locale, catalog).encode("utf-8"))


def _module(page: str, locale: str, catalog: Catalog) -> str:
    # A plural rule is a C expression that means the same in JavaScript, except that a comparison gives a boolean there:
    # hence Number.
    return (
        f"export const locale = {json.dumps(locale)};\n"
        f"export const plural = (n) => Number({catalog.plural_expr});\n"
        f"export const messages = {json.dumps(_messages(page, catalog), ensure_ascii=False, indent=0)};\n"
    )


def _messages(page: str, catalog: Catalog) -> dict[str, str | list[str]]:
    others = tuple(name for other, names in PAGES.items() if other != page for name in names)
    messages: dict[str, str | list[str]] = {}
    for message in catalog:
        in_script = any(
            path.startswith(SCRIPT_FOLDER) and path.rsplit("/", 1)[1] not in others for path, _ in message.locations
        )
        if not message.id or not in_script or message.fuzzy:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        if message.context:
            key = f"{message.context}{CONTEXT_END}{key}"
        messages[key] = message.string if isinstance(message.string, str) else list(message.string or ())
    return messages
