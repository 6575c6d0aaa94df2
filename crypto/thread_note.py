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
    # In the order of the reader in script: of two faults both name the same one.
    thread = ThreadNote(
        realm=fields.hex("realm", ID_BYTES),
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        number=fields.integer("number", 1, NUMBER_MAX),
        day=fields.day("day"),
        **_read_newest(fields.child("newest")),
        **_read_replies(fields.child("replies")),
        **_read_held(fields.child("held")),
        renewal=_read_renewal(fields),
    )
    fields.end()
    return thread


def _read_newest(fields: Fields) -> dict[str, Any]:
    number, charter = fields.integer("number", 1, CHARTERS_MAX), fields.hex("charter", HASH_BYTES)
    fields.end()
    return {"charter_number": number, "charter": CharterHash(charter)}


def _read_replies(fields: Fields) -> dict[str, Any]:
    oldest, last = fields.integer("oldest", 1, NUMBER_MAX), fields.integer("last", 0, NUMBER_MAX)
    message = None if fields.is_null("message") else MessageId(fields.hex("message", ID_BYTES))
    fields.end()
    if (last == 0) != (message is None) or oldest > last + 1:
        raise MalformedError("the replies of a thread note contradict each other")
    return {"oldest_reply": oldest, "last_reply": last, "last_message": message}


def _read_held(fields: Fields) -> dict[str, Any]:
    count, data = fields.integer("count", 0, NUMBER_MAX), decode_base64(fields.text("messages"))
    fields.end()
    if len(data) % ID_BYTES:
        raise MalformedError("a thread note has a message id of another length")
    if len(data) > HELD_KEPT_MAX * ID_BYTES:
        raise LimitError(f"a thread note of more than {HELD_KEPT_MAX} follow-ups")
    held = tuple(MessageId(data[at : at + ID_BYTES].hex()) for at in range(0, len(data), ID_BYTES))
    if len(held) > count or len(set(held)) != len(held):
        raise MalformedError("the follow-ups of a thread note contradict each other")
    return {"held_count": count, "held": held}


def _read_renewal(fields: Fields) -> bytes:
    if fields.is_null("renewal"):
        return b""
    sealed = decode_base64(fields.text("renewal", 2 * RENEWAL_SEALED_MAX))
    if not 0 < len(sealed) <= RENEWAL_SEALED_MAX:
        raise LimitError("the renewal of a thread note is empty or too long")
    return sealed
