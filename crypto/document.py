# SPDX-License-Identifier: AGPL-3.0-or-later
"""A strict reader of JSON objects, field by field: unspecified members are refused (docs/protocol.md §1)."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from crypto.encoding import decode_hex, decode_json, parse_day
from crypto.errors import LimitError, MalformedError, UnsupportedVersionError

T = TypeVar("T")
TEXT_MAX = 65_536
# JSON can spell them, and nobody can encode them.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Fields:
    """The members of one JSON object, each read once; ``end`` refuses members that were not read.

    Every method raises MalformedError, naming the object and the member (never its value), when the member is missing
    or of another type, and LimitError when it is above its limit.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise MalformedError(f"{where} is not an object")
        self._members: dict[str, Any] = dict(value)
        self.where = where

    def take(self, name: str) -> Any:
        if name not in self._members:
            raise MalformedError(f"{self.where} lacks {name!r}")
        return self._members.pop(name)

    def has(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        return sorted(self._members)

    def text(self, name: str, max_chars: int = TEXT_MAX, pattern: str | None = None) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        if len(value) > max_chars:
            raise LimitError(f"{name!r} of {self.where} is longer than {max_chars} characters")
        if _LONE_SURROGATE.search(value):
            raise self._wrong(name, "Unicode")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise self._wrong(name, "in the expected form")
        return value

    def hex(self, name: str, size: int) -> str:
        """Return the hexadecimal text of ``size`` bytes, as text."""
        value = self.text(name)
        try:
            decode_hex(value, size)
        except MalformedError as error:
            raise MalformedError(f"{name!r} of {self.where}: {error}") from None
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "an integer")
        if not low <= value <= high:
            raise LimitError(f"{name!r} of {self.where} is not between {low} and {high}")
        return value

    def boolean(self, name: str) -> bool:
        value = self.take(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def day(self, name: str) -> date:
        return parse_day(self.text(name))

    def is_null(self, name: str) -> bool:
        """Whether this member is ``null``, which is then read."""
        is_null = self._members.get(name, 0) is None
        if is_null:
            self.take(name)
        return is_null

    def optional_day(self, name: str) -> date | None:
        return None if self.is_null(name) else self.day(name)

    def child(self, name: str) -> "Fields":
        return Fields(self.take(name), f"{name!r} of {self.where}")

    def items(self, name: str, max_items: int, read: Callable[[object], T]) -> tuple[T, ...]:
        """Return a list of at most ``max_items``, each read by ``read``."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        if len(value) > max_items:
            raise LimitError(f"{name!r} of {self.where} has more than {max_items} entries")
        return tuple(read(item) for item in value)

    def texts(self, name: str, max_items: int, max_chars: int = 4096) -> tuple[str, ...]:
        """Return a list of at most ``max_items`` texts."""

        def read(item: object) -> str:
            if not isinstance(item, str):
                raise self._wrong(name, "a list of texts")
            if len(item) > max_chars:
                raise LimitError(f"a text of {name!r} of {self.where} is longer than {max_chars} characters")
            if _LONE_SURROGATE.search(item):
                raise self._wrong(name, "a list of Unicode texts")
            return item

        return self.items(name, max_items, read)

    def translations(self, name: str, languages: tuple[str, ...], max_chars: int = TEXT_MAX) -> Mapping[str, str]:
        """Return a text by language, with an entry for each of ``languages`` and no other."""
        fields = self.child(name)
        found = {language: fields.text(language, max_chars) for language in languages}
        fields.end()
        return found

    def end(self) -> None:
        if self._members:
            raise MalformedError(f"{self.where} has members that are not specified")

    def _wrong(self, name: str, expected: str) -> MalformedError:
        return MalformedError(f"{name!r} of {self.where} is not {expected}")


def read_document(data: bytes, name: str, size_max: int) -> Fields:
    """Return the fields of canonical JSON of version ``amparo/v1/<name>`` in at most ``size_max`` bytes.

    Raises LimitError, MalformedError, or UnsupportedVersionError for another version of this format.
    """
    fields = Fields(decode_json(data, size_max), name)
    version = fields.text("version", 64)
    if version != f"amparo/v1/{name}":
        if version.startswith("amparo/"):
            raise UnsupportedVersionError(f"the {name} has a version that this program does not read")
        raise MalformedError(f"the {name} has no known version")
    return fields
