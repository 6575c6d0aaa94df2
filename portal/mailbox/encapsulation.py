# SPDX-License-Identifier: AGPL-3.0-or-later
"""Encapsulations to nobody, made from a stream of random bytes (docs/protocol.md §8).

The encapsulation of ``mlkem768x25519`` is an ML-KEM-768 ciphertext ‖ an X25519 share. Neither is uniform as a string of
bytes; what each is to whoever lacks the key is made here:

    u       960 bytes   768 coefficients modulo 3329, compressed to 10 bits each
    v       128 bytes   256 coefficients modulo 3329, compressed to 4 bits each
    share    32 bytes   a random multiple of the base point

That the coefficients of a real ciphertext pass for uniform ones, even to a holder of the public key, is the assumption
on which ML-KEM rests (module learning with errors). Compression then makes some values more frequent than others.
"""

import functools
import struct
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from crypto.age_pq import X25519_SIZE

MODULUS = 3329
COEFFICIENTS_OF_U = 3 * 256
COEFFICIENTS_OF_V = 256
BITS_OF_U = 10
BITS_OF_V = 4

_WORDS = struct.Struct("<512H")
# The greatest multiple of the modulus in 16 bits: below it, words are uniform modulo 3329.
_WORDS_END = 2**16 - 2**16 % MODULUS

Draw = Callable[[int], bytes]
"""Gives the next bytes of a stream, as many as asked for."""


def encapsulation_to_nobody(draw: Draw) -> bytes:
    """Return 1120 bytes that pass for an encapsulation, the same for the same stream."""
    coefficients = uniform_coefficients(draw, COEFFICIENTS_OF_U + COEFFICIENTS_OF_V)
    u = _pack(coefficients[:COEFFICIENTS_OF_U], BITS_OF_U)
    v = _pack(coefficients[COEFFICIENTS_OF_U:], BITS_OF_V)
    share = X25519PrivateKey.from_private_bytes(draw(X25519_SIZE)).public_key().public_bytes_raw()
    return u + v + share


def compress(coefficient: int, bits: int) -> int:
    """Compress_d of FIPS 203, 4.2.1: the integer nearest to 2ᵈ/q · x, modulo 2ᵈ. There are no ties: q is odd."""
    return ((coefficient << bits) + MODULUS // 2) // MODULUS % (1 << bits)


def uniform_coefficients(draw: Draw, count: int) -> list[int]:
    """Return ``count`` integers, uniform modulo 3329 if the stream is uniform."""
    found: list[int] = []
    while len(found) < count:
        found += [word % MODULUS for word in _WORDS.unpack(draw(_WORDS.size)) if word < _WORDS_END]
    return found[:count]


def _pack(coefficients: Sequence[int], bits: int) -> bytes:
    """ByteEncode_d of FIPS 203, algorithm 5, of the compressed coefficients: one after the other, lowest bit first."""
    digits = _binary_digits(bits)
    number = int("".join([digits[coefficient] for coefficient in reversed(coefficients)]), 2)
    return number.to_bytes(len(coefficients) * bits // 8, "little")


@functools.cache
def _binary_digits(bits: int) -> tuple[str, ...]:
    # A decoy is made at every request: a table for all coefficients halves its time.
    return tuple(f"{compress(coefficient, bits):0{bits}b}" for coefficient in range(MODULUS))
