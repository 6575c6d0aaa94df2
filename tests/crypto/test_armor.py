# SPDX-License-Identifier: AGPL-3.0-or-later
"""ASCII armor, beside what the C2SP vectors try: one spelling, but for white space outside."""

import base64
import io

import pytest

from crypto.armor import FIRST_LINE, LAST_LINE, MAX_WHITE_SPACE, read_armor
from crypto.errors import MalformedError

DATA = bytes(range(100))


def armor(data: bytes, line_end: bytes = b"\n") -> bytes:
    text = base64.b64encode(data)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return line_end.join([FIRST_LINE, *lines, LAST_LINE, b""])


@pytest.mark.parametrize("size", [0, 1, 2, 46, 47, 48, 49, 96, 48 * 1024, 300_000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_armor_gives_what_is_inside(size, line_end):
    data = (bytes(range(256)) * 1200)[:size]
    assert read_armor(io.BytesIO(armor(data, line_end))).read() == data


def test_armor_can_be_read_line_by_line_and_in_any_step():
    data = b"first line\nsecond line\n" + DATA
    source = read_armor(io.BytesIO(armor(data)))
    assert source.readline() == b"first line\n"
    assert source.read(3) + source.read(50) + source.read() == data[11:]
    assert source.read() == b""


@pytest.mark.parametrize("space", [b"", b" \t\r\n" * (MAX_WHITE_SPACE // 4), b"\n" * MAX_WHITE_SPACE])
def test_white_space_may_stand_outside(space):
    assert read_armor(io.BytesIO(space + armor(DATA) + space)).read() == DATA


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n" * 3,
        b"\n" * (MAX_WHITE_SPACE + 1) + armor(DATA),
        b" " * 10_000_000 + armor(DATA),
        armor(DATA) + b" " * (MAX_WHITE_SPACE + 1),
        armor(DATA).replace(FIRST_LINE, FIRST_LINE + b" "),
        armor(DATA).replace(LAST_LINE, b" " + LAST_LINE),
        armor(DATA).replace(LAST_LINE, b""),
        armor(DATA).removesuffix(LAST_LINE + b"\n"),
        armor(DATA).removesuffix(b"\n" + LAST_LINE + b"\n"),
        armor(DATA) + armor(DATA),
        armor(DATA).replace(b"\n", b"\r"),
        armor(DATA).replace(b"\n", b"\r\r\n"),
        armor(DATA).replace(b"AAEC", b"\xc3\xa4\xc3\xa4"),
        FIRST_LINE,
        FIRST_LINE + b"\n",
        FIRST_LINE + b"\n" + b"A" * 10_000_000,
    ],
    ids=range(17),
)
def test_anything_else_is_malformed(text):
    with pytest.raises(MalformedError):
        read_armor(io.BytesIO(text)).read()
