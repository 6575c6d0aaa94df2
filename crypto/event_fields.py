# SPDX-License-Identifier: AGPL-3.0-or-later
"""Strict reading and writing of the fields of an event's parts. docs/protocol.md §13.2.

A part is a frozen dataclass. Each field holds its own reader, so that the class is the table: a member that is not a
field is refused, and so is a value in another form.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import field
from datetime import date
from typing import Any, TypeVar

from crypto.age import PqIdentity, PqRecipient
from crypto.charter import LABEL, MEMBERS_MAX
from crypto.document import Fields
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_base64
from crypto.errors import MalformedError
from crypto.questionnaire import refuse_repeats

REPORTS_MAX = 256
TEXT_CHARS_MAX = 400_000
NAMES_MAX = 64
NAME_CHARS_MAX = 400
SIGNATURE_BYTES = 64
STATE = r"[A-Z][A-Z_]{0,31}"
CODE = r"[a-z0-9][a-z0-9-]{0,39}"

P = TypeVar("P", bound="Part")
Read = Callable[[Fields, str], Any]


class Part:
    """One part of an event. ``value`` returns its JSON object, ``read_part`` reads it back."""

    def value(self) -> dict[str, object]:
        return {_name(item): _encode(getattr(self, item.name)) for item in dataclasses.fields(self)}  # type: ignore[arg-type]


def read_part(kind: type[P], fields: Fields) -> P:
    """Read a part of this kind. Raises MalformedError or LimitError for anything that §13.2 does not describe."""
    values = {item.name: item.metadata["read"](fields, _name(item)) for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    fields.end()
    return kind(**values)


def _name(item: "dataclasses.Field[Any]") -> str:
    return str(item.metadata.get("name", item.name))


def _encode(value: object) -> object:
    match value:
        case tuple():
            return [_encode(entry) for entry in value]
        case date():
            return value.isoformat()
        case Part():
            return value.value()
        case PqIdentity() | PqRecipient():
            return str(value)
        case _:
            return value


def read_by(read: Read, name: str | None = None, *, hidden: bool = False) -> Any:
    """A field that ``read`` reads from the object of its part; ``name`` is its JSON name if not the field's own."""
    metadata: dict[str, object] = {"read": read} if name is None else {"read": read, "name": name}
    return field(metadata=metadata, repr=not hidden)


def text(pattern: str) -> Any:
    """A short text that matches ``pattern``."""
    return read_by(lambda fields, name: fields.text(name, pattern=pattern))


def prose(max_chars: int = TEXT_CHARS_MAX) -> Any:
    """A text that a member wrote; hidden from ``repr``."""
    return read_by(lambda fields, name: fields.text(name, max_chars), hidden=True)


def choice(codes: tuple[str, ...]) -> Any:
    """One of these codes."""
    return text("|".join(codes))


def digest() -> Any:
    """A SHA-256 hash, 64 lower-case hexadecimal digits."""
    return read_by(lambda fields, name: fields.hex(name, HASH_BYTES))


def identifier() -> Any:
    """An id of 16 bytes, 32 lower-case hexadecimal digits."""
    return read_by(lambda fields, name: fields.hex(name, ID_BYTES))


def integer(low: int, high: int) -> Any:
    """A whole number from ``low`` to ``high``, both included."""
    return read_by(lambda fields, name: fields.integer(name, low, high))


def optional_digest() -> Any:
    """32 bytes as 64 lower-case hexadecimal digits, or null; hidden from ``repr``."""

    def read(fields: Fields, name: str) -> str | None:
        value = fields.take(name)
        return None if value is None else Fields({name: value}, fields.where).hex(name, HASH_BYTES)

    return read_by(read, hidden=True)


def boolean() -> Any:
    """True or false."""
    return read_by(lambda fields, name: fields.boolean(name))


def day() -> Any:
    """A day, ``YYYY-MM-DD``."""
    return read_by(lambda fields, name: fields.day(name))


def state(name: str) -> Any:
    """The code of a state, under another name than the field's."""
    return read_by(lambda fields, name: fields.text(name, pattern=STATE), name)


def ground() -> Any:
    """The code of a ground, or null."""

    def read(fields: Fields, name: str) -> str | None:
        value = fields.take(name)
        return None if value is None else Fields({name: value}, fields.where).text(name, pattern=CODE)

    return read_by(read)


def recipient() -> Any:
    """An age recipient, as text."""

    def read(fields: Fields, name: str) -> str:
        return str(PqRecipient.from_string(fields.text(name)))

    return read_by(read)


def identity() -> Any:
    """An age identity; hidden from ``repr``."""
    return read_by(lambda fields, name: PqIdentity.from_string(fields.text(name)), hidden=True)


def signature() -> Any:
    """A signature: 64 bytes in base64, as text."""

    def read(fields: Fields, name: str) -> str:
        value = fields.text(name, 128)
        decode_base64(value, SIGNATURE_BYTES)
        return value

    return read_by(read)


def several(pattern: str, low: int, high: int) -> Any:
    """From ``low`` to ``high`` different texts that match ``pattern``."""

    def read(fields: Fields, name: str) -> tuple[str, ...]:
        where = fields.where

        def read_one(item: object) -> str:
            return Fields({name: item}, where).text(name, pattern=pattern)

        found = fields.items(name, high, read_one)
        if len(found) < low:
            raise MalformedError(f"{name!r} of {where} has fewer than {low} entries")
        refuse_repeats(list(found), f"{name!r} of {where}")
        return found

    return read_by(read)


def names() -> Any:
    """At most 64 texts of at most 400 characters; hidden from ``repr``."""
    return read_by(lambda fields, name: fields.texts(name, NAMES_MAX, NAME_CHARS_MAX), hidden=True)


def parts(kind: type[P], high: int, check: Callable[[tuple[P, ...]], None] = lambda _: None) -> Any:
    """At most ``high`` parts of this kind, which ``check`` may refuse together; hidden from ``repr``."""

    def read(fields: Fields, name: str) -> tuple[P, ...]:
        found = fields.items(name, high, lambda item: read_part(kind, Fields(item, f"{name!r} of {fields.where}")))
        check(found)
        return found

    return read_by(read, hidden=True)


def labels() -> Any:
    """The labels of one or more members."""
    return several(LABEL, 1, MEMBERS_MAX)


def identifiers(low: int) -> Any:
    """At least ``low`` different ids of 16 bytes."""
    return several(f"[0-9a-f]{{{2 * ID_BYTES}}}", low, REPORTS_MAX)
