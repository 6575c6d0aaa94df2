# SPDX-License-Identifier: AGPL-3.0-or-later
"""age v1 files (c2sp.org/age): seal to recipients, open with identities. docs/protocol.md §2.

The ordinary ``age`` tool, from version 1.3, opens files sealed here and seals files that open here. The header is in
``crypto/age_header.py``, the payload in ``crypto/age_stream.py``, the recipient types in ``crypto/age_pq.py`` and
``crypto/age_x25519.py``; ``crypto/armor.py`` removes ASCII armor first.

Sources and sinks are binary files. A sink accepts all the bytes of a ``write``, as every buffered file does.
"""

import io
import secrets
from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol, TypeVar

from crypto import age_pq
from crypto.age_header import MAX_HEADER_SIZE, MAX_STANZAS, Header, Stanza, encode_header, read_header
from crypto.age_pq import PqIdentity, PqRecipient
from crypto.age_stream import open_payload, seal_payload, sealed_size
from crypto.age_x25519 import X25519Identity, X25519Recipient
from crypto.errors import CryptoError, LimitError, MalformedError, NotARecipientError

__all__ = [
    "MAX_HEADER_SIZE",
    "MAX_STANZAS",
    "Header",
    "Identity",
    "PqIdentity",
    "PqRecipient",
    "Recipient",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "check_sealed_prefix",
    "open_sealed",
    "open_stream",
    "parse_identity",
    "parse_identity_file",
    "parse_recipient",
    "parse_recipient_file",
    "read_header",
    "seal",
    "seal_stream",
    "sealed_size",
]

FILE_KEY_SIZE = 16
T = TypeVar("T")


class Recipient(Protocol):
    """A public key that a file is sealed to."""

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza that carries the file key (16 bytes)."""


class Identity(Protocol):
    """A secret key that opens a file."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes:
        """Return the file key; NotARecipientError if no stanza is for this identity."""


def parse_recipient(text: str) -> Recipient:
    """Parse ``age1pq1…`` or ``age1…``. MalformedError for anything else, plugins' recipients included."""
    if text.startswith(f"{age_pq.RECIPIENT_PREFIX}1"):
        return PqRecipient.from_string(text)
    return X25519Recipient.from_string(text)


def parse_identity(text: str) -> Identity:
    """Parse ``AGE-SECRET-KEY-PQ-1…`` or ``AGE-SECRET-KEY-1…``. MalformedError, without the text, for anything else."""
    if text.startswith(f"{age_pq.IDENTITY_PREFIX}1".upper()):
        return PqIdentity.from_string(text)
    return X25519Identity.from_string(text)


def parse_identity_file(text: str) -> list[Identity]:
    """Parse an identity file as age-keygen writes it: one identity a line, lines with ``#`` and empty ones skipped.

    MalformedError names the line that does not parse, without showing it, or says that the file has no key.
    """
    return _parse_lines(text, parse_identity)


def parse_recipient_file(text: str) -> list[Recipient]:
    """Parse a file of recipients, one a line, by the same rules as ``parse_identity_file``."""
    return _parse_lines(text, parse_recipient)


def seal(plaintext: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return the age file of ``plaintext`` for these recipients. Raises as ``seal_stream``."""
    sink = io.BytesIO()
    seal_stream(io.BytesIO(plaintext), sink, recipients)
    return sink.getvalue()


def open_sealed(sealed: bytes, identities: Sequence[Identity]) -> bytes:
    """Return the plaintext of an age file, all of it or nothing. Raises as ``open_stream``."""
    sink = io.BytesIO()
    open_stream(io.BytesIO(sealed), sink, identities)
    return sink.getvalue()


def seal_stream(source: BinaryIO, sink: BinaryIO, recipients: Sequence[Recipient]) -> None:
    """Seal all of ``source`` into ``sink`` under a fresh file key, holding two chunks of 64 KiB at a time.

    The stanzas keep the order of ``recipients``. Before anything is read or written, raises MalformedError for no
    recipient or for post-quantum ones mixed with others, and LimitError above MAX_STANZAS.
    """
    if not recipients:
        raise MalformedError("age: no recipient was given")
    if len(recipients) > MAX_STANZAS:
        raise LimitError(f"age: more than {MAX_STANZAS} recipients")
    file_key = secrets.token_bytes(FILE_KEY_SIZE)
    stanzas = [recipient.wrap(file_key) for recipient in recipients]
    # One weaker recipient would weaken the whole file: c2sp.org/age says that a file should not have both.
    if len({stanza.type == age_pq.STANZA_TYPE for stanza in stanzas}) > 1:
        raise MalformedError("age: post-quantum recipients cannot be mixed with others")
    sink.write(encode_header(stanzas, file_key))
    seal_payload(source, sink, file_key)


def open_stream(source: BinaryIO, sink: BinaryIO, identities: Sequence[Identity]) -> None:
    """Open the age file that is all of ``source`` into ``sink``, holding one chunk of 64 KiB at a time.

    Before anything is written, raises MalformedError, UnsupportedVersionError or LimitError for the header,
    NotARecipientError if no identity opens it, and AuthenticationError if its MAC does not match. Afterwards raises
    AuthenticationError or MalformedError for a payload that was altered, cut or extended: each chunk is authentic when
    it is written, but after an error the caller must throw away what ``sink`` holds.
    """
    header = read_header(source)
    file_key = _unwrap(header, identities)
    header.check_mac(file_key)
    open_payload(source, sink, file_key)


def check_sealed_prefix(data: bytes) -> Header:
    """Return the header with which ``data`` begins, if it has ``mlkem768x25519`` stanzas only. docs/protocol.md §2.

    ``data`` holds the whole header and may end anywhere after it: the first MAX_HEADER_SIZE bytes of a file are
    always enough. Refuses plaintext, armor and files for weaker recipients; raises MalformedError,
    UnsupportedVersionError or LimitError. *Not* checked: the MAC and the payload, which only a recipient can check.
    """
    header = read_header(io.BytesIO(data))
    for stanza in header.stanzas:
        age_pq.check_stanza(stanza)
    return header


def _unwrap(header: Header, identities: Sequence[Identity]) -> bytes:
    for identity in identities:
        try:
            return identity.unwrap(header.stanzas)
        except NotARecipientError:
            continue
    raise NotARecipientError("age: none of the identities opens this file")


def _parse_lines(text: str, parse: Callable[[str], T]) -> list[T]:
    parsed = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                parsed.append(parse(line.strip()))
            except CryptoError as error:
                raise MalformedError(f"line {number}: {error}") from error
    if not parsed:
        raise MalformedError("the file has no key")
    return parsed
