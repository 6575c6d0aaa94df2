# SPDX-License-Identifier: AGPL-3.0-or-later
"""Encodings: one spelling for every value, and every other spelling refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.encoding import (
    INTEGER_MAX,
    JSON_DEPTH_MAX,
    decode_base64,
    decode_hex,
    decode_json,
    encode_base64,
    encode_json,
    label,
    parse_day,
)
from crypto.errors import LimitError, MalformedError
from tests.vectors import expected_error, join_parts, load_vectors

SIZE_MAX = 10_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


class TestJson:
    @pytest.mark.parametrize("vector", load_vectors("canonical-json", "encode"))
    def test_encoded_vectors(self, vector):
        value = vector["input"]["value"]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                encode_json(value)
            return
        assert encode_json(value) == vector["value"].encode()
        assert decode_json(vector["value"].encode(), SIZE_MAX) == value

    @pytest.mark.parametrize("vector", load_vectors("canonical-json", "decode"))
    def test_decoded_vectors(self, vector):
        data = join_parts(vector["input"]["bytes"])
        size_max = vector["input"].get("size_max", SIZE_MAX)
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                decode_json(data, size_max)
            return
        assert decode_json(data, size_max) == vector["value"]

    @given(value=VALUES)
    def test_what_was_encoded_is_decoded(self, value):
        assert decode_json(encode_json(value), SIZE_MAX) == value

    @given(data=st.binary(max_size=40))
    def test_whatever_is_decoded_is_encoded_to_the_same_bytes(self, data):
        try:
            value = decode_json(data, SIZE_MAX)
        except MalformedError:
            return
        assert encode_json(value) == data

    @given(value=VALUES, data=st.data())
    def test_a_space_anywhere_outside_texts_is_refused(self, value, data):
        encoded = encode_json([value])
        place = data.draw(st.sampled_from([0, 1, len(encoded) - 1, len(encoded)]))
        with pytest.raises(MalformedError):
            decode_json(encoded[:place] + b" " + encoded[place:], SIZE_MAX)

    def test_true_is_not_one(self):
        assert encode_json([True, 1]) == b"[true,1]"

    @pytest.mark.parametrize(
        "value", [1.0, float("nan"), b"bytes", {1: "a"}, {None: 1}, {"a": {2: 3}}, {"a"}, date.max]
    )
    def test_values_that_json_does_not_have_are_refused(self, value):
        with pytest.raises(MalformedError):
            encode_json(value)

    def test_a_depth_that_would_exhaust_a_reader_is_refused(self):
        fits = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
        assert encode_json(decode_json(fits, SIZE_MAX)) == fits
        assert JSON_DEPTH_MAX == 32
        for depth in (JSON_DEPTH_MAX + 2, 100_000):
            with pytest.raises(MalformedError):
                decode_json(b"[" * depth + b"]" * depth, 1_000_000)

    def test_a_value_inside_of_32_lists_or_objects_is_the_deepest(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            deepest = opening * 32 + b"1" + closing * 32
            assert encode_json(decode_json(deepest, SIZE_MAX)) == deepest
            with pytest.raises(MalformedError, match="too deeply"):
                decode_json(opening * 33 + b"1" + closing * 33, SIZE_MAX)

    @pytest.mark.parametrize("value", [2**53 - 1, -(2**53) + 1, [2**53 - 1]])
    def test_integers_that_every_reader_holds_exactly_are_taken(self, value):
        assert decode_json(encode_json(value), SIZE_MAX) == value

    @pytest.mark.parametrize("value", [2**53, -(2**53), [2**53], {"a": 2**53}])
    def test_the_next_integer_is_refused(self, value):
        with pytest.raises(MalformedError, match="too large"):
            encode_json(value)

    def test_a_document_may_have_just_as_many_bytes_as_it_may_have(self):
        assert decode_json(b"[1,2]", 5) == [1, 2]
        with pytest.raises(LimitError):
            decode_json(b"[1,2]", 4)

    @pytest.mark.parametrize("data", [b"1.0", b"1e2", b"NaN", b"Infinity", b"-0", b"01", b"\xff", b'"\\ud800"', b""])
    def test_what_canonical_json_does_not_write_is_refused(self, data):
        with pytest.raises(MalformedError):
            decode_json(data, SIZE_MAX)

    def test_the_limit_is_checked_before_the_content(self):
        with pytest.raises(LimitError):
            decode_json(b"\xff" * 101, 100)


class TestBase64:
    @given(data=st.binary(max_size=100))
    def test_what_was_encoded_is_decoded(self, data):
        assert decode_base64(encode_base64(data), len(data)) == data

    @pytest.mark.parametrize(
        "text",
        [
            "QQ",
            "QQ=",
            "QQ===",
            "QR==",
            "QUI",
            "QUJ=",
            "QUJD\n",
            " QUJD",
            "QU JD",
            "QU\nJD",
            "-_-_",
            "QQ==QQ==",
            "=",
            "é",
            "QUJD=",
        ],
    )
    def test_another_spelling_is_refused(self, text):
        with pytest.raises(MalformedError):
            decode_base64(text)

    def test_another_size_is_refused(self):
        with pytest.raises(MalformedError):
            decode_base64("QUJD", 4)


class TestHex:
    @given(data=st.binary(max_size=100))
    def test_what_was_encoded_is_decoded(self, data):
        assert decode_hex(data.hex(), len(data)) == data

    @pytest.mark.parametrize("text", ["", "0", "000", "AB", "0g", " 0", "0x", "٠٠", "00\n", "+1", "1_"])
    def test_another_spelling_or_size_is_refused(self, text):
        with pytest.raises(MalformedError):
            decode_hex(text, 1)


class TestDays:
    @given(day=st.dates())
    def test_what_was_written_is_read(self, day):
        assert parse_day(day.isoformat()) == day

    @pytest.mark.parametrize(
        "text",
        ["", "2025-1-1", "20250101", "2025-W01-1", "2025-13-01", "2025-02-29", "2025-00-10", "0000-01-01",
         "2025-01-01T00", "2025-01-01\n", " 2025-01-01", "٢٠٢٥-٠١-٠١", "12025-01-01"],
    )  # fmt: skip
    def test_another_spelling_or_no_day_is_refused(self, text):
        with pytest.raises(MalformedError):
            parse_day(text)


def test_a_label_ends_in_a_newline_so_that_none_begins_another():
    assert label("leaf") == b"amparo/v1/leaf\n"
