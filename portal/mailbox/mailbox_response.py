# SPDX-License-Identifier: AGPL-3.0-or-later
"""The padded answer of a mailbox (docs/protocol.md §8): its length tells little about its content."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.encoding import encode_base64, encode_json
from portal.storage.records import ReplyRecord

SIZE_MIN = 131_072
SIZE_MAX = 1024 * 1024
MESSAGES_MAX = 256
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Content:
    """What a mailbox holds besides replies; ``thread`` is the sealed thread note, empty if there is none."""

    state: bytes
    acknowledgement: str | None
    collection: str | None
    thread: bytes


def mailbox_response(content: Content, replies: Sequence[ReplyRecord]) -> bytes:
    """Return u32 length ‖ canonical JSON ‖ zeros up to 131,072 · 2ᵏ; as many replies, in order, as fit into 1 MiB.

    ``replies`` may be one more than are shown at most, so that it is known whether there are others.
    """
    answer = _encode(content, [], more=False)
    room = SIZE_MAX - _LENGTH.size - len(answer)
    messages = []
    for reply in replies[:MESSAGES_MAX]:
        message = {"posting": reply.posting, "sealed": encode_base64(bytes(reply.sealed))}
        room -= len(encode_json(message)) + 1
        if room < 0:
            break
        messages.append(message)
    return _pad(_encode(content, messages, more=len(messages) < len(replies)))


def _encode(content: Content, messages: list[dict[str, str]], *, more: bool) -> bytes:
    return encode_json(
        {
            "version": "amparo/v1/mailbox",
            "state": encode_base64(content.state),
            "acknowledgement": content.acknowledgement,
            "collection": content.collection,
            "thread": encode_base64(content.thread) if content.thread else None,
            "messages": messages,
            "more": more,
        }
    )


def _pad(content: bytes) -> bytes:
    framed = _LENGTH.pack(len(content)) + content
    size = SIZE_MIN
    while size < len(framed):
        size *= 2
    return framed.ljust(size, b"\0")
