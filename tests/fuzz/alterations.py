# SPDX-License-Identifier: AGPL-3.0-or-later
"""Altering inputs, the same way under the same seed: bytes, JSON, lines, notes that are signed again."""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from crypto.encoding import decode_json, encode_json
from crypto.errors import CryptoError
from crypto.note import Note, SigningKey, sign
from crypto.sealed_document import document_mac

Alter = Callable[[Random, bytes], bytes]

DEPTH_MAX = 40
# What readers of text are known to stumble over.
_CONTROLS_AND_SPACES = "\0\t\r\n\x0b\x1f\x7f\x85\xa0\u1680\u2028\u2029\u3000"
_MARKS = "\xad\u0301\u061c\u200b\u200d\u200f\u202e\u2060\u2066\ufeff\ufffd\uffff\U000e0041"
_LETTERS = "\u00e9\u00df\u017f\u0130\u212a\u0663\u2014\U0001f600\U0010ffff"
_SIGNS = "-+=\"\\/{}[],:'019"
_JSON = (
    "\\u0000",
    "\\ud800",
    "\\udfff",
    "\\ud83d\\ude00",
    "\\u00e9",
    "\\u2028",
    "\\/",
    "-0",
    "1.0",
    "1e3",
    "NaN",
    "null",
)
ODD_TEXTS = (*_CONTROLS_AND_SPACES, *_MARKS, *_LETTERS, *_SIGNS, "\r\n", *_JSON)
BROKEN_UTF_8 = (
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x80",
    b"\x80",
    b"\xf8\x88\x80\x80\x80",
)

# Runs of these cost normalisers, decoders of JSON and tables of look-alikes the most.
_RUNS = ("\u0300", "\u0327\u0301", "\u1100", "\ufdfa", "\u3300", "9", "a ", "@", "**_", "https://a.b/")
SWELLING = (*_RUNS, "[", '{"":', '"', "\\")
SWOLLEN_BYTES = 70_000


class Pairs(list[tuple[str, Any]]):
    """An object as a list of its members: in an order, and with names that may repeat."""


class Literal(str):
    """A value as it is to be written, whatever it is."""


ODD_VALUES: tuple[Any, ...] = (
    *map(
        Literal, ("-0", "0.0", "1.0", "1e0", "1E400", "01", "9007199254740991", "9007199254740992", "-9007199254740992")
    ),
    *map(
        Literal,
        ("123456789012345678901234567890", "NaN", "Infinity", '"\\ud800"', '"\\u0041"', '"\\/"', "'a'", "undefined"),
    ),
    *(None, True, False, 0, 1, -1, 2, 64, 65, 2**31, 2**32, 2**53 - 1, 1 - 2**53),
    *("", " ", "a", "en", "A", "0", "null", "\0", "\u2028", "\ufeff", "e\u0301", "\U0001f600", "\udc00", "x" * 300),
    *("2026-02-29", "2024-02-29", "0000-01-01", "9999-12-31", "2026-1-1", "amparo/v1/charter", "amparo/v2/charter"),
    *("amparo/v1/unheard-of", "__proto__", "constructor", "0" * 32, "f" * 64, "F" * 64, "https://portal.example:443"),
    *([], [[]], Pairs(), Pairs([("", None)]), Pairs([("__proto__", Pairs())])),
)


def alter_text(chance: Random, data: bytes) -> bytes:
    """Put in, take out or replace one to four characters: such as stand in messages, or any."""
    text = list(data.decode("utf-8", "replace"))
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(text))
        point = chance.randint(0, 0x10F7FF)
        character = chance.choice((*"1234567 ).:(?x,", chr(point + 0x800 if point >= 0xD800 else point)))
        text[at : at + chance.randint(0, 1)] = chance.choice(("", character, f"{character}{chance.choice(') .:x')}"))
    return "".join(text).encode()


def alter_bytes(chance: Random, data: bytes) -> bytes:
    """One to three times: flip a bit, cut, repeat, move, or put in something odd."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((1, 1, 2, 8, 64)))
        piece = data[at:end]
        odd = chance.choice((*(text.encode() for text in ODD_TEXTS), *BROKEN_UTF_8))
        elsewhere = chance.randint(0, len(data))
        data = chance.choice(
            (
                data[:at] + bytes(byte ^ 1 << chance.randint(0, 7) for byte in piece[:1]) + data[at + 1 :],
                data[:at] + data[end:],
                data[:end] + piece + data[end:],
                data[:at] + odd + data[at:],
                data[:at] + odd + data[end:],
                data[:at],
                data[:elsewhere] + piece + data[elsewhere:],
            )
        )
    return data


def alter_lines(chance: Random, data: bytes) -> bytes:
    """A line left out, twice, or in another place; or some of its bytes are others."""
    lines = data.split(b"\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = lines[at] + chance.choice(ODD_TEXTS).encode()
        case _:
            lines[at] = alter_bytes(chance, lines[at])
    return b"\n".join(lines)


def swell(chance: Random, data: bytes) -> bytes:
    """A piece, or something odd, very many times: what takes longer than its size shows here."""
    at = chance.randint(0, len(data))
    end = min(len(data), at + chance.choice((1, 2, 7, 64, 4096)))
    odd = chance.choice((*ODD_TEXTS, *SWELLING)).encode()
    piece = chance.choice((data[at:end], data[at:end], odd, odd, odd)) or odd
    times = chance.choice((70, 700, 7000, SWOLLEN_BYTES)) // len(piece)
    return data[:at] + piece * times + data[chance.choice((at, end)) :]


def alter_json() -> Alter:
    """Members dropped, doubled, renamed, reordered; other values; nesting."""

    def alter(chance: Random, data: bytes) -> bytes:
        value = json.loads(data, object_pairs_hook=Pairs)
        for _ in range(chance.choice((1, 1, 1, 2))):
            value = _alter_value(chance, value)
        # Most are in canonical order again, so that what stands in them is read.
        return _write(value, chance.random() < 0.8).encode("utf-8", "surrogatepass")

    return alter


def signed_again(alter: Alter, keys: Sequence[SigningKey]) -> Alter:
    """Alters the text of a note, and signs it again; what can't be signed stands as it was signed before."""

    def resign(chance: Random, data: bytes) -> bytes:
        note = Note.parse(data)
        names = {signature.name for signature in note.signatures}
        text = alter(chance, note.text[:-1].encode("utf-8")) + b"\n"
        try:
            return sign(text.decode("utf-8"), [key for key in keys if key.name in names]).encode()
        except (CryptoError, UnicodeDecodeError):
            return text + data[len(note.text.encode("utf-8")) :]

    return resign


def authenticated_again(alter: Alter, key: bytes) -> Alter:
    """Alters an object and authenticates it again under this key; what has no MAC stands as it is."""

    def authenticate(chance: Random, data: bytes) -> bytes:
        altered = alter(chance, data)
        try:
            value = decode_json(altered, len(altered))
        except CryptoError:
            return altered
        if not isinstance(value, dict) or value.pop("mac", None) is None:
            return altered
        return encode_json({**value, "mac": document_mac(key, value)})

    return authenticate


def _alter_value(chance: Random, value: Any) -> Any:
    place = chance.choice([None, *_places(value)])
    if place is None:
        return _nested(chance, value) if chance.random() < 0.3 else _alter_whole(chance, value)
    holder, at = place
    item = holder[at][1] if isinstance(holder, Pairs) else holder[at]
    match chance.randrange(7):
        case 0:
            del holder[at]
        case 1:
            holder.insert(chance.randint(0, len(holder)), holder[at])
        case 2 if isinstance(holder, Pairs):
            holder[at] = (_altered_text(chance, holder[at][0]), item)
        case 3:
            _put(holder, at, _nested(chance, item))
        case 4 | 5:
            _put(holder, at, _alter_whole(chance, item))
        case _:
            _put(holder, at, chance.choice(ODD_VALUES))
    return value


def _places(value: Any) -> Iterator[tuple[Any, int]]:
    if not isinstance(value, list):
        return
    for at, item in enumerate(value):
        yield value, at
        yield from _places(item[1] if isinstance(value, Pairs) else item)


def _put(holder: Any, at: int, value: Any) -> None:
    holder[at] = (holder[at][0], value) if isinstance(holder, Pairs) else value


def _alter_whole(chance: Random, value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, Literal):
        return chance.choice(ODD_VALUES)
    if isinstance(value, int):
        return chance.choice((value + 1, value - 1, -value, value * 10**20, str(value), Literal(f"{value}.0")))
    if isinstance(value, str):
        return _altered_text(chance, value)
    if chance.random() < 0.5:
        return type(value)(reversed(value))
    return type(value)([*value, ("zz-unheard-of", None) if isinstance(value, Pairs) else chance.choice(ODD_VALUES)])


def _altered_text(chance: Random, text: str) -> str:
    altered = alter_bytes(chance, text.encode("utf-8", "surrogatepass"))
    return chance.choice((altered.decode("utf-8", "surrogateescape"), text.upper(), text[:-1], text + " ", text[::-1]))


def _nested(chance: Random, value: Any) -> Any:
    for _ in range(chance.choice((1, 2, 29, 30, 31, 32, 33, DEPTH_MAX))):
        value = [value] if chance.random() < 0.5 else Pairs([("a", value)])
    return value


def _write(value: Any, ordered: bool) -> str:
    if isinstance(value, Literal):
        return value
    if isinstance(value, Pairs):
        pairs = sorted(value, key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")) if ordered else value
        return "{" + ",".join(f"{_write(name, ordered)}:{_write(item, ordered)}" for name, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(item, ordered) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
