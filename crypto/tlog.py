# SPDX-License-Identifier: AGPL-3.0-or-later
"""Merkle tree hashes and their proofs: RFC 6962 §2.1, checked as RFC 9162 §2.1.3.2 and §2.1.4.2 say.

Pure functions over SHA-256. Entries are bytes, hashes 32 bytes; a leaf is hashed with the prefix 0x00 and a node with
0x01, so that neither can pass for the other. Sizes and indices are below 2⁶³.
"""

import hashlib
from collections.abc import Sequence

from crypto.encoding import HASH_BYTES
from crypto.errors import LimitError, MalformedError, ProofError

SIZE_MAX = 2**63 - 1
# A path has at most one hash a level; a consistency proof has one more.
PROOF_HASHES_MAX = 64


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right) of two hashes of 32 bytes."""
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_head(entries: Sequence[bytes]) -> bytes:
    """Return MTH of RFC 6962 §2.1, the root of all ``entries``; of none, SHA-256 of the empty string."""
    return _root([leaf_hash(entry) for entry in entries])


def inclusion_proof(index: int, entries: Sequence[bytes]) -> list[bytes]:
    """Return PATH of RFC 6962 §2.1.1, that ``entries[index]`` is at ``index``. ProofError if it does not exist."""
    if not 0 <= index < len(entries):
        raise ProofError("inclusion proof: no entry with this index")
    return _path(index, [leaf_hash(entry) for entry in entries])


def consistency_proof(first: int, entries: Sequence[bytes]) -> list[bytes]:
    """Return PROOF of RFC 6962 §2.1.2, that the tree of all ``entries`` extends the tree of the first ``first``.

    Empty when both are equal. ProofError unless 1 ≤ ``first`` ≤ the number of entries.
    """
    if not 1 <= first <= len(entries):
        raise ProofError("consistency proof: no earlier tree of this size")
    return _subproof(first, [leaf_hash(entry) for entry in entries], complete=True)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash ``leaf`` is at ``index`` in the tree of ``size`` entries with ``root``.

    RFC 9162 §2.1.3.2. Raises ProofError when it does not, LimitError and MalformedError on sizes or hashes that no
    tree has.
    """
    _check_form(size, proof, leaf, root)
    if not 0 <= index < size:
        raise ProofError("inclusion proof: the index is outside the tree")
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("inclusion proof: too long")
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            # At the right edge a node without a sibling moves up unchanged.
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("inclusion proof: too short")
    if found != root:
        raise ProofError("inclusion proof: the computed root is another one")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of ``second`` entries with ``second_root`` extends the one of ``first`` entries.

    RFC 9162 §2.1.4.2. Raises ProofError when it does not, LimitError and MalformedError on sizes or hashes that no
    tree has. An empty tree proves nothing: ``first`` is at least 1. *Not* checked: that a size belongs to its root;
    some neighbouring sizes have proofs of the same shape. A signature on a root therefore covers its size too.
    """
    _check_form(second, proof, first_root, second_root)
    if not 1 <= first <= second:
        raise ProofError("consistency proof: the sizes are not in order")
    if first == second:
        if proof or first_root != second_root:
            raise ProofError("consistency proof: the sizes are equal, the roots are not")
        return
    if not proof:
        raise ProofError("consistency proof: empty")
    # If the first tree is complete, its root is a node of the second one and is left out of the proof.
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("consistency proof: too long")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("consistency proof: too short")
    if old != first_root or new != second_root:
        raise ProofError("consistency proof: a computed root is another one")


def _check_form(size: int, proof: Sequence[bytes], *hashes: bytes) -> None:
    if not 0 <= size <= SIZE_MAX or len(proof) > PROOF_HASHES_MAX:
        raise LimitError("proof: longer than a proof in any tree")
    if any(len(value) != HASH_BYTES for value in (*proof, *hashes)):
        raise MalformedError(f"proof: a hash does not have {HASH_BYTES} bytes")


def _split(size: int) -> int:
    """Return the largest power of two below ``size`` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(_root(leaves[:k]), _root(leaves[k:]))


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*_path(index, leaves[:k]), _root(leaves[k:])]
    return [*_path(index - k, leaves[k:]), _root(leaves[:k])]


def _subproof(first: int, leaves: Sequence[bytes], complete: bool) -> list[bytes]:
    """SUBPROOF(m, D, b): ``complete`` while the verifier knows the root of the first m leaves already."""
    if first == len(leaves):
        return [] if complete else [_root(leaves)]
    k = _split(len(leaves))
    if first <= k:
        return [*_subproof(first, leaves[:k], complete), _root(leaves[k:])]
    return [*_subproof(first - k, leaves[k:], complete=False), _root(leaves[:k])]
