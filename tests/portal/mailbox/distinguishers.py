# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs that tell made-up encapsulations of ``mlkem768x25519`` from real ones, and need no key for it."""

import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from nacl.bindings import crypto_core_ed25519_is_valid_point

from crypto.age import read_header
from crypto.age_pq import ENCAPSULATION_SIZE, check_stanza

FIELD = 2**255 - 19
U_END = 960
V_END = U_END + 128
BITS_OF_U = 10
BITS_OF_V = 4


def encapsulation(sealed: bytes) -> bytes:
    """The 1120 bytes of the only stanza."""
    (stanza,) = read_header(io.BytesIO(sealed)).stanzas
    return check_stanza(stanza)[:ENCAPSULATION_SIZE]


def split(encapsulated: bytes) -> tuple[bytes, bytes, bytes]:
    """The two parts of the ML-KEM-768 ciphertext (FIPS 203, algorithm 14), and the X25519 share."""
    return encapsulated[:U_END], encapsulated[U_END:V_END], encapsulated[V_END:]


def values_of_u(encapsulated: bytes) -> Sequence[int]:
    """The 768 values of 10 bits."""
    return _unpack(split(encapsulated)[0], BITS_OF_U)


def values_of_v(encapsulated: bytes) -> Sequence[int]:
    """The 256 values of 4 bits."""
    return _unpack(split(encapsulated)[1], BITS_OF_V)


def distance(one: Iterable[Iterable[int]], other: Iterable[Iterable[int]], bits: int) -> float:
    """How far apart two collections of as many values of ``bits`` bits are: chi-square, in standard deviations.

    Near 0 for two samples of one distribution, whatever it is.
    """
    counts, others = Counter(chain.from_iterable(one)), Counter(chain.from_iterable(other))
    statistic = sum((counts[value] - others[value]) ** 2 / (counts[value] + others[value]) for value in counts | others)
    degrees = 2**bits - 1
    return (statistic - degrees) / math.sqrt(2 * degrees)


def x25519_share(encapsulated: bytes) -> int:
    """The share as a number, the top bit included."""
    return int.from_bytes(split(encapsulated)[2], "little")


def is_reduced(u: int) -> bool:
    """Whether a number of 32 bytes is below 2²⁵⁵ - 19, so that its top bit is clear."""
    return u < FIELD


def is_on_the_curve(u: int) -> bool:
    """Whether u³ + 486662u² + u is a square (Euler's criterion); if not, u belongs to the twist."""
    return pow(u**3 + 486662 * u**2 + u, (FIELD - 1) // 2, FIELD) == 1


def is_in_the_prime_order_subgroup(u: int) -> bool:
    """Ask libsodium, after the map to Ed25519 of RFC 7748, 4.1: y = (u - 1) / (u + 1)."""
    y = (u - 1) * pow(u + 1, -1, FIELD) % FIELD
    return crypto_core_ed25519_is_valid_point(y.to_bytes(32, "little"))


def _unpack(packed: bytes, bits: int) -> Sequence[int]:
    """ByteDecode_d of FIPS 203, algorithm 6."""
    number = int.from_bytes(packed, "little")
    return [number >> start & (1 << bits) - 1 for start in range(0, len(packed) * 8, bits)]
