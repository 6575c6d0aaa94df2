# SPDX-License-Identifier: AGPL-3.0-or-later
"""States of mailboxes that do not exist (docs/protocol.md §8).

A request for an unknown mailbox, or with a wrong token, gets an age file with the shape and the length of a real one,
the same one every time. Besides the portal, only the holder of a receipt code can tell it from a real one, by trying to
open it: the encapsulation passes for a real one (``portal/mailbox/encapsulation.py``), and the wrapped file key, the
MAC and the payload are pseudo-random in a real file too.
"""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from crypto import encoding
from crypto.age import FILE_KEY_SIZE, Stanza, sealed_size
from crypto.age_header import encode_base64, encode_header
from crypto.age_pq import STANZA_TYPE, WRAPPED_SIZE
from crypto.padding import STATE_SIZE
from portal.mailbox.encapsulation import Draw, encapsulation_to_nobody

_NONCE = bytes(16)


class Decoys:
    """Makes decoys under the portal's key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def state(self, mailbox: str, token_sha256: str) -> bytes:
        """Return the decoy state of a mailbox id and the hash of a token (hex): another token is shown another one."""
        return self.sealed(mailbox, f"state {token_sha256}", STATE_SIZE)

    def sealed(self, mailbox: str, label: str, size: int) -> bytes:
        """Return what passes for an age file with one stanza and a plaintext of ``size`` bytes.

        The same for the same portal, mailbox id (hex), label (ASCII, one line) and size; independent if any differs.
        """
        draw = self._stream(mailbox, label, size)
        encapsulation = encapsulation_to_nobody(draw)
        stanza = Stanza(STANZA_TYPE, (encode_base64(encapsulation),), draw(WRAPPED_SIZE))
        return encode_header([stanza], draw(FILE_KEY_SIZE)) + draw(sealed_size(size, 0))

    def _stream(self, mailbox: str, label: str, size: int) -> Draw:
        name = encoding.label(f"decoy-{label}") + bytes.fromhex(mailbox) + size.to_bytes(4, "big")
        key = hmac.digest(self._key, name, "sha256")
        encryptor = Cipher(ChaCha20(key, _NONCE), mode=None).encryptor()
        return lambda count: encryptor.update(bytes(count))
