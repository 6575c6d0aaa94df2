# SPDX-License-Identifier: AGPL-3.0-or-later
"""The strings of the browser script, one JavaScript module for each locale, from the same catalog as the pages.

A message belongs to the script when the catalog says that it occurs in ``static/src``.
"""

import json
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from portal.kit.assets import Asset, make_asset
from portal.kit.i18n import SOURCE_LOCALE

SCRIPT_FOLDER = "static/src/"
# Gettext's separator between a context and its message.
CONTEXT_END = "\x04"


def strings_asset(folder: Path, domain: str, locale: str) -> Asset:
    """Return the module of ``locale`` as an asset. The source locale has its plural rule and no messages.

    Raises FileNotFoundError when the locale has no catalog.
    """
    if locale == SOURCE_LOCALE:
        catalog = Catalog(locale=locale)
    else:
        with (folder / locale / "LC_MESSAGES" / f"{domain}.po").open("rb") as source:
            catalog = read_po(source, locale=locale, domain=domain)
    return make_asset(f"strings-{locale}.js", _module(locale, catalog).encode("utf-8"))


def _module(locale: str, catalog: Catalog) -> str:
    # A plural rule is a C expression that means the same in JavaScript, except that a comparison gives a boolean there:
    # hence Number.
    return (
        f"export const locale = {json.dumps(locale)};\n"
        f"export const plural = (n) => Number({catalog.plural_expr});\n"
        f"export const messages = {json.dumps(_messages(catalog), ensure_ascii=False, indent=0)};\n"
    )


def _messages(catalog: Catalog) -> dict[str, str | list[str]]:
    messages: dict[str, str | list[str]] = {}
    for message in catalog:
        in_script = any(path.startswith(SCRIPT_FOLDER) for path, _ in message.locations)
        if not message.id or not in_script or message.fuzzy:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        if message.context:
            key = f"{message.context}{CONTEXT_END}{key}"
        messages[key] = message.string if isinstance(message.string, str) else list(message.string or ())
    return messages
