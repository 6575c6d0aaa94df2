# SPDX-License-Identifier: AGPL-3.0-or-later
"""The follow-up receipt: the office's signed statement which follow-ups it holds. docs/protocol.md §9.3."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto import note
from crypto.encoding import ID_BYTES, decode_hex, parse_day
from crypto.errors import LimitError, MalformedError
from crypto.ids import MessageId
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import after, read_lines, write_lines

NAME = "follow-ups"
MESSAGES_MAX = 100


@dataclass(frozen=True)
class FollowUpReceipt:
    """``messages`` are the ids of 1 to 100 follow-ups, in rising order, which the office holds since ``held``."""

    realm: str
    messages: tuple[MessageId, ...]
    held: date

    def text(self) -> str:
        """The text of the note: its heading, the realm, a line for each message, the day."""
        return write_lines(NAME, (self.realm, *self.messages, f"held {self.held.isoformat()}"))

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by an office key. Raises as ``read_text``."""
        read_text(self.text())
        return note.sign(self.text(), [key])


def read_follow_up_receipt(data: bytes, office: Sequence[VerifierKey]) -> FollowUpReceipt:
    """Read a note that one of the office keys signed. Raises as ``crypto.collection.read_collection``."""
    parsed = Note.parse(data)
    note.verify(parsed, office)
    return read_text(parsed.text)


def read_text(text: str) -> FollowUpReceipt:
    """Read the text of a receipt whose signature was verified. Raises as ``read_follow_up_receipt``."""
    realm, *messages, held = read_lines(text, NAME)
    if len(messages) > MESSAGES_MAX:
        raise LimitError(f"a follow-up receipt of more than {MESSAGES_MAX} messages")
    for message in messages:
        decode_hex(message, ID_BYTES)
    if not messages or messages != sorted(set(messages)):
        raise MalformedError("a follow-up receipt names no message, or not each once in rising order")
    return FollowUpReceipt(realm, tuple(MessageId(message) for message in messages), parse_day(after(held, "held")))
