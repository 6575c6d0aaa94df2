# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed documents: padded, then sealed as an age file to post-quantum recipients only. docs/protocol.md §1.1, §2."""

import hmac
from collections.abc import Mapping, Sequence

from crypto.age import PqIdentity, PqRecipient, check_sealed_prefix, open_sealed, seal, sealed_size
from crypto.encoding import encode_json
from crypto.errors import AuthenticationError, LimitError
from crypto.padding import pad_document, padme, unpad_document

# The largest header we write has 64 stanzas of less than 1.7 KB.
HEADER_MAX = 128 * 1024


def seal_document(content: bytes, floor: int, recipients: Sequence[PqRecipient]) -> bytes:
    """Pad ``content`` to at least ``floor`` bytes and seal it; the stanzas keep the order of ``recipients``."""
    return seal(pad_document(content, floor), recipients)


def open_document(sealed: bytes, identity: PqIdentity, floor: int, content_max: int) -> bytes:
    """Return the content of a sealed document.

    Raises LimitError when the content is longer than ``content_max`` bytes or the sealed file too large for it,
    NotARecipientError when it is sealed to others, MalformedError for another padding or a stanza of another type, and
    the other errors of ``crypto.age.open_sealed``.
    """
    padded_max = padme(max(content_max + 4, floor))
    padded = open_strictly(sealed, [identity], sealed_size(padded_max, HEADER_MAX))
    return unpad_document(padded, floor, content_max)


def open_strictly(sealed: bytes, identities: Sequence[PqIdentity], sealed_max: int) -> bytes:
    """Open a sealed file of at most ``sealed_max`` bytes, refusing headers with stanzas of any other type (§2)."""
    if len(sealed) > sealed_max:
        raise LimitError(f"sealed file of {len(sealed)} bytes, the limit is {sealed_max}")
    check_sealed_prefix(sealed)
    return open_sealed(sealed, identities)


def document_mac(key: bytes, value: Mapping[str, object]) -> str:
    """Return HMAC-SHA-256 over the canonical JSON of an object without its ``mac``, in hex (§5.4, §9)."""
    return hmac.digest(key, encode_json(dict(value)), "sha256").hex()


def check_document_mac(key: bytes, value: Mapping[str, object], mac: str) -> None:
    """Raise AuthenticationError unless ``mac`` (hex) is that of the object."""
    if not hmac.compare_digest(document_mac(key, value), mac):
        raise AuthenticationError("the MAC of a document does not match")
