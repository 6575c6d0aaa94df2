# SPDX-License-Identifier: AGPL-3.0-or-later
"""Altering JSON documents everywhere: what a strict reader must refuse, wherever in the document it stands."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from crypto.errors import MalformedError, UnsupportedVersionError

Path = tuple[str | int, ...]


def objects_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every object in a JSON value, its own (empty) among them."""
    if isinstance(value, dict):
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from objects_in(item, (*path, name))


def with_one_member_more(value: Any) -> Iterator[tuple[Path, Any]]:
    """The document with a member that nobody specified, once in each of its objects."""
    for path in objects_in(value):
        altered, found = _copy_at(value, path)
        found["zz-unheard-of"] = None
        yield path, altered


def with_one_member_less(value: Any) -> Iterator[tuple[Path, Any]]:
    """The document without one of its members, for each of them in each of its objects."""
    for path in objects_in(value):
        for name in _copy_at(value, path)[1]:
            altered, found = _copy_at(value, path)
            del found[name]
            yield (*path, name), altered


def taken(altered: Iterable[tuple[Path, Any]], read: Callable[[Any], object]) -> list[Path]:
    """Where documents were altered that ``read`` takes all the same, instead of raising the error that it should."""
    found = []
    for path, value in altered:
        try:
            read(value)
        except (MalformedError, UnsupportedVersionError):
            continue
        found.append(path)
    return found


def _copy_at(value: Any, path: Path) -> tuple[Any, Any]:
    altered = copy.deepcopy(value)
    found = altered
    for step in path:
        found = found[step]
    return altered, found
