# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one set of Ed25519 keys and signatures that is accepted, whatever library checks them. docs/protocol.md §4.1.

RFC 8032 leaves room, and libraries differ in it: in points with a part of small order, in the point zero, in the
equation with or without the cofactor. Where key and R are both points of the main subgroup, all of them agree.
"""

import nacl.bindings
import nacl.exceptions
import nacl.signing

from crypto.errors import AuthenticationError, MalformedError

KEY_BYTES = 32
SIGNATURE_BYTES = 64


def check_public_key(public: bytes) -> None:
    """Raise MalformedError unless ``public`` (32 bytes) encodes a point of the main subgroup, but not zero."""
    if not _is_point(public):
        raise MalformedError("not an Ed25519 public key")


def check_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise AuthenticationError unless ``signature`` (64 bytes, R ‖ S) is that of ``message`` by ``public``.

    ``public`` has passed ``check_public_key``: it is *not* checked again here.
    """
    if len(signature) != SIGNATURE_BYTES or not _is_point(signature[:KEY_BYTES]):
        raise AuthenticationError("the signature does not match")
    try:
        nacl.signing.VerifyKey(public).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        raise AuthenticationError("the signature does not match") from None


def _is_point(encoded: bytes) -> bool:
    return len(encoded) == KEY_BYTES and nacl.bindings.crypto_core_ed25519_is_valid_point(encoded)
