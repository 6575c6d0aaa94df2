# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program's settings: a dataclass whose fields are environment variables with the program's prefix.

An error names the variable and says what is expected. It never shows the value, which may be a password.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Count = Annotated[int, msgspec.Meta(ge=1, le=99_999)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

T = TypeVar("T")


class SettingsError(Exception):
    """A setting is missing or can't be used; the message names it and never shows its value."""


def help_text(text: str) -> dict[str, str]:
    """The metadata of a field: what an operator is told of it."""
    return {"help": text}


def read_settings(settings: type[T], prefix: str, environment: Mapping[str, str]) -> T:
    """An object of the dataclass ``settings`` from variables such as ``os.environ``.

    The variable of a field is ``prefix`` and its name in capitals; an empty one is as good as none. A number must be
    within the bounds of its field's type, anything else one line of visible text. Raises SettingsError for a variable
    that has the prefix and is unknown, is missing and has no default, or can't be used.
    """
    kinds = get_type_hints(settings, include_extras=True)
    known = {f"{prefix}{field.name.upper()}": field for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    given = {name: text for name, text in environment.items() if name.startswith(prefix) and text}
    for name in sorted(given):
        if name not in known:
            raise SettingsError(f"{name if name.isprintable() else ascii(name)} is not a setting")
    for name, field in known.items():
        if field.default is dataclasses.MISSING and name not in given:
            raise SettingsError(f"{name} is missing")
    return settings(**{known[name].name: _convert(name, text, kinds[known[name].name]) for name, text in given.items()})


def _convert(name: str, text: str, kind: Any) -> Any:
    if kind in (str, Path):
        # Half of a line, a blank after a path, bytes that are no text: mistakes that nobody would see.
        if not text.isprintable() or text != text.strip():
            raise SettingsError(f"{name} must be one line of visible text without a blank at its ends")
        return kind(text)
    try:
        return msgspec.convert(text, kind, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError):
        # The cause is left out: it might show the value.
        raise SettingsError(f"{name} must be a whole number{_bounds(kind)}") from None


def _bounds(kind: Any) -> str:
    return "".join(f" from {each.ge} to {each.le}" for each in get_args(kind) if isinstance(each, msgspec.Meta))
