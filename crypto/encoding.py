# SPDX-License-Identifier: AGPL-3.0-or-later
"""Strict encodings: one spelling per value, anything else is malformed (docs/protocol.md §1)."""

import base64
import binascii
import json
import re
from datetime import date
from operator import methodcaller
from typing import Any, NoReturn

from crypto.errors import LimitError, MalformedError

ID_BYTES = 16
HASH_BYTES = 32
INTEGER_MAX = 2**53 - 1
JSON_DEPTH_MAX = 32

# The order of names in canonical JSON; a lone surrogate has its place in it too, and is refused after that.
_UTF_16 = methodcaller("encode", "utf-16-be", "surrogatepass")
_HEX = re.compile(r"[0-9a-f]*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def label(name: str) -> bytes:
    """Return ``amparo/v1/<name>`` and a newline, the domain separator in front of hashed bytes (§1)."""
    return b"amparo/v1/" + name.encode("ascii") + b"\n"


def encode_base64(data: bytes) -> str:
    """Return base64 in the standard alphabet, padded, without line breaks."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, size: int | None = None) -> bytes:
    """Return the bytes of canonical base64; ``size`` in bytes if it is fixed.

    Raises MalformedError on another alphabet, missing padding, non-zero unused bits or another size.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedError("not base64") from None
    if encode_base64(data) != text:
        raise MalformedError("base64 is not canonical")
    if size is not None and len(data) != size:
        raise MalformedError(f"base64 of {len(data)} bytes, expected {size}")
    return data


def decode_hex(text: str, size: int) -> bytes:
    """Decode lower-case hexadecimal of exactly ``size`` bytes, or raise MalformedError."""
    if len(text) != 2 * size or not _HEX.fullmatch(text):
        raise MalformedError(f"not {2 * size} lower-case hexadecimal digits")
    return bytes.fromhex(text)


def parse_day(text: str) -> date:
    """Parse a ``YYYY-MM-DD`` day, or raise MalformedError."""
    if not _DAY.fullmatch(text):
        raise MalformedError("not a day of the form YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise MalformedError("no such day") from None


def encode_json(value: object) -> bytes:
    """Return canonical JSON (RFC 8785).

    Raises MalformedError for values that our JSON cannot hold: floats, big integers, lone surrogates.
    """
    # Without floats RFC 8785 asks for no more than this: Python escapes what it says must be escaped, and in its way.
    text = _ENCODER.encode(_in_order(value, 0))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError("value has no canonical JSON") from None


def decode_json(data: bytes, size_max: int) -> Any:
    """Decode canonical JSON of at most ``size_max`` bytes.

    Raises LimitError when it is longer, MalformedError when it is not the one canonical encoding of its value.
    """
    if len(data) > size_max:
        raise LimitError(f"JSON of {len(data)} bytes, the limit is {size_max}")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None
    if encode_json(value) != data:
        raise MalformedError("JSON is not canonical")
    return value


def _refuse_number(_: str) -> NoReturn:
    raise ValueError


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)


def _in_order(value: object, depth: int) -> object:
    """The same value, its names in the order of RFC 8785; whatever our JSON cannot hold is refused."""
    if depth > JSON_DEPTH_MAX:
        raise MalformedError("JSON is nested too deeply")
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > INTEGER_MAX:
                raise MalformedError("integer is too large")
            return value
        case list() | tuple():
            return [_in_order(item, depth + 1) for item in value]
        case dict():
            if not all(isinstance(name, str) for name in value):
                raise MalformedError("a JSON name is not a string")
            return {name: _in_order(value[name], depth + 1) for name in sorted(value, key=_UTF_16)}
        case _:
            raise MalformedError("value has no canonical JSON")
