# SPDX-License-Identifier: AGPL-3.0-or-later
"""Padmé sizes and padded documents: sealed lengths tell little (docs/protocol.md §1.1, §5.2)."""

import struct

from crypto.errors import LimitError, MalformedError

REPORT_FLOOR = 16_384
ATTACHMENT_FLOOR = 16_384
MESSAGE_FLOOR = 4_096
STATE_SIZE = 16_384
THREAD_NOTE_SIZE = 16_384
URGENCY_SIZE = 256
_LENGTH = struct.Struct(">I")


def padme(size: int) -> int:
    """Return the Padmé size for ``size`` bytes: low bits zero, overhead under 12 % (Nikitin et al., PETS 2019)."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (size + mask) & ~mask


def padded_attachment_size(size: int) -> int:
    """Return the size in bytes of an attachment's padded plaintext, for a file of ``size`` bytes."""
    return padme(max(size, ATTACHMENT_FLOOR))


def pad_document(content: bytes, floor: int) -> bytes:
    """Return length prefix (4 bytes) ‖ content (n bytes) ‖ zero bytes up to Padmé(max(4 + n, floor))."""
    total = padme(max(_LENGTH.size + len(content), floor))
    return (_LENGTH.pack(len(content)) + content).ljust(total, b"\0")


def fixed_content_max(size: int) -> int:
    """Return how many bytes of content a padded document of exactly ``size`` bytes holds."""
    return size - _LENGTH.size


def unpad_document(padded: bytes, floor: int, content_max: int) -> bytes:
    """Return the content of a padded document.

    Raises MalformedError on a wrong padded size or a padding byte that is not zero, LimitError when the content is
    longer than ``content_max`` bytes.
    """
    content = unpad_length(padded, content_max)
    if len(padded) != padme(max(_LENGTH.size + len(content), floor)):
        raise MalformedError("the padded document has the wrong size for its content")
    return content


def unpad_length(padded: bytes, content_max: int) -> bytes:
    """Return the content of length prefix ‖ content ‖ zero bytes, of any padded size. Raises as ``unpad_document``."""
    if len(padded) < _LENGTH.size:
        raise MalformedError("the padded document is truncated")
    (size,) = _LENGTH.unpack_from(padded)
    if size > content_max:
        raise LimitError(f"document of {size} bytes, the limit is {content_max}")
    if size > len(padded) - _LENGTH.size:
        raise MalformedError("the padded document has the wrong size for its content")
    if padded.count(0, _LENGTH.size + size) != len(padded) - _LENGTH.size - size:
        raise MalformedError("the padding is not zero")
    return padded[_LENGTH.size : _LENGTH.size + size]
