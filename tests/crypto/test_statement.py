# SPDX-License-Identifier: AGPL-3.0-or-later
"""Statements are signed lines with one spelling: a heading, a realm, words divided by single spaces, plain numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import MalformedError, UnsupportedVersionError
from crypto.statement import NUMBER_MAX, after, heading, number, read_lines, split, write_lines

REALM = "5a" * 16
LINES = st.lists(st.text(st.characters(exclude_characters="\n")), max_size=5)


@given(LINES)
def test_lines_are_read_back_as_they_were_written(lines):
    assert read_lines(write_lines("control", (REALM, *lines)), "control") == [REALM, *lines]


@pytest.mark.parametrize("version", ["v2", "v10", "v", "v1 "])
def test_another_version_is_not_supported_rather_than_malformed(version):
    with pytest.raises(UnsupportedVersionError):
        read_lines(f"amparo control {version}\n{REALM}\n", "control")


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "amparo control v1", "amparo control v1\n", f"amparo control v1\n{REALM}",
        f"amparo controls v1\n{REALM}\n", f"amparo  control v1\n{REALM}\n",
        f"Amparo control v1\n{REALM}\n", f" amparo control v1\n{REALM}\n", f"amparo reply v1\n{REALM}\n",
        f"amparo control v1\n{REALM.upper()}\n", f"amparo control v1\n{REALM[2:]}\n", f"amparo control v1\n\n{REALM}\n",
    ],
)  # fmt: skip
def test_what_is_no_statement_of_this_name_is_refused(text):
    with pytest.raises(MalformedError):
        read_lines(text, "control")


@pytest.mark.parametrize("count", [1, 3])
def test_a_statement_with_another_number_of_lines_is_refused(count):
    text = write_lines("control", (REALM, "second"))
    assert read_lines(text, "control", 2) == [REALM, "second"]
    with pytest.raises(MalformedError):
        read_lines(text, "control", count)


def test_a_heading_names_statement_and_version():
    assert heading("newest charter") == "amparo newest charter v1"


def test_a_word_leads_a_line():
    assert after("held 2026-05-05", "held") == "2026-05-05"
    for line in ("", "held", "helds 2026-05-05", "Held 2026-05-05", " held 2026-05-05"):
        with pytest.raises(MalformedError):
            after(line, "held")


def test_words_are_divided_by_single_spaces():
    assert split("a b", 2) == ["a", "b"]
    for line in ("a", "a b c", "a  b", " a b", "a b ", "a ", ""):
        with pytest.raises(MalformedError):
            split(line, 2)


@given(st.integers(1, NUMBER_MAX))
def test_a_number_has_one_spelling(value):
    assert number(str(value)) == value
    for other in (f"0{value}", f"+{value}", f" {value}", f"{value}.0", f"-{value}", f"{value}_0"):
        with pytest.raises(MalformedError):
            number(other)


def test_a_number_lies_between_its_bounds():
    assert (number("0", 0), number("1"), number("1000000")) == (0, 1, 1_000_000)
    for text, low in (
        ("0", 1),
        ("1000001", 1),
        ("9999999", 1),
        ("10000000", 1),
        ("1" * 5000, 1),
        ("", 0),
        ("٣", 0),
        ("³", 0),
    ):
        with pytest.raises(MalformedError):
            number(text, low)
