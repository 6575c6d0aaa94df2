# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program's settings: a dataclass whose fields are environment variables with the program's prefix.

An error names the variable and says what is expected. It never shows the value, which may be a password.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Count = Annotated[int, msgspec.Meta(ge=1, le=99_999)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

_DEFAULT_PORTS = {"https": 443, "http": 80}
T = TypeVar("T")


class SettingsError(Exception):
    """A setting is missing or can't be used; the message names it and never shows its value."""


def help_text(text: str) -> dict[str, str]:
    """The metadata of a field: what an operator is told of it."""
    return {"help": text}


def read_settings(settings: type[T], prefix: str, environment: Mapping[str, str]) -> T:
    """An object of the dataclass ``settings`` from variables such as ``os.environ``.

    The variable of a field is ``prefix`` and its name in capitals; an empty one is as good as none. A number must be
    within the bounds of its field's type. Raises SettingsError for a variable that has the prefix and is unknown, is
    missing and has no default, or can't be used.
    """
    kinds = get_type_hints(settings, include_extras=True)
    known = {f"{prefix}{field.name.upper()}": field for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    given = {name: text for name, text in environment.items() if name.startswith(prefix) and text}
    for name in sorted(given):
        if name not in known:
            raise SettingsError(f"{name} is not a setting")
    for name, field in known.items():
        if field.default is dataclasses.MISSING and name not in given:
            raise SettingsError(f"{name} is missing")
    return settings(**{known[name].name: _convert(name, text, kinds[known[name].name]) for name, text in given.items()})


def check_origin(name: str, origin: str) -> None:
    """Raise SettingsError unless this is an origin, spelled as browsers spell it."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        raise SettingsError(_not_an_origin(name)) from None
    default = _DEFAULT_PORTS.get(parts.scheme)
    host = parts.hostname or ""
    spelled = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port is not None else "")
    if default is None or not host or port == default or spelled != origin or not origin.isascii():
        raise SettingsError(_not_an_origin(name))


def _not_an_origin(name: str) -> str:
    return f"{name} is not an origin such as https://portal.example"


def _convert(name: str, text: str, kind: Any) -> Any:
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=_make)
    except (msgspec.ValidationError, UnicodeEncodeError):
        # Not a number, or bytes that are no text. The cause is left out: it might show the value.
        raise SettingsError(f"{name} must be a whole number{_bounds(kind)}") from None


def _make(kind: type[Any], text: str) -> Path:
    """What msgspec does not know by itself."""
    assert kind is Path, f"a setting can't be of type {kind.__name__}"
    return Path(text)


def _bounds(kind: Any) -> str:
    return "".join(f" from {each.ge} to {each.le}" for each in get_args(kind) if isinstance(each, msgspec.Meta))
