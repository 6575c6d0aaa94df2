# SPDX-License-Identifier: AGPL-3.0-or-later
"""Merkle trees: what the functions prove is what a recomputation from nothing gives, and nothing else verifies."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import LimitError, MalformedError, ProofError
from crypto.tlog import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    tree_head,
    verify_consistency,
    verify_inclusion,
)
from tests.vectors import expected_error, load_vectors

SIZES = range(1, 34)
ENTRIES = [b"entry %d" % number for number in range(40)]
ROOTS = [tree_head(ENTRIES[:size]) for size in range(len(ENTRIES) + 1)]


def naive_root(entries: list[bytes]) -> bytes:
    """The root, level by level from the leaves, a last odd node moving up: not how the module does it."""
    level = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    while len(level) > 1:
        pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def unhex(value):
    if isinstance(value, str):
        return bytes.fromhex(value)
    return [bytes.fromhex(item) for item in value] if isinstance(value, list) else value


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("tlog", "root"))
    def test_roots(self, vector):
        assert tree_head(unhex(vector["input"]["entries"])).hex() == vector["value"]

    @pytest.mark.parametrize(
        ("operation", "function"),
        [("prove-inclusion", inclusion_proof), ("prove-consistency", consistency_proof)],
    )
    def test_proofs(self, operation, function):
        for (vector,) in (param.values for param in load_vectors("tlog", operation)):
            arguments = map(unhex, vector["input"].values())
            if "error" in vector:
                with pytest.raises(expected_error(vector)):
                    function(*arguments)
            else:
                assert function(*arguments) == unhex(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("tlog", "verify-inclusion"))
    def test_verified_inclusion(self, vector):
        arguments = {name: unhex(value) for name, value in vector["input"].items()}
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                verify_inclusion(**arguments)
        else:
            verify_inclusion(**arguments)

    @pytest.mark.parametrize("vector", load_vectors("tlog", "verify-consistency"))
    def test_verified_consistency(self, vector):
        arguments = {name: unhex(value) for name, value in vector["input"].items()}
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                verify_consistency(**arguments)
        else:
            verify_consistency(**arguments)


class TestLaws:
    @given(entries=st.lists(st.binary(max_size=40), min_size=1, max_size=70))
    def test_the_root_is_that_of_a_naive_recomputation(self, entries):
        assert tree_head(entries) == naive_root(entries)

    def test_every_inclusion_proof_holds_for_its_entry_and_size(self):
        for size in SIZES:
            for index in range(size):
                proof = inclusion_proof(index, ENTRIES[:size])
                assert len(proof) <= (size - 1).bit_length()
                verify_inclusion(leaf_hash(ENTRIES[index]), index, size, proof, ROOTS[size])

    def test_no_inclusion_proof_holds_for_another_index_or_entry(self):
        for size in SIZES:
            for index in range(size):
                proof = inclusion_proof(index, ENTRIES[:size])
                for other in range(size):
                    if other != index:
                        with pytest.raises(ProofError):
                            verify_inclusion(leaf_hash(ENTRIES[index]), other, size, proof, ROOTS[size])
                        with pytest.raises(ProofError):
                            verify_inclusion(leaf_hash(ENTRIES[other]), index, size, proof, ROOTS[size])

    def test_every_consistency_proof_holds_for_its_sizes(self):
        for second in SIZES:
            for first in range(1, second + 1):
                proof = consistency_proof(first, ENTRIES[:second])
                verify_consistency(first, second, ROOTS[first], ROOTS[second], proof)

    def test_no_consistency_proof_holds_for_a_tree_that_was_rewritten(self):
        for second in SIZES:
            for first in range(1, second):
                proof = consistency_proof(first, ENTRIES[:second])
                rewritten = tree_head([b"rewritten", *ENTRIES[1:second]])
                with pytest.raises(ProofError):
                    verify_consistency(first, second, ROOTS[first], rewritten, proof)
                with pytest.raises(ProofError):
                    verify_consistency(first, second, rewritten, ROOTS[second], proof)

    @given(data=st.data())
    def test_any_flipped_bit_of_a_proof_is_found(self, data):
        size = data.draw(st.integers(2, 40))
        first = data.draw(st.integers(1, size - 1))
        for proof, check in (
            (
                inclusion_proof(first, ENTRIES[:size]),
                lambda altered: verify_inclusion(leaf_hash(ENTRIES[first]), first, size, altered, ROOTS[size]),
            ),
            (
                consistency_proof(first, ENTRIES[:size]),
                lambda altered: verify_consistency(first, size, ROOTS[first], ROOTS[size], altered),
            ),
        ):
            place = data.draw(st.integers(0, len(proof) - 1))
            altered = bytearray(proof[place])
            altered[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
            with pytest.raises(ProofError):
                check([*proof[:place], bytes(altered), *proof[place + 1 :]])

    def test_a_proof_with_a_hash_more_or_less_is_refused(self):
        for size in SIZES:
            for index in range(size):
                proof = inclusion_proof(index, ENTRIES[:size])
                for wrong in ([*proof, ROOTS[1]], [ROOTS[1], *proof], proof[:-1] if proof else [ROOTS[1]]):
                    with pytest.raises(ProofError):
                        verify_inclusion(leaf_hash(ENTRIES[index]), index, size, wrong, ROOTS[size])


class TestEdges:
    def test_a_path_through_a_larger_tree_is_not_taken_for_one_in_a_smaller(self):
        """The hashes lead to the right root; the size does not allow such a path."""
        with pytest.raises(ProofError):
            verify_inclusion(leaf_hash(ENTRIES[1]), 0, 1, [leaf_hash(ENTRIES[0])], ROOTS[2])

    def test_a_node_is_not_taken_for_a_leaf(self):
        left, right = leaf_hash(b"a"), leaf_hash(b"b")
        assert tree_head([left + right]) != node_hash(left, right)
        with pytest.raises(ProofError):
            verify_inclusion(leaf_hash(left + right), 0, 1, [], node_hash(left, right))

    def test_trees_of_any_documented_size_are_checked_without_their_entries(self):
        size = 2**63 - 1
        with pytest.raises(ProofError):
            verify_inclusion(ROOTS[1], size - 1, size, [ROOTS[1]] * 62, ROOTS[1])
        with pytest.raises(ProofError):
            verify_consistency(size - 1, size, ROOTS[1], ROOTS[2], [ROOTS[1]] * 63)

    def test_what_no_tree_has_is_refused_before_any_hashing(self):
        with pytest.raises(LimitError):
            verify_inclusion(ROOTS[1], 0, 2**63, [], ROOTS[1])
        with pytest.raises(MalformedError):
            verify_inclusion(b"short", 0, 1, [], b"short")

    def test_a_proof_has_at_most_64_hashes(self):
        for count, error in ((64, ProofError), (65, LimitError)):
            with pytest.raises(error):
                verify_inclusion(ROOTS[1], 0, 2, [ROOTS[1]] * count, ROOTS[1])
            with pytest.raises(error):
                verify_consistency(1, 2, ROOTS[1], ROOTS[2], [ROOTS[1]] * count)

    @pytest.mark.parametrize("index", [-1, 3, 4])
    def test_there_is_no_entry_outside_of_the_tree(self, index):
        with pytest.raises(ProofError, match="index"):
            verify_inclusion(ROOTS[1], index, 3, [ROOTS[1]], ROOTS[3])
        with pytest.raises(ProofError, match="index"):
            inclusion_proof(index, ENTRIES[:3])

    @pytest.mark.parametrize("first", [-1, 0, 4])
    def test_there_is_no_earlier_tree_of_none_or_of_more_entries(self, first):
        with pytest.raises(ProofError):
            consistency_proof(first, ENTRIES[:3])
        with pytest.raises(ProofError, match="in order"):
            verify_consistency(first, 3, ROOTS[1], ROOTS[3], [ROOTS[1]])

    def test_a_tree_is_consistent_with_itself_without_a_proof_alone(self):
        verify_consistency(3, 3, ROOTS[3], ROOTS[3], [])
        assert consistency_proof(3, ENTRIES[:3]) == []
        for root, proof in ((ROOTS[3], [ROOTS[1]]), (ROOTS[2], [])):
            with pytest.raises(ProofError, match="the sizes are equal, the roots are not"):
                verify_consistency(3, 3, ROOTS[3], root, proof)

    def test_a_larger_tree_needs_a_proof(self):
        for first in (1, 2, 3):
            with pytest.raises(ProofError, match="empty"):
                verify_consistency(first, 4, ROOTS[first], ROOTS[4], [])

    def test_a_consistency_proof_with_a_hash_more_or_less_is_refused(self):
        for second in SIZES:
            for first in range(1, second):
                proof = consistency_proof(first, ENTRIES[:second])
                for wrong in ([*proof, ROOTS[1]], [ROOTS[1], *proof], proof[:-1]):
                    with pytest.raises(ProofError):
                        verify_consistency(first, second, ROOTS[first], ROOTS[second], wrong)

    @pytest.mark.parametrize("size", [-1, 2**63])
    def test_sizes_have_63_bits(self, size):
        with pytest.raises(LimitError):
            verify_inclusion(ROOTS[1], 0, size, [], ROOTS[1])

    @pytest.mark.parametrize("place", ["leaf", "root", "proof"])
    @pytest.mark.parametrize("size", [0, 31, 33])
    def test_every_hash_has_32_bytes(self, place, size):
        hashes = {"leaf": ROOTS[1], "root": ROOTS[2], "proof": ROOTS[1], place: bytes(size)}
        with pytest.raises(MalformedError):
            verify_inclusion(hashes["leaf"], 0, 2, [hashes["proof"]], hashes["root"])
        with pytest.raises(MalformedError):
            verify_consistency(1, 2, hashes["leaf"], hashes["root"], [hashes["proof"]])
