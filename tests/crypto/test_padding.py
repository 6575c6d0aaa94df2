# SPDX-License-Identifier: AGPL-3.0-or-later
"""Padding: few sizes, little waste, and one padded form for every content."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.padding import (
    ATTACHMENT_FLOOR,
    MESSAGE_FLOOR,
    REPORT_FLOOR,
    STATE_SIZE,
    pad_document,
    padded_attachment_size,
    padme,
    unpad_document,
)
from tests.vectors import expected_error, join_parts, load_vectors


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("padding", "padme"))
    def test_sizes(self, vector):
        assert padme(vector["input"]["size"]) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("padding", "attachment-size"))
    def test_sizes_of_attachments(self, vector):
        assert padded_attachment_size(vector["input"]["size"]) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("padding", "pad"))
    def test_padded_documents(self, vector):
        content = join_parts(vector["input"]["content"])
        assert pad_document(content, vector["input"]["floor"]) == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("padding", "unpad"))
    def test_documents_out_of_their_padding(self, vector):
        given_ = vector["input"]
        arguments = (join_parts(given_["padded"]), given_["floor"], given_["content_max"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                unpad_document(*arguments)
            return
        assert unpad_document(*arguments) == join_parts(vector["value"])


def test_floors_are_those_of_the_protocol():
    assert (REPORT_FLOOR, ATTACHMENT_FLOOR, MESSAGE_FLOOR, STATE_SIZE) == (16_384, 16_384, 4_096, 16_384)


def test_a_document_may_have_just_as_many_bytes_as_it_may_have():
    padded = pad_document(b"abc", 8)
    assert padded == b"\0\0\0\x03abc\0"
    assert unpad_document(padded, 8, 3) == b"abc"
    with pytest.raises(LimitError):
        unpad_document(padded, 8, 2)


@pytest.mark.parametrize("padded", [b"", b"\0\0\0", b"\0\0\0\x03abc", b"\0\0\0\x03abc\0\0", b"\0\0\0\x03abcd"])
def test_another_size_or_padding_is_malformed(padded):
    with pytest.raises(MalformedError):
        unpad_document(padded, 8, 100)


class TestLaws:
    @given(size=st.integers(2, 2**40))
    def test_padme_is_the_next_multiple_that_its_definition_names(self, size):
        exponent = math.floor(math.log2(size))
        # Rounding makes the logarithm unsure right below a power of two.
        exponent += (2 ** (exponent + 1) <= size) - (2**exponent > size)
        step = 2 ** (exponent - math.floor(math.log2(exponent)) - 1) if exponent > 1 else 1
        assert padme(size) == -(-size // step) * step

    @given(size=st.integers(0, 2**40), more=st.integers(0, 1000))
    def test_padme_never_shrinks_wastes_little_and_keeps_order(self, size, more):
        assert size <= padme(size) <= size * 1.12 + 1
        assert padme(size) <= padme(size + more)
        assert padme(padme(size)) == padme(size)

    @given(content=st.binary(max_size=6000), floor=st.sampled_from([4096, 16_384]))
    def test_what_was_padded_is_read_back(self, content, floor):
        padded = pad_document(content, floor)
        assert len(padded) >= floor
        assert unpad_document(padded, floor, 6000) == content

    @given(data=st.data())
    def test_no_altered_byte_gives_the_same_content(self, data):
        padded = bytearray(pad_document(b'{"a":1}', 4096))
        padded[data.draw(st.integers(0, len(padded) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            content = unpad_document(bytes(padded), 4096, 4092)
        except CryptoError:
            return
        assert content != b'{"a":1}'
