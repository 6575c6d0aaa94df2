# SPDX-License-Identifier: AGPL-3.0-or-later
"""States of mailboxes that do not exist (docs/protocol.md §8).

A request for an unknown mailbox, or with a wrong token, gets an age file with the shape and the length of a real state,
the same one every time. Only the holder of a receipt code can tell it from a real one, by trying to open it.
"""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from crypto.age import Stanza, sealed_size
from crypto.age_header import encode_base64, encode_header
from crypto.age_pq import ENCAPSULATION_SIZE, STANZA_TYPE, WRAPPED_SIZE
from crypto.encoding import label
from crypto.padding import STATE_FLOOR

FILE_KEY_BYTES = 16
STREAM_BYTES = 16 * 1024
_NONCE = bytes(16)


class Decoys:
    """Makes decoys under the portal's key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def state(self, mailbox: str) -> bytes:
        """Return the decoy state of a mailbox id (hex)."""
        stream = self._stream(mailbox)
        encapsulation, stream = _cut(stream, ENCAPSULATION_SIZE)
        wrapped, stream = _cut(stream, WRAPPED_SIZE)
        file_key, stream = _cut(stream, FILE_KEY_BYTES)
        header = encode_header([Stanza(STANZA_TYPE, (encode_base64(encapsulation),), wrapped)], file_key)
        return header + stream[: sealed_size(STATE_FLOOR, 0)]

    def _stream(self, mailbox: str) -> bytes:
        key = hmac.digest(self._key, label("decoy-state") + bytes.fromhex(mailbox), "sha256")
        return Cipher(ChaCha20(key, _NONCE), mode=None).encryptor().update(bytes(STREAM_BYTES))


def _cut(stream: bytes, size: int) -> tuple[bytes, bytes]:
    return stream[:size], stream[size:]
