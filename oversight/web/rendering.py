# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages from templates, in the member's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from babel.core import negotiate_locale
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from oversight.settings import Settings
from oversight.web.addresses import path_of
from oversight.web.role_labels import role_name
from oversight.web.rows import attempt
from oversight.web.standing_notices import Notice, charter_notice, clock_notice, urgent_notice
from portal.kit.assets import Asset, load_assets
from portal.kit.i18n import LOCALES, SOURCE_LOCALE, Translation, language_in, load_translation
from portal.kit.templating import environment

DOMAIN = "oversight"
_HERE = Path(__file__).resolve().parent.parent
TEMPLATES = _HERE / "templates"
LOCALE = _HERE / "locale"


@dataclass(frozen=True)
class PageKit:
    """Loaded once when the office starts: an environment and the strings of each locale, the built styles."""

    environments: Mapping[str, Environment]
    translations: Mapping[str, Translation]
    assets: Mapping[str, Asset]


class Values(dict[str, object]):
    """What the fields of a page are filled in with; a field without a value is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def load_page_kit(settings: Settings) -> PageKit:
    """Raises FileNotFoundError when the styles have not been built or a catalog is missing."""
    assets = load_assets(settings.static)
    translations = {locale: load_translation(LOCALE, DOMAIN, locale) for locale in LOCALES}
    # Missed at the start, not by whoever opens the first page.
    stylesheet = assets["office.css"].path
    environments = {locale: _environment(translations[locale], stylesheet) for locale in LOCALES}
    return PageKit(environments, translations, assets)


def _environment(translation: Translation, stylesheet: str) -> Environment:
    env = environment([TEMPLATES], translation)
    env.globals["stylesheet"] = stylesheet
    env.globals["locales"] = LOCALES
    env.globals["attempt"] = attempt
    env.globals["language_in"] = lambda tag: language_in(tag, translation.locale)
    env.globals["role_name"] = lambda code: role_name(code, translation)
    for name in ("components.html", "base.html", "error.html"):
        # That no file can be opened must be said without opening one.
        env.get_template(name)
    return env


def locale_of(request: Request) -> str:
    """The member's language; before login the one that the browser asks for, of those that there are."""
    chosen = getattr(request.state, "locale", None)
    if chosen in LOCALES:
        return str(chosen)
    asked = [item.split(";")[0].strip() for item in request.headers.get("accept-language", "").split(",")]
    return negotiate_locale(asked[:10], LOCALES, sep="-") or SOURCE_LOCALE


def translation_of(request: Request) -> Translation:
    kit: PageKit = request.app.state.kit
    return kit.translations[locale_of(request)]


def render(request: Request, name: str, status_code: int = 200, **context: object) -> HTMLResponse:
    """A page from ``templates/<name>``. ``errors`` (a list of FieldError) may be among the context."""
    kit: PageKit = request.app.state.kit
    template = kit.environments[locale_of(request)].get_template(name)
    context.setdefault("errors", [])
    context.setdefault("disk_is_full", getattr(request.state, "disk_is_full", False))
    context.setdefault("notices", _standing_notices(request))
    context["values"] = Values(cast("Mapping[str, object]", context.get("values") or {}))
    html = template.render(session=getattr(request.state, "session", None), path=path_of(request), **context)
    return HTMLResponse(html, status_code, headers={"cache-control": "no-store"})


def _standing_notices(request: Request) -> list[Notice]:
    """For members who are logged in, whose session brought the charter's last day (``sessions.current_session``)."""
    if getattr(request.state, "session", None) is None:
        return []
    now, translation = request.app.state.clock(), translation_of(request)
    urgent = request.state.urgent
    about_urgent = urgent_notice(urgent.now, urgent.soon, translation, may_read=request.state.may_read)
    found = [about_urgent] if about_urgent else []
    if request.app.state.portal_visits.clocks_differ:
        found.append(clock_notice(now, translation))
    valid_until = getattr(request.state, "charter_until", None)
    about_charter = charter_notice(valid_until, now.date(), translation) if valid_until else None
    return [*found, about_charter] if about_charter else found


def redirect(path: str) -> Response:
    """To another page of the office, after a form was taken."""
    return RedirectResponse(path, 303)
