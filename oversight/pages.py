# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page of the office is made with: templates in the member's language, forms, their errors."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs

from babel.core import Locale, negotiate_locale
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from oversight.members.roles import role_name
from oversight.settings import Settings
from portal.web.assets import Asset, load_assets
from portal.web.body import read_body
from portal.web.i18n import LOCALES, SOURCE_LOCALE, Translation, load_translation
from portal.web.templating import environment

DOMAIN = "oversight"
FORM_BYTES_MAX = 256 * 1024
FORM_FIELDS_MAX = 1000
_HERE = Path(__file__).resolve().parent
TEMPLATES = _HERE / "templates"
LOCALE = _HERE / "locale"


@dataclass(frozen=True)
class PageKit:
    """Loaded once when the office starts: an environment and the strings of each locale, the built styles."""

    environments: Mapping[str, Environment]
    translations: Mapping[str, Translation]
    assets: Mapping[str, Asset]


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field. ``message`` is marked with ``N_`` and translated where it is shown."""

    field: str
    message: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """The fields of a posted form."""

    fields: Mapping[str, list[str]]

    def text(self, name: str) -> str:
        """The first value without space around it, or an empty text."""
        return self.secret(name).strip()

    def secret(self, name: str) -> str:
        """The first value exactly as it was typed, or an empty text."""
        return self.fields.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        return self.fields.get(name, [])


class Values(dict[str, object]):
    """What the fields of a page are filled in with; a field without a value is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def N_(message: str) -> str:
    """Marks a text for the catalogs without translating it yet."""
    return message


def load_page_kit(settings: Settings) -> PageKit:
    """Raises FileNotFoundError when the styles have not been built or a catalog is missing."""
    assets = load_assets(settings.static)
    translations = {locale: load_translation(LOCALE, DOMAIN, locale) for locale in LOCALES}
    environments = {locale: _environment(translations[locale], assets) for locale in LOCALES}
    return PageKit(environments, translations, assets)


def _environment(translation: Translation, assets: Mapping[str, Asset]) -> Environment:
    env = environment([TEMPLATES], translation)
    env.globals["asset"] = lambda name: assets[name].path
    env.globals["locales"] = LOCALES
    env.globals["language_in"] = lambda code: Locale.parse(code, sep="-").get_display_name(translation.locale)
    env.globals["role_name"] = lambda code: role_name(code, translation)
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
    context["values"] = Values(cast("Mapping[str, object]", context.get("values") or {}))
    html = template.render(unlocked=getattr(request.state, "unlocked", None), path=request.url.path, **context)
    return HTMLResponse(html, status_code, headers={"cache-control": "no-store"})


def redirect(path: str) -> Response:
    """To another page of the office, after a form was taken."""
    return RedirectResponse(path, 303)


async def read_form(request: Request, max_bytes: int = FORM_BYTES_MAX) -> Form:
    """The posted form, without null bytes, which PostgreSQL can't hold. Whatever is no form is an empty one.

    Raises BodyTooLargeError.
    """
    body = await read_body(request, max_bytes)
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        fields = {}
    return Form({name: [_clean(value) for value in values] for name, values in fields.items()})


def _clean(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\0", "")
