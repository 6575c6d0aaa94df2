# SPDX-License-Identifier: AGPL-3.0-or-later
"""The payload of an age v1 file: c2sp.org/age, "Payload".

    16-byte nonce, then chunks: ChaCha20-Poly1305 of 64 KiB of plaintext each, with a 16-byte tag

The key comes from the file key and the nonce. Chunk n is sealed under the AEAD nonce n (11 bytes, big endian) followed
by 1 for the last chunk and 0 for every other, so that chunks can be neither reordered, nor dropped, nor added. The last
chunk may be short, but is empty only if the whole payload is.
"""

import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import AuthenticationError, MalformedError

PAYLOAD_LABEL = b"payload"
NONCE_SIZE = 16
TAG_SIZE = 16
CHUNK_SIZE = 64 * 1024
SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE


def sealed_size(plaintext_size: int, header_size: int) -> int:
    """Return the size in bytes of an age file, given those of its plaintext and of its header with the MAC line."""
    chunks = max(1, -(-plaintext_size // CHUNK_SIZE))
    return header_size + NONCE_SIZE + plaintext_size + chunks * TAG_SIZE


def seal_payload(source: BinaryIO, sink: BinaryIO, file_key: bytes) -> None:
    """Write a fresh nonce and all of ``source``, sealed, to ``sink``, holding two chunks at a time."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    sink.write(nonce)
    aead = _payload_aead(file_key, nonce)
    chunk = _read_full(source, CHUNK_SIZE)
    counter = 0
    # One chunk is read ahead: only the end of the source tells which chunk is the last.
    while following := _read_full(source, CHUNK_SIZE):
        sink.write(aead.encrypt(_chunk_nonce(counter, last=False), chunk, None))
        chunk = following
        counter += 1
    sink.write(aead.encrypt(_chunk_nonce(counter, last=True), chunk, None))


def open_payload(source: BinaryIO, sink: BinaryIO, file_key: bytes) -> None:
    """Open the payload in ``source``, up to its end, into ``sink``, one chunk at a time.

    A chunk is written once it is authenticated, before the next one is read: after an error, throw away what ``sink``
    holds. Raises AuthenticationError for a chunk that was altered, moved or cut, and MalformedError for a payload that
    ends between two chunks, continues after its last chunk, or ends with a superfluous empty chunk.
    """
    nonce = _read_full(source, NONCE_SIZE)
    if len(nonce) != NONCE_SIZE:
        raise MalformedError("age header: the payload nonce is missing")
    aead = _payload_aead(file_key, nonce)
    counter = 0
    last = False
    while not last:
        sealed = _read_full(source, SEALED_CHUNK_SIZE)
        chunk, last = _open_chunk(aead, counter, sealed)
        if counter and not chunk:
            raise MalformedError("age payload: the last chunk is empty")
        sink.write(chunk)
        counter += 1
    if source.read(1):
        raise MalformedError("age payload: there are bytes after the last chunk")


def _open_chunk(aead: ChaCha20Poly1305, counter: int, sealed: bytes) -> tuple[bytes, bool]:
    """Return the plaintext of a chunk, and whether it is the last one.

    Only the tag tells whether a full chunk is the last one; the second attempt happens once per file. A short chunk can
    only be the last.
    """
    if not sealed:
        raise MalformedError("age payload: ends before its last chunk")
    for last in (False, True) if len(sealed) == SEALED_CHUNK_SIZE else (True,):
        try:
            return aead.decrypt(_chunk_nonce(counter, last=last), sealed, None), last
        except InvalidTag:
            continue
    raise AuthenticationError("age payload: a chunk was altered, moved or cut")


def _payload_aead(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=nonce, info=PAYLOAD_LABEL).derive(file_key))


def _chunk_nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _read_full(source: BinaryIO, size: int) -> bytes:
    """Return ``size`` bytes, fewer only at the end: a pipe or a socket may deliver them in parts."""
    data = source.read(size)
    while data and len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data
