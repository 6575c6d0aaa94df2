# SPDX-License-Identifier: AGPL-3.0-or-later
"""Attachments: a report's entry for a file, and the sealed file itself. docs/protocol.md §5.2.

    attachment-<n>.age opens to:   the file ‖ zero bytes up to Padmé(max(size, 16 384))

The commitment is salted, so that a holder of the same document cannot test whether a report encloses it.
"""

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from crypto.age import MAX_HEADER_SIZE, PqIdentity, PqRecipient, check_sealed_prefix, open_stream, seal_stream
from crypto.document import Fields
from crypto.encoding import HASH_BYTES, decode_hex, label
from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.manifest import ATTACHMENT_SEALED_MAX, SealedFile, attachment_file
from crypto.padding import padded_attachment_size

NAME_CHARS_MAX = 255
MEDIA_TYPE_CHARS_MAX = 255
FILE = r"attachment-([1-9]|[12][0-9]|3[0-2])\.age"
# No path and no control character: a reader may save the file under this name.
NAME = r"[^/\\\x00-\x1f\x7f]+"
MEDIA_TYPE = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"


@dataclass(frozen=True)
class Attachment:
    """An entry of a report: ``size`` in bytes and ``sha256`` are those of the file, ``sealed_sha256`` of ``file``."""

    file: str
    name: str
    media_type: str
    size: int
    sha256: str
    salt: str
    commitment: str
    sealed_sha256: str
    stripped: bool

    def to_value(self) -> dict[str, Any]:
        """Return its JSON object in a report."""
        return dict(vars(self))


def read_attachment(item: object) -> Attachment:
    """Read an entry. Raises MalformedError or LimitError. *Not* checked: the sealed file (``open_attachment``)."""
    fields = Fields(item, "attachment")
    attachment = Attachment(
        file=fields.text("file", pattern=FILE),
        name=fields.text("name", NAME_CHARS_MAX, pattern=NAME),
        media_type=fields.text("media_type", MEDIA_TYPE_CHARS_MAX, pattern=MEDIA_TYPE),
        size=fields.integer("size", 0, ATTACHMENT_SEALED_MAX),
        sha256=fields.hex("sha256", HASH_BYTES),
        salt=fields.hex("salt", HASH_BYTES),
        commitment=fields.hex("commitment", HASH_BYTES),
        sealed_sha256=fields.hex("sealed_sha256", HASH_BYTES),
        stripped=fields.boolean("stripped"),
    )
    fields.end()
    if attachment.name in (".", ".."):
        raise MalformedError("an attachment is called . or ..")
    return attachment


def attachment_commitment(salt: str, sha256: str) -> str:
    """Return SHA-256(label(``attachment``) ‖ salt (32 bytes) ‖ SHA-256 of the file (32 bytes)); all three in hex."""
    content = decode_hex(salt, HASH_BYTES) + decode_hex(sha256, HASH_BYTES)
    return hashlib.sha256(label("attachment") + content).hexdigest()


@dataclass(frozen=True)
class AttachmentDraft:
    """A file before it is sealed: ``number`` from 1, ``size`` in bytes, ``salt`` of 32 fresh random bytes."""

    number: int
    name: str
    media_type: str
    size: int
    salt: bytes = field(repr=False)
    stripped: bool


def seal_attachment_stream(
    source: BinaryIO, sink: BinaryIO, recipient: PqRecipient, draft: AttachmentDraft
) -> tuple[Attachment, SealedFile]:
    """Seal the file that is all of ``source`` into ``sink``, holding two chunks of 64 KiB at a time.

    Returns the entry for the report and the line for the manifest. Raises MalformedError when ``source`` holds another
    number of bytes or the name is not allowed, LimitError when the sealed file would be larger than 2 GiB.
    """
    padded = _PaddedSource(source, draft.size)
    output = _HashingSink(sink)
    file = attachment_file(draft.number)
    if padded_attachment_size(draft.size) > ATTACHMENT_SEALED_MAX:
        raise LimitError("an attachment is too large")
    # Sealing calls only ``read`` and ``write``.
    seal_stream(cast(BinaryIO, padded), cast(BinaryIO, output), [recipient])
    if output.size > ATTACHMENT_SEALED_MAX:
        raise LimitError("an attachment is too large")
    sha256 = padded.digest.hexdigest()
    entry = Attachment(
        file=file,
        name=draft.name,
        media_type=draft.media_type,
        size=draft.size,
        sha256=sha256,
        salt=draft.salt.hex(),
        commitment=attachment_commitment(draft.salt.hex(), sha256),
        sealed_sha256=output.digest.hexdigest(),
        stripped=draft.stripped,
    )
    read_attachment(entry.to_value())
    return entry, SealedFile(file, output.size, entry.sealed_sha256)


def open_attachment_stream(source: BinaryIO, sink: BinaryIO, entry: Attachment, thread: PqIdentity) -> None:
    """Open the sealed file that is all of ``source`` into ``sink``, holding at most a header and a chunk.

    The contents of ``sink`` may be used only after this returns; after any error they must be thrown away. Raises
    AuthenticationError when a hash or the commitment differs from the entry, MalformedError for another size, wrong
    padding or a header with other stanzas, and the errors of ``crypto.age.open_stream``.
    """
    if attachment_commitment(entry.salt, entry.sha256) != entry.commitment:
        raise AuthenticationError("the commitment of an attachment does not match")
    sealed = _StrictSource(source)
    output = _UnpaddingSink(sink, entry.size)
    open_stream(cast(BinaryIO, sealed), cast(BinaryIO, output), [thread])
    if sealed.digest.hexdigest() != entry.sealed_sha256:
        raise AuthenticationError("a sealed attachment is not the one named by the report")
    if output.size != padded_attachment_size(entry.size):
        raise MalformedError("an attachment has the wrong size or padding")
    if output.digest.hexdigest() != entry.sha256:
        raise AuthenticationError("an attachment is not the file named by the report")


def open_attachment(sealed: bytes, entry: Attachment, thread: PqIdentity) -> bytes:
    """Return the file of a sealed attachment. Raises as ``open_attachment_stream``."""
    sink = io.BytesIO()
    open_attachment_stream(io.BytesIO(sealed), sink, entry, thread)
    return sink.getvalue()


class _PaddedSource:
    """The file, hashed as it is read, then its zero bytes."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size
        self._zeros_left = padded_attachment_size(size) - size
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        if self._left:
            data = self._source.read(min(size, self._left))
            if not data:
                raise MalformedError("the file is shorter than its declared size")
            self._left -= len(data)
            self.digest.update(data)
            return data
        zeros = bytes(min(size, self._zeros_left))
        self._zeros_left -= len(zeros)
        if not zeros and self._source.read(1):
            raise MalformedError("the file is longer than its declared size")
        return zeros


class _HashingSink:
    """Passes on what is written, and hashes and counts it."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self._sink.write(data)


class _StrictSource:
    """A sealed file, hashed as it is read, whose header has only stanzas of the one allowed type."""

    def __init__(self, source: BinaryIO) -> None:
        head = source.read(MAX_HEADER_SIZE)
        check_sealed_prefix(head)
        self._head = io.BytesIO(head)
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._head.read(size) or self._source.read(size)
        self.digest.update(data)
        return data

    def readline(self, size: int = -1) -> bytes:
        # The age reader reads lines of the header only, and the head holds the whole header.
        line = self._head.readline(size)
        self.digest.update(line)
        return line


class _UnpaddingSink:
    """Passes on the file, hashed, and refuses padding that is not zero."""

    def __init__(self, sink: BinaryIO, size: int) -> None:
        self._sink = sink
        self._left = size
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        content, padding = data[: self._left], data[self._left :]
        if padding.count(0) != len(padding):
            raise MalformedError("the padding of an attachment is not zero")
        self._left -= len(content)
        self.size += len(data)
        self.digest.update(content)
        self._sink.write(content)
        return len(data)
