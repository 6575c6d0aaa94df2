# SPDX-License-Identifier: AGPL-3.0-or-later
"""Normal forms of texts that were made to be slow to normalise."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import folding
from crypto.folding import NONSTARTERS_MAX, is_stream_safe, normalize

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
# Of different classes, so that they have to be put in order; one that is two marks and not counted as one; a mark of
# half width, which is counted as a letter.
MARKS = ("\u0301\u0327", "\u0f73", "\u0344", "\uff9e", "\u05b0\u064b")


def longest_run(text: str) -> int:
    """The most marks in a row once the text is decomposed: sorting them takes the square of this."""
    longest = run = 0
    for char in unicodedata.normalize("NFKD", text):
        run = run + 1 if unicodedata.combining(char) else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("marks", MARKS)
def test_no_run_of_marks_is_sorted_that_is_longer_than_uax_15_allows(
    form: str, marks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_to_sort = []

    def watch(asked: str, text: str) -> str:
        if len(text) > 1:
            given_to_sort.append(text)
        return unicodedata.normalize(asked, text)  # type: ignore[arg-type]

    class Watched:
        normalize = staticmethod(watch)
        combining = staticmethod(unicodedata.combining)

    monkeypatch.setattr(folding, "unicodedata", Watched)
    normalize(form, "e" + marks * 2000 + "e")  # type: ignore[arg-type]
    (text,) = given_to_sort
    assert text.startswith("e") and text.endswith("e")
    assert longest_run(text) <= NONSTARTERS_MAX


@given(st.text(st.sampled_from("e\u1ea4\u0301\u0327\u0f73\u0344\uff9e\u0958 \u034f"), max_size=120))
def test_a_text_is_stream_safe_if_no_run_in_it_is_longer(text: str) -> None:
    assert is_stream_safe(text) == (longest_run(text) <= NONSTARTERS_MAX)


@given(st.text(max_size=200))
def test_what_is_stream_safe_is_normalised_as_it_stands(text: str) -> None:
    if longest_run(text) <= NONSTARTERS_MAX:
        for form in FORMS:
            assert normalize(form, text) == unicodedata.normalize(form, text)  # type: ignore[arg-type]


def test_a_letter_with_every_mark_of_its_language_is_not_cut() -> None:
    hebrew = "\u05e9\u05c1\u05bc\u05b8\u0591"
    assert is_stream_safe(hebrew * 1000)
    assert normalize("NFC", hebrew * 1000) == unicodedata.normalize("NFC", hebrew * 1000)


def test_no_character_escapes_the_quick_look() -> None:
    """What it is based on holds for every character of this Unicode."""
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        leading, trailing, alone = folding._nonstarters.__wrapped__(char)
        if alone:
            assert leading <= 2 and folding._SUSPECTED.search(14 * char), f"U+{code:04X}"
        else:
            assert leading == 0 and trailing <= 3, f"U+{code:04X}"
