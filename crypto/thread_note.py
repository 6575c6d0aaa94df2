# SPDX-License-Identifier: AGPL-3.0-or-later
"""The thread note: what the office knows of a thread, and when, for the reporter's device. docs/protocol.md §8.1.

A portal that drops, delays, reorders or rewinds messages is caught by it; one that shows an old note shows its day too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from crypto import note
from crypto.age import PqIdentity, PqRecipient
from crypto.charter import NUMBER_MAX as CHARTERS_MAX
from crypto.charter import Charter
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_base64, encode_base64, encode_json
from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.ids import CharterHash, MessageId, SubmissionId
from crypto.note import Note, SigningKey
from crypto.padding import THREAD_NOTE_SIZE, fixed_content_max
from crypto.sealed_document import open_document, seal_document
from crypto.statement import NUMBER_MAX

HELD_KEPT_MAX = 256
RENEWAL_SEALED_MAX = 6 * 1024
NOTE_MAX = fixed_content_max(THREAD_NOTE_SIZE)


@dataclass(frozen=True)
class ThreadNote:
    """A statement of the office about one thread; ``manifest`` and ``charter`` are hashes in hex.

    ``number`` is 1 for the first note of the thread, and higher each time. ``charter`` is the commission's newest one,
    of which an office key signs. ``oldest_reply`` and ``last_reply`` are numbers of replies that are still due, 1 and 0
    before the first; ``last_message`` is the last one's id. ``held_count`` follow-ups are at the office; ``held`` are
    the ids of the newest of them, oldest first, at most 256. ``renewal`` is a sealed renewal (§9.2) or empty.
    """

    realm: str
    submission: SubmissionId
    manifest: str
    number: int
    day: date
    charter_number: int
    charter: CharterHash
    oldest_reply: int = 1
    last_reply: int = 0
    last_message: MessageId | None = None
    held_count: int = 0
    held: tuple[MessageId, ...] = ()
    renewal: bytes = field(default=b"", repr=False)

    def text(self) -> str:
        """Return the text of the note, one line of canonical JSON. MalformedError or LimitError for a bad value."""
        text = encode_json(self._value()).decode("utf-8") + "\n"
        read_text(text)
        return text

    def _value(self) -> dict[str, Any]:
        held = b"".join(bytes.fromhex(message) for message in self.held)
        return {
            "version": "amparo/v1/thread",
            "realm": self.realm,
            "submission": self.submission,
            "manifest": self.manifest,
            "number": self.number,
            "day": self.day.isoformat(),
            "newest": {"number": self.charter_number, "charter": self.charter},
            "replies": {"oldest": self.oldest_reply, "last": self.last_reply, "message": self.last_message},
            "held": {"count": self.held_count, "messages": encode_base64(held)},
            "renewal": encode_base64(self.renewal) if self.renewal else None,
        }


def seal_thread_note(thread: ThreadNote, office: SigningKey, mailbox: PqRecipient) -> bytes:
    """Sign a thread note with an office key and seal it to S; every one has the same length."""
    return seal_document(note.sign(thread.text(), [office]).encode(), THREAD_NOTE_SIZE, [mailbox])


def open_thread_note(sealed: bytes, mailbox: PqIdentity, charters: Sequence[Charter]) -> tuple[ThreadNote, Note]:
    """Open a thread note with the identity of S, and verify it; the note as it was signed is the evidence.

    Raises NotARecipientError when it is sealed to others; AuthenticationError when its charter is none of
    ``charters`` or no office key of that charter signed; MalformedError, LimitError or UnsupportedVersionError for
    another form. *Not* checked: its thread, number and day.
    """
    thread, signed = unseal_thread_note(sealed, mailbox)
    charter = next((charter for charter in charters if charter.hash == thread.charter), None)
    if charter is None or charter.number != thread.charter_number:
        raise AuthenticationError("the thread note names an unknown charter")
    note.verify(signed, charter.office)
    return thread, signed


def unseal_thread_note(sealed: bytes, mailbox: PqIdentity) -> tuple[ThreadNote, Note]:
    """Open a thread note whose signature is not looked at, with the note as it was signed. Raises as above."""
    signed = Note.parse(open_document(sealed, mailbox, THREAD_NOTE_SIZE, NOTE_MAX))
    return read_text(signed.text), signed


def read_text(text: str) -> ThreadNote:
    """Read the text of a thread note, whose signature is not looked at. Raises as ``open_thread_note``."""
    fields = read_document(text.removesuffix("\n").encode("utf-8"), "thread", NOTE_MAX)
    newest, replies, held = fields.child("newest"), fields.child("replies"), fields.child("held")
    message, renewal = replies.take("message"), fields.take("renewal")
    thread = ThreadNote(
        realm=fields.hex("realm", ID_BYTES),
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        number=fields.integer("number", 1, NUMBER_MAX),
        day=fields.day("day"),
        charter_number=newest.integer("number", 1, CHARTERS_MAX),
        charter=CharterHash(newest.hex("charter", HASH_BYTES)),
        oldest_reply=replies.integer("oldest", 1, NUMBER_MAX),
        last_reply=replies.integer("last", 0, NUMBER_MAX),
        last_message=None if message is None else MessageId(Fields({"message": message}, "reply").hex("message", 16)),
        held_count=held.integer("count", 0, NUMBER_MAX),
        held=_read_ids(held.text("messages")),
        renewal=b"" if renewal is None else _read_renewal(Fields({"renewal": renewal}, "thread")),
    )
    for part in (newest, replies, held, fields):
        part.end()
    _check(thread)
    return thread


def _check(thread: ThreadNote) -> None:
    if (thread.last_reply == 0) != (thread.last_message is None) or thread.oldest_reply > thread.last_reply + 1:
        raise MalformedError("the replies of a thread note contradict each other")
    if len(thread.held) > thread.held_count or len(set(thread.held)) != len(thread.held):
        raise MalformedError("the follow-ups of a thread note contradict each other")


def _read_ids(text: str) -> tuple[MessageId, ...]:
    data = decode_base64(text)
    if len(data) % ID_BYTES:
        raise MalformedError("a thread note has a message id of another length")
    if len(data) > HELD_KEPT_MAX * ID_BYTES:
        raise LimitError(f"a thread note of more than {HELD_KEPT_MAX} follow-ups")
    return tuple(MessageId(data[at : at + ID_BYTES].hex()) for at in range(0, len(data), ID_BYTES))


def _read_renewal(fields: Fields) -> bytes:
    sealed = decode_base64(fields.text("renewal", 2 * RENEWAL_SEALED_MAX))
    if not 0 < len(sealed) <= RENEWAL_SEALED_MAX:
        raise LimitError("the renewal of a thread note is empty or too long")
    return sealed
