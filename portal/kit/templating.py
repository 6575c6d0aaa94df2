# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jinja2 for both programs: escaping is on, an undefined name is an error, every string goes through gettext."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.kit.i18n import Translation, direction, format_day, language_name


def environment(folders: list[Path], translation: Translation) -> Environment:
    """Return an environment for one locale. Compiled templates stay in memory; nothing is spooled to disk."""
    env = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=translation.gettext,
        ngettext=translation.ngettext,
        pgettext=translation.pgettext,
        newstyle=True,
    )
    env.globals.update(locale=translation.locale, dir=direction(translation.locale), language_name=language_name)
    env.globals["direction"] = direction
    env.filters["day"] = lambda value: format_day(value, translation.locale)
    env.policies["ext.i18n.trimmed"] = True
    return env
