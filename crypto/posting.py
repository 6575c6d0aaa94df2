# SPDX-License-Identifier: AGPL-3.0-or-later
"""The posting note: the office's signature on a reply, made when it is posted. docs/protocol.md §9.1.

The member's signature inside says who wrote the reply; this one, that they were a member with a replying role when it
went out. It gives the reply its number in the thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto import note
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_hex, parse_day
from crypto.errors import MalformedError
from crypto.ids import CharterHash, MessageId
from crypto.note import Note, SigningKey, VerifierKey
from crypto.statement import after, number, read_lines, split, write_lines

NAME = "reply"
LINES = 5


@dataclass(frozen=True)
class Posting:
    """``manifest`` is the manifest hash of the thread; ``charter`` the newest charter, whose office key signs."""

    realm: str
    manifest: str
    number: int
    message: MessageId
    charter_number: int
    charter: CharterHash
    posted: date

    def text(self) -> str:
        """The text of the note: six lines."""
        return write_lines(
            NAME,
            (
                self.realm,
                self.manifest,
                f"{self.number} {self.message}",
                f"{self.charter_number} {self.charter}",
                f"posted {self.posted.isoformat()}",
            ),
        )

    def sign(self, key: SigningKey) -> Note:
        """The note, signed by an office key of that charter."""
        read_text(self.text())
        return note.sign(self.text(), [key])


def read_posting(data: bytes, office: Sequence[VerifierKey]) -> Posting:
    """Read a note that one of the office keys signed. Raises as ``crypto.collection.read_collection``.

    *Not* checked: that the keys are of the charter that it names; thread and message.
    """
    parsed = Note.parse(data)
    note.verify(parsed, office)
    return read_text(parsed.text)


def read_text(text: str) -> Posting:
    """Read the text of a posting note, whose signature is not looked at. Raises as ``read_posting``."""
    realm, manifest, message, charter, posted = read_lines(text, NAME, LINES)
    decode_hex(manifest, HASH_BYTES)
    reply_number, message_id = split(message, 2)
    decode_hex(message_id, ID_BYTES)
    charter_number, charter_hash = split(charter, 2)
    decode_hex(charter_hash, HASH_BYTES)
    posting = Posting(
        realm,
        manifest,
        number(reply_number),
        MessageId(message_id),
        number(charter_number),
        CharterHash(charter_hash),
        parse_day(after(posted, "posted")),
    )
    if posting.text() != text:
        raise MalformedError("the posting note is not in its only allowed form")
    return posting
