# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases of tests/vectors/ed25519.json, made by the algebra alone. ``python -m tests.crypto.ed25519_cases`` writes it.

They are of the kinds of Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (2020), in which libraries differ.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import nacl.signing

from tests.crypto.edwards import BASE, FIELD, ORDER, TORSION, add, challenge, decode, encode, multiply, refusal, sign

FILE = Path(__file__).parents[1] / "vectors/ed25519.json"
ABOUT = (
    "Ed25519 on bare signatures: docs/protocol.md section 4.1. A key that is refused whatever it signed is malformed."
)
MESSAGE = b"amparo"
A = int.from_bytes(hashlib.sha256(b"key").digest(), "little") % ORDER
R = int.from_bytes(hashlib.sha256(b"nonce").digest(), "little") % ORDER
PUBLIC = encode(multiply(A, BASE))
COMMITMENT = encode(multiply(R, BASE))
SIGNATURE = sign(MESSAGE, A, R, PUBLIC, COMMITMENT)
RFC_8032 = (
    ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""),
    ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"),
    ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"),
)
# How many times the point of order 8, by the order of the product.
ORDERS = {1: 0, 2: 4, 4: 2, 8: 1}


@dataclass(frozen=True)
class Case:
    name: str
    public: bytes
    message: bytes
    signature: bytes

    def vector(self) -> dict[str, Any]:
        given = {"public": self.public.hex(), "message": self.message.hex(), "signature": self.signature.hex()}
        error = refusal(self.public, self.message, self.signature)
        outcome = {"value": True} if error is None else {"error": error}
        return {"name": self.name, "operation": "verify", "input": given, **outcome}


def cases() -> Iterator[Case]:
    yield from _right()
    yield from _other_bytes()
    yield from _scalars()
    yield from _commitments()
    yield from _keys()


def _right() -> Iterator[Case]:
    for number, (seed, message) in enumerate(RFC_8032, 1):
        key = nacl.signing.SigningKey(bytes.fromhex(seed))
        data = bytes.fromhex(message)
        yield Case(f"RFC 8032, test {number}", bytes(key.verify_key), data, key.sign(data).signature)
    yield Case("made by the algebra", PUBLIC, MESSAGE, SIGNATURE)


def _other_bytes() -> Iterator[Case]:
    yield Case("another message", PUBLIC, MESSAGE + b".", SIGNATURE)
    yield Case("the sign bit of R flipped", PUBLIC, MESSAGE, _flip_sign(COMMITMENT) + SIGNATURE[32:])
    yield Case("the sign bit of the key flipped", _flip_sign(PUBLIC), MESSAGE, SIGNATURE)
    yield Case("no signature", PUBLIC, MESSAGE, b"")
    yield Case("a signature of 63 bytes", PUBLIC, MESSAGE, SIGNATURE[:-1])
    yield Case("a signature of 65 bytes", PUBLIC, MESSAGE, SIGNATURE + b"\0")
    yield Case("nothing but zeros", PUBLIC, MESSAGE, bytes(64))
    yield Case("a key of 31 bytes", PUBLIC[:-1], MESSAGE, SIGNATURE)
    yield Case("a key of 33 bytes", PUBLIC + b"\0", MESSAGE, SIGNATURE)


def _scalars() -> Iterator[Case]:
    s = int.from_bytes(SIGNATURE[32:], "little")
    for times in (1, 2, 7, 8, 15):
        too_large = (s + times * ORDER).to_bytes(32, "little")
        yield Case(f"S with {times} times the order added", PUBLIC, MESSAGE, COMMITMENT + too_large)
    yield Case("S of 0", PUBLIC, MESSAGE, COMMITMENT + bytes(32))
    yield Case("S of the order", PUBLIC, MESSAGE, COMMITMENT + ORDER.to_bytes(32, "little"))
    yield Case("S of all ones", PUBLIC, MESSAGE, COMMITMENT + b"\xff" * 32)
    yield Case("S negated", PUBLIC, MESSAGE, COMMITMENT + (ORDER - s).to_bytes(32, "little"))


def _commitments() -> Iterator[Case]:
    for order, times in ORDERS.items():
        if order > 1:
            mixed = encode(add(multiply(R, BASE), TORSION[times]))
            yield Case(f"R with a part of order {order}", PUBLIC, MESSAGE, sign(MESSAGE, A, R, PUBLIC, mixed))
        small = encode(TORSION[times])
        yield Case(f"R of order {order}", PUBLIC, MESSAGE, sign(MESSAGE, A, 0, PUBLIC, small))
    for encoded, what in _other_encodings():
        yield Case(f"R, {what}", PUBLIC, MESSAGE, sign(MESSAGE, A, 0, PUBLIC, encoded))
        point = decode(encoded)
        assert point is not None
        k = challenge(encode(point), PUBLIC, MESSAGE)
        as_if = encoded + (k * A % ORDER).to_bytes(32, "little")
        yield Case(f"R, {what}, hashed as it would be encoded", PUBLIC, MESSAGE, as_if)
    yield Case("R that is no point", PUBLIC, MESSAGE, sign(MESSAGE, A, R, PUBLIC, _no_point()))
    yield Case("R that is the key", PUBLIC, MESSAGE, sign(MESSAGE, A, A, PUBLIC, PUBLIC))


def _keys() -> Iterator[Case]:
    for order, times in ORDERS.items():
        small = encode(TORSION[times])
        yield Case(f"a key of order {order}", small, MESSAGE, sign(MESSAGE, 0, R, small, COMMITMENT))
        yield Case(f"a key and R of order {order}", small, MESSAGE, sign(MESSAGE, 0, 0, small, small))
        if order > 1:
            mixed = encode(add(multiply(A, BASE), TORSION[times]))
            yield Case(f"a key with a part of order {order}", mixed, MESSAGE, sign(MESSAGE, A, R, mixed, COMMITMENT))
            yield Case(f"the same, in a signature in which it vanishes (order {order})", *_vanishing(mixed, order))
            yield Case(f"a key and R with parts of order {order} that cancel out", *_cancelling(mixed, times))
    for encoded, what in _other_encodings():
        yield Case(f"a key, {what}", encoded, MESSAGE, sign(MESSAGE, 0, R, encoded, COMMITMENT))
    for above in range(3, 19):
        encoded = (FIELD + above).to_bytes(32, "little")
        if decode(encoded) is not None:
            yield Case(f"a key with y of p + {above}", encoded, MESSAGE, SIGNATURE)
    yield Case("a key that is no point", _no_point(), MESSAGE, SIGNATURE)


def _vanishing(mixed: bytes, order: int) -> tuple[bytes, bytes, bytes]:
    """By a key with a part of small order whose k is a multiple of that order: right even without the cofactor."""
    for r in count(R):
        commitment = encode(multiply(r, BASE))
        if challenge(commitment, mixed, MESSAGE) % order == 0:
            return mixed, MESSAGE, sign(MESSAGE, A, r, mixed, commitment)
    raise AssertionError("unreachable")


def _cancelling(mixed: bytes, times: int) -> tuple[bytes, bytes, bytes]:
    """By a key with a part of small order, whose R has what takes it away again: right even without the cofactor."""
    for r in count(R):
        part = r % 8
        commitment = encode(add(multiply(r, BASE), TORSION[part]))
        if part and (part + challenge(commitment, mixed, MESSAGE) * times) % 8 == 0:
            return mixed, MESSAGE, sign(MESSAGE, A, r, mixed, commitment)
    raise AssertionError("unreachable")


def _other_encodings() -> Iterator[tuple[bytes, str]]:
    """Every encoding of a point of small order that is not its own."""
    top = 1 << 255
    yield (1 | top).to_bytes(32, "little"), "zero with a sign"
    yield (FIELD + 1).to_bytes(32, "little"), "zero with y of p + 1"
    yield (FIELD + 1 | top).to_bytes(32, "little"), "zero with y of p + 1 and a sign"
    yield (FIELD - 1 | top).to_bytes(32, "little"), "of order 2 with a sign"
    yield FIELD.to_bytes(32, "little"), "of order 4 with y of p"
    yield (FIELD | top).to_bytes(32, "little"), "of order 4 with y of p and a sign"


def _no_point() -> bytes:
    return next(encoded for y in count(2) if decode(encoded := y.to_bytes(32, "little")) is None)


def _flip_sign(encoded: bytes) -> bytes:
    return encoded[:31] + bytes([encoded[31] ^ 0x80])


def written() -> str:
    lines = ",\n".join("    " + json.dumps(case.vector()) for case in cases())
    return f'{{\n  "about": {json.dumps(ABOUT)},\n  "vectors": [\n{lines}\n  ]\n}}\n'


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
