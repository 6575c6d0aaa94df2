# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal answers to who asks for a mailbox: read with limits, and not believed. docs/protocol.md §8."""

from dataclasses import dataclass, field

from crypto.document import Fields, read_document
from crypto.encoding import decode_base64
from crypto.errors import MalformedError
from crypto.manifest import STATE_SEALED_MAX
from crypto.padding import unpad_length

ANSWER_STEP = 131_072
ANSWER_MAX = 4 * 1024 * 1024
MESSAGES_MAX = 4096
MAILBOX_MAX = 16 * 1024 * 1024
"""Who holds so much of a mailbox asks for no more of it."""
STATEMENT_MAX = 16 * 1024
SEALED_CHARS_MAX = 2 * 1024 * 1024


@dataclass(frozen=True)
class PostedReply:
    """A sealed reply with its posting note, neither of them checked."""

    posting: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class MailboxAnswer:
    """The members of ``amparo/v1/mailbox``; notes are text, sealed files bytes, and nothing of it is checked."""

    state: bytes = field(repr=False)
    acknowledgement: str | None
    collection: str | None
    thread: bytes | None = field(repr=False)
    messages: tuple[PostedReply, ...] = ()
    more: bool = False


def read_mailbox_answer(data: bytes) -> MailboxAnswer:
    """Read u32 length ‖ canonical JSON ‖ zero bytes, in all 131,072 · 2ᵏ. Raises MalformedError or LimitError."""
    content = unpad_length(data, ANSWER_MAX)
    if len(data) != answer_size(len(content)):
        raise MalformedError("the mailbox answer has the wrong size")
    fields = read_document(content, "mailbox", ANSWER_MAX)
    thread = _optional(fields, "thread", 2 * STATE_SEALED_MAX)
    answer = MailboxAnswer(
        state=decode_base64(fields.text("state", 2 * STATE_SEALED_MAX)),
        acknowledgement=_optional(fields, "acknowledgement", STATEMENT_MAX),
        collection=_optional(fields, "collection", STATEMENT_MAX),
        thread=None if thread is None else decode_base64(thread),
        messages=fields.items("messages", MESSAGES_MAX, _read_message),
        more=fields.boolean("more"),
    )
    fields.end()
    return answer


def answer_size(content: int) -> int:
    """The padded size in bytes of an answer with ``content`` bytes of JSON."""
    size = ANSWER_STEP
    while size < 4 + content:
        size *= 2
    return size


def _read_message(item: object) -> PostedReply:
    fields = Fields(item, "message")
    message = PostedReply(fields.text("posting", STATEMENT_MAX), decode_base64(fields.text("sealed", SEALED_CHARS_MAX)))
    fields.end()
    return message


def _optional(fields: Fields, name: str, chars_max: int) -> str | None:
    value = fields.take(name)
    return None if value is None else Fields({name: value}, fields.where).text(name, chars_max)
