# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ed25519 signatures as a forger or a careless signer makes them: key (32) ‖ R ‖ S (64) ‖ message."""

from random import Random

import nacl.bindings

from tests.crypto.edwards import ORDER, TORSION, encode, sign

KEY_BYTES = 32
SIGNED_BYTES = KEY_BYTES + 64
_PARTS = [encode(point) for point in TORSION]


def forge(chance: Random, data: bytes) -> bytes:
    """Sign the message anew, mostly with something added: parts of small order in key and R, the order in S, a bit."""
    message = data[SIGNED_BYTES:] or b"."
    a, r = chance.randrange(1, ORDER), chance.choice((0, chance.randrange(1, ORDER)))
    public = _plus(a, chance.choice((0, 0, 0, chance.randrange(8))))
    commitment = _plus(r, chance.choice((0, 0, chance.randrange(8))))
    if chance.random() < 0.1:
        commitment = commitment[:31] + bytes([commitment[31] ^ 0x80])
    signature = sign(message, a, r, public, commitment)
    s = int.from_bytes(signature[32:], "little") + ORDER * chance.choice((0, 0, 0, chance.randrange(15)))
    return public + signature[:32] + s.to_bytes(32, "little") + message


def _plus(scalar: int, times: int) -> bytes:
    """``scalar`` times the base point plus ``times`` the point of order 8."""
    if scalar == 0:
        return _PARTS[times]
    point = nacl.bindings.crypto_scalarmult_ed25519_base_noclamp(scalar.to_bytes(32, "little"))
    return nacl.bindings.crypto_core_ed25519_add(point, _PARTS[times])
