# SPDX-License-Identifier: AGPL-3.0-or-later
"""Decoys pass for real sealed files with whoever has no key (docs/protocol.md §8): those who try are programs here."""

import hashlib
import io
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from random import Random

import pytest

from crypto.age import PqIdentity, read_header, seal
from crypto.age_pq import ENCAPSULATION_SIZE
from crypto.age_stream import CHUNK_SIZE, NONCE_SIZE, SEALED_CHUNK_SIZE, TAG_SIZE
from crypto.padding import STATE_SIZE
from portal.mailbox.decoy import Decoys
from portal.mailbox.encapsulation import MODULUS, compress, uniform_coefficients
from tests.portal.mailbox.distinguishers import (
    BITS_OF_U,
    BITS_OF_V,
    distance,
    encapsulation,
    is_in_the_prime_order_subgroup,
    is_on_the_curve,
    is_reduced,
    split,
    values_of_u,
    values_of_v,
    x25519_share,
)

KEY = bytes(range(32))
TOKEN = "cd" * 32
MAILBOX = "00112233445566778899aabbccddeeff"
RECIPIENT = PqIdentity.from_seed(KEY).recipient()
FILES = 300
CHUNKS = {4_096: 1, STATE_SIZE: 1, 24_576: 1, CHUNK_SIZE: 1, CHUNK_SIZE + 1: 2}

# In standard deviations. Two samples of one distribution come as far apart once in 10⁸ runs; the 10-bit values of
# uniform bytes are about 45 away from those of real files.
ALIKE_MAX = 10
APART_MIN = 30


@pytest.fixture(scope="module")
def real() -> list[bytes]:
    """The encapsulations of real files."""
    return [encapsulation(seal(bytes(16), [RECIPIENT])) for _ in range(FILES)]


@pytest.fixture(scope="module")
def made_up() -> list[bytes]:
    """The encapsulations of decoys."""
    return [encapsulation(Decoys(KEY).state(f"{number:032x}", TOKEN)) for number in range(FILES)]


@pytest.fixture(scope="module")
def noise() -> list[bytes]:
    """What has the length of encapsulations and nothing else."""
    chance = Random(8)
    return [chance.randbytes(ENCAPSULATION_SIZE) for _ in range(FILES)]


@pytest.mark.parametrize(("values", "bits"), [(values_of_u, BITS_OF_U), (values_of_v, BITS_OF_V)])
def test_values_are_as_frequent_in_decoys_as_in_real_files(
    values: Callable[[bytes], Sequence[int]], bits: int, made_up: list[bytes], real: list[bytes]
) -> None:
    assert distance(map(values, made_up), map(values, real), bits) < ALIKE_MAX


def test_by_their_frequency_uniform_bytes_are_found_out(noise: list[bytes], real: list[bytes]) -> None:
    assert distance(map(values_of_u, noise), map(values_of_u, real), BITS_OF_U) > APART_MIN


def test_every_share_is_a_multiple_of_the_base_point(made_up: list[bytes], real: list[bytes]) -> None:
    for share in map(x25519_share, made_up + real):
        assert is_reduced(share)
        assert is_on_the_curve(share)
        assert is_in_the_prime_order_subgroup(share)


def test_by_their_shares_uniform_bytes_are_found_out(noise: list[bytes]) -> None:
    for passes in (is_reduced, is_on_the_curve, is_in_the_prime_order_subgroup):
        assert sum(passes(x25519_share(item)) for item in noise) < FILES * 2 / 3


def test_over_all_words_of_16_bits_every_coefficient_is_equally_frequent() -> None:
    words = struct.pack("<65536H", *Random(8).sample(range(2**16), 2**16))
    found = Counter(uniform_coefficients(io.BytesIO(words).read, 2**16 // MODULUS * MODULUS))
    assert found == dict.fromkeys(range(MODULUS), 2**16 // MODULUS)


@pytest.mark.parametrize("bits", [BITS_OF_U, BITS_OF_V])
def test_coefficients_are_compressed_as_the_standard_says(bits: int) -> None:
    for coefficient in range(MODULUS):
        assert compress(coefficient, bits) == round(Fraction(2**bits * coefficient, MODULUS)) % 2**bits


@pytest.mark.parametrize("size", CHUNKS)
def test_a_decoy_has_the_header_and_the_length_of_a_real_file(size: int) -> None:
    decoy = Decoys(KEY).sealed(MAILBOX, "state", size)
    file = seal(bytes(size), [RECIPIENT])
    assert len(decoy) == len(file)
    for ours, its in zip(header_lines(decoy), header_lines(file), strict=True):
        assert len(ours) == len(its)
        assert ours.split(b" ")[:-1] == its.split(b" ")[:-1]


def header_lines(sealed: bytes) -> list[bytes]:
    return sealed[: read_header(io.BytesIO(sealed)).size].split(b"\n")


@pytest.mark.parametrize(("size", "chunks"), list(CHUNKS.items()))
def test_the_payload_of_a_decoy_has_the_chunks_of_its_size(size: int, chunks: int) -> None:
    decoy = Decoys(KEY).sealed(MAILBOX, "state", size)
    payload = decoy[read_header(io.BytesIO(decoy)).size + NONCE_SIZE :]
    found = [payload[start : start + SEALED_CHUNK_SIZE] for start in range(0, len(payload), SEALED_CHUNK_SIZE)]
    assert len(found) == chunks
    assert sum(len(chunk) - TAG_SIZE for chunk in found) == size
    assert len(found[-1]) > TAG_SIZE


def test_the_bytes_of_a_payload_are_as_frequent_as_in_real_files() -> None:
    decoys = [Decoys(KEY).sealed(f"{number:032x}", "state", 16_384)[-16_384:] for number in range(FILES // 10)]
    files = [seal(bytes(16_384), [RECIPIENT])[-16_384:] for _ in decoys]
    assert distance(decoys, files, 8) < ALIKE_MAX


def test_a_state_has_the_size_of_states() -> None:
    assert Decoys(KEY).state(MAILBOX, TOKEN) == Decoys(KEY).sealed(MAILBOX, f"state {TOKEN}", STATE_SIZE)


def test_a_decoy_stays_the_same_under_the_same_key_also_in_later_versions() -> None:
    decoys = Decoys(KEY)
    first = decoys.sealed(MAILBOX, "state", 4096)
    assert decoys.sealed(MAILBOX, "state", 4096) == first
    assert Decoys(KEY).sealed(MAILBOX, "state", 4096) == first
    assert hashlib.sha256(first).hexdigest() == "ed840cdea13a8a48ddc4946326939be5a1157044625cc2ea8e13b2957545531a"


def test_decoys_of_another_mailbox_label_size_or_portal_have_nothing_in_common() -> None:
    decoys = [
        Decoys(KEY).sealed(MAILBOX, "state", 4096),
        Decoys(KEY).sealed(MAILBOX, "state", 4097),
        Decoys(KEY).sealed(MAILBOX, "note", 4096),
        Decoys(KEY).sealed(MAILBOX[::-1], "state", 4096),
        Decoys(KEY[::-1]).sealed(MAILBOX, "state", 4096),
    ]
    for one, other in combinations(decoys, 2):
        assert all(part != its for part, its in zip(parts(one), parts(other), strict=True))


def parts(decoy: bytes) -> list[bytes]:
    """All that differs between files: u, v, share, wrapped file key, MAC, nonce and the beginning of the payload."""
    header = read_header(io.BytesIO(decoy))
    payload = decoy[header.size :]
    (stanza,) = header.stanzas
    return [*split(encapsulation(decoy)), stanza.body, header.mac, payload[:NONCE_SIZE], payload[NONCE_SIZE:][:64]]
