# SPDX-License-Identifier: AGPL-3.0-or-later
"""The curve of Ed25519 in whole numbers (RFC 8032 §5.1), slow and plain: what the libraries are held against.

It signs whatever it is asked to: with parts of small order in key or R, with an S too large, with other encodings.
"""

import hashlib

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, FIELD) % FIELD
_ROOT_OF_MINUS_ONE = pow(2, (FIELD - 1) // 4, FIELD)

Point = tuple[int, int, int, int]
ZERO: Point = (0, 1, 1, 0)


def add(one: Point, other: Point) -> Point:
    """The sum, in extended coordinates x, y, z, t (RFC 8032 §5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % FIELD
    b = (one[1] + one[0]) * (other[1] + other[0]) % FIELD
    c = 2 * one[3] * other[3] * _D % FIELD
    d = 2 * one[2] * other[2] % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def multiply(scalar: int, point: Point) -> Point:
    product = ZERO
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point = add(point, point)
        scalar >>= 1
    return product


def encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, FIELD)
    x, y = point[0] * inverse % FIELD, point[1] * inverse % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(encoded: bytes) -> Point | None:
    """The point of any encoding, a y of ``FIELD`` or more and a negative zero among them; None where there is none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, (number & (1 << 255) - 1) % FIELD
    square = (y * y - 1) * pow(_D * y * y + 1, -1, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if x * x % FIELD != square:
        x = x * _ROOT_OF_MINUS_ONE % FIELD
    if x * x % FIELD != square:
        return None
    x = FIELD - x if x and x & 1 != sign else x
    return x, y, 1, x * y % FIELD


def _point(encoded: bytes) -> Point:
    point = decode(encoded)
    assert point is not None
    return point


BASE = _point((4 * pow(5, -1, FIELD) % FIELD).to_bytes(32, "little"))
# Of order 8: whatever is left of a point when its part in the main subgroup is taken away.
_EIGHTH = multiply(ORDER, _point((3).to_bytes(32, "little")))
TORSION = tuple(multiply(times, _EIGHTH) for times in range(8))


def challenge(r: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % ORDER


def sign(message: bytes, a: int, r: int, public: bytes, commitment: bytes) -> bytes:
    """R ‖ S with S = r + k·a, whatever points ``public`` and ``commitment`` (R) encode."""
    return commitment + ((r + challenge(commitment, public, message) * a) % ORDER).to_bytes(32, "little")


def refusal(public: bytes, message: bytes, signature: bytes) -> str | None:
    """The error that docs/protocol.md §4.1 demands, by its name, or None where the signature is right."""
    key = _in_main_subgroup(public)
    if key is None:
        return "MalformedError"
    commitment = _in_main_subgroup(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or commitment is None or s >= ORDER:
        return "AuthenticationError"
    right = add(commitment, multiply(challenge(signature[:32], public, message), key))
    return None if encode(multiply(s, BASE)) == encode(right) else "AuthenticationError"


def _in_main_subgroup(encoded: bytes) -> Point | None:
    point = decode(encoded) if len(encoded) == 32 else None
    if point is None or encode(point) != encoded or encoded == encode(ZERO):
        return None
    return point if encode(multiply(ORDER, point)) == encode(ZERO) else None


def cofactored_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether 8·S·B = 8·R + 8·k·A, which some libraries ask for and nothing more."""
    key, commitment = decode(public), decode(signature[:32])
    if key is None or commitment is None:
        return False
    left = multiply(8 * int.from_bytes(signature[32:], "little"), BASE)
    right = multiply(8, add(commitment, multiply(challenge(signature[:32], public, message), key)))
    return encode(left) == encode(right)
