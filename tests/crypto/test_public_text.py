# SPDX-License-Identifier: AGPL-3.0-or-later
"""Texts that are signed for the public: what is not seen or reorders what is read is found, and said where."""

import pytest

from crypto.encoding import encode_json
from crypto.errors import MalformedError
from crypto.public_text import check_public_texts, find_forbidden

FORBIDDEN = (
    *("\x00", "\x08", "\t", "\x0b", "\r", "\x1b", "\x1f", "\x7f", "\x85", "\x9f"),
    *("\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069"),
    *("\ufff9", "\ufffb", "\ufffe", "\uffff", "\U000e0000", "\U000e0001", "\U000e0041", "\U000e007f"),
)
HONEST = (
    "تنظر اللجنة في Extradition (تسليم المطلوبين) منذ 2024.",
    "می‌خواهیم که این‌ها دیده شوند.",
    "הוועדה בודקת Extradition, 2024.",
    "क्‍ष ශ්‍රී 👩‍⚖️ 🏳️‍🌈",
    'Two lines,\nof which "one" has \\n, \\u202e and \\\\ in it.\n\n\\',
    "\u00a0\u2010\u202f\u2065\u206a\ufffd\U000e0080",
)


@pytest.mark.parametrize("character", FORBIDDEN, ids=ascii)
def test_a_character_that_may_not_stand_there_is_said_with_its_line_and_what_is_before_it(character: str) -> None:
    found = find_forbidden(f"One line.\nAnother {character}line.{character}")
    assert found is not None
    assert (found.character, found.line, found.before) == (character, 2, "Another ")
    assert found.code_point == f"U+{ord(character):04X}"


@pytest.mark.parametrize("text", HONEST, ids=ascii)
def test_honest_text_is_taken(text: str) -> None:
    assert find_forbidden(text) is None
    check_public_texts(encode_json({"texts": [text, {"text": text * 2}]}).decode() + "\n")


def test_a_text_of_one_line_has_no_newline() -> None:
    assert find_forbidden("One line.", one_line=True) is None
    found = find_forbidden("One line.\nAnother.", one_line=True)
    assert found is not None
    assert (found.character, found.line, found.before) == ("\n", 1, "One line.")


@pytest.mark.parametrize("character", FORBIDDEN, ids=ascii)
def test_a_document_is_looked_at_wherever_a_text_stands(character: str) -> None:
    for text in (character, f"a{character}", f'\\{character}"', f"\\\\{character}"):
        for value in ({"text": text}, {"list": ["", text]}, {"deep": [{"er": text}]}, {text: "text"}):
            with pytest.raises(MalformedError):
                check_public_texts(encode_json(value).decode() + "\n")
