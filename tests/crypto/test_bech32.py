# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bech32 takes one spelling per value. What keys look like in it is in ``test_age.py``."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import bech32
from crypto.errors import CryptoError, LimitError, MalformedError
from tests.independent.reader import _polymod

AGE = [3, 3, 3, 0, 1, 7, 5]
"""What the checksum takes of the prefix "age"."""


def with_checksum(words: list[int]) -> str:
    """Spell any words, those of no value too, with a checksum that holds."""
    checksum = _polymod([*AGE, *words, *[0] * 6]) ^ 1
    words = [*words, *(checksum >> 5 * (5 - i) & 31 for i in range(6))]
    return "age1" + "".join(bech32.ALPHABET[word % 32] for word in words)


@given(data=st.binary(max_size=200))
def test_bytes_come_back(data):
    assert bech32.decode("age", bech32.encode("age", data)) == data
    assert bech32.decode_upper("age", bech32.encode("age", data).upper()) == data


def as_number(words: list[int]) -> int:
    return functools.reduce(lambda number, word: number << 5 | word, words, 0)


@given(words=st.lists(st.integers(0, 31), max_size=300), times=st.integers(1, 27))
def test_the_checksum_is_the_one_that_bip_173_finds_word_by_word(words, times):
    words = words * times
    assert bech32._checksum("age", as_number(words), len(words)) == _polymod([*AGE, *words])


def test_a_checksum_of_more_words_than_a_text_can_have_is_refused():
    longest = [7] * (bech32.WORDS_MAX - 1 - len(AGE))
    assert bech32._checksum("age", as_number(longest), len(longest)) == _polymod([*AGE, *longest])
    with pytest.raises(LimitError):
        bech32._checksum("age", as_number(longest), len(longest) + 1)


@pytest.mark.parametrize("text", ["a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "?1ezyfcl"])
def test_the_valid_strings_of_bip_173_hold(text):
    prefix = text.partition("1")[0] if text[0] != "?" else "?"
    assert bech32.encode(prefix, bech32.decode(prefix, text)) == text


def test_words_with_a_right_checksum_and_no_spare_bits_decode():
    assert bech32.decode("age", with_checksum([31, 28])) == b"\xff"


@pytest.mark.parametrize("words", [[31, 29], [31, 30], [31, 28, 0], [0], [31, 28, 0, 0, 0, 0]])
def test_padding_that_is_not_zero_or_too_long_is_malformed(words):
    with pytest.raises(MalformedError, match="padding"):
        bech32.decode("age", with_checksum(words))


@pytest.mark.parametrize("character", ["b", "i", "o", "1", "A", " ", "\n", "-", "é"])
def test_a_character_outside_the_alphabet_is_malformed(character):
    text = bech32.encode("age", bytes(20))
    for altered in (text[:10] + character + text[11:], text + character, character + text):
        with pytest.raises(MalformedError):
            bech32.decode("age", altered)


def test_a_character_outside_the_alphabet_is_malformed_even_if_the_checksum_is_made_for_it():
    text = with_checksum([31, 255])
    with pytest.raises(MalformedError):
        bech32.decode("age", text[:5] + "!" + text[6:])


def test_a_letter_that_only_looks_like_one_in_lower_case_is_malformed():
    text = bech32.encode("age", int("10110" * 8, 2).to_bytes(5, "big")).upper()
    assert text.startswith("AGE1KKKKKKKK")
    with pytest.raises(MalformedError):
        bech32.decode_upper("age", text.replace("K", "\N{KELVIN SIGN}"))


@pytest.mark.parametrize("text", ["", "1", "age", "age1", "age1qqqqq", "xage1qqqqqq", "1age1"])
def test_what_is_too_short_is_malformed(text):
    with pytest.raises(MalformedError):
        bech32.decode("age", text)


@given(text=st.text(max_size=50))
def test_any_other_text_raises_one_of_our_errors(text):
    for noise in (text, f"age1{text}"):
        with pytest.raises(CryptoError):
            bech32.decode("age", noise)


def test_a_text_has_at_most_4096_characters():
    fits = "age1".ljust(4096, "q")
    with pytest.raises(MalformedError):
        bech32.decode("age", fits)
    with pytest.raises(LimitError):
        bech32.decode("age", fits + "q")


def test_a_prefix_may_hold_the_digit_that_ends_it():
    text = bech32.encode("age1x", b"?")
    assert bech32.decode("age1x", text) == b"?"


def test_nothing_may_be_missing_before_the_checksum():
    checksum_alone = with_checksum([])
    assert bech32.decode("age", checksum_alone) == b""
    for text in (checksum_alone[:-1], checksum_alone[4:], checksum_alone[3:]):
        with pytest.raises(MalformedError):
            bech32.decode("age", text)
    with pytest.raises(MalformedError):
        bech32.decode("", checksum_alone[4:])


def test_a_character_of_the_alphabet_is_one_of_32():
    assert bech32.ALPHABET == "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
