# SPDX-License-Identifier: AGPL-3.0-or-later
"""The padded answer of a mailbox (docs/protocol.md §8): its length tells little about its content."""

import struct
from collections.abc import Sequence

from crypto.encoding import encode_base64, encode_json
from portal.storage.records import ReplyRecord

SIZE_MIN = 65_536
SIZE_MAX = 1024 * 1024
MESSAGES_MAX = 256
_LENGTH = struct.Struct(">I")


def mailbox_response(state: bytes, collection: str | None, replies: Sequence[ReplyRecord]) -> bytes:
    """Return u32 length ‖ canonical JSON ‖ zeros up to 65,536 · 2ᵏ; as many replies, in order, as fit into 1 MiB."""
    answer = _encode(state, collection, [])
    room = SIZE_MAX - _LENGTH.size - len(answer)
    messages = []
    for reply in replies:
        message = _message(reply)
        room -= len(encode_json(message)) + 1
        if room < 0:
            break
        messages.append(message)
    return _pad(_encode(state, collection, messages))


def _encode(state: bytes, collection: str | None, messages: list[dict[str, str]]) -> bytes:
    return encode_json(
        {
            "version": "amparo/v1/mailbox",
            "state": encode_base64(state),
            "collection": collection,
            "messages": messages,
        }
    )


def _message(reply: ReplyRecord) -> dict[str, str]:
    return {"id": reply.message, "day": reply.day.isoformat(), "sealed": encode_base64(bytes(reply.sealed))}


def _pad(content: bytes) -> bytes:
    framed = _LENGTH.pack(len(content)) + content
    size = SIZE_MIN
    while size < len(framed):
        size *= 2
    return framed.ljust(size, b"\0")
