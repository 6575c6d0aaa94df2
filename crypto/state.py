# SPDX-License-Identifier: AGPL-3.0-or-later
"""The state: the data that the reporter's device needs on return, sealed to the mailbox. docs/protocol.md §5.4.

It has one size and holds no text, so that neither its length nor its content tells what was written.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from crypto.charter import NUMBER_MAX, read_labels
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import MalformedError, UnsupportedVersionError
from crypto.ids import CharterHash, MemberLabel, MessageId, SubmissionId
from crypto.padding import STATE_SIZE, fixed_content_max
from crypto.receipt_code import MailboxSecrets
from crypto.sealed_document import check_document_mac, document_mac, open_document, seal_document
from crypto.statement import NUMBER_MAX as MESSAGES_MAX
from crypto.thread_keys import ThreadKeys, read_thread_keys

THREADS_MAX = 4
SENT_KEPT_MAX = 100
STATE_MAX = fixed_content_max(STATE_SIZE)


@dataclass(frozen=True)
class Sent:
    """A follow-up that was sent, without its text."""

    message: MessageId
    day: date


@dataclass(frozen=True)
class ThreadState:
    """What the device knows of one thread; ``manifest`` and ``charter`` are hashes in hex.

    ``note`` and ``reply`` are the numbers of the newest thread note and of the last reply that were seen, ``deleted``
    that of the last reply which the reporter deleted; 0 for none. ``sent_count`` follow-ups were sent; ``sent`` holds
    the newest of them, at most 100.
    """

    submission: SubmissionId
    manifest: str
    charter: CharterHash
    excluded: tuple[MemberLabel, ...]
    keys: ThreadKeys
    note: int = 0
    reply: int = 0
    deleted: int = 0
    sent_count: int = 0
    sent: tuple[Sent, ...] = ()

    def to_value(self) -> dict[str, Any]:
        """The object that stands in the state."""
        return {
            "submission": self.submission,
            "manifest": self.manifest,
            "charter": self.charter,
            "excluded": list(self.excluded),
            "keys": self.keys.to_value(),
            "note": self.note,
            "reply": self.reply,
            "deleted": self.deleted,
            "sent": {
                "count": self.sent_count,
                "last": [{"id": sent.message, "day": sent.day.isoformat()} for sent in self.sent],
            },
        }


@dataclass(frozen=True)
class State:
    """``charter_number`` and ``newest_charter`` (hash) are the highest charter seen."""

    realm: str
    thread: ThreadState
    charter_number: int
    newest_charter: CharterHash

    def encode(self, mac_key: bytes) -> bytes:
        """Return canonical JSON, authenticated under state-mac (32 bytes). Raises as ``read_state``."""
        value = self._value()
        encoded = encode_json({**value, "mac": document_mac(mac_key, value)})
        read_state(encoded, mac_key)
        return encoded

    def _value(self) -> dict[str, Any]:
        return {
            "version": "amparo/v1/state",
            "realm": self.realm,
            "threads": [self.thread.to_value()],
            "newest": {"number": self.charter_number, "charter": self.newest_charter},
        }


def read_state(data: bytes, mac_key: bytes) -> State:
    """Read a state's JSON. Raises MalformedError or LimitError, and AuthenticationError when its MAC is wrong.

    The commission knows S and could seal a forged state to it: only the MAC binds the state to the code. A state with
    more than one thread is of a version that this program does not read: UnsupportedVersionError.
    """
    fields = read_document(data, "state", STATE_MAX)
    realm = fields.hex("realm", ID_BYTES)
    threads = fields.items("threads", THREADS_MAX, _read_thread)
    if len(threads) != 1:
        raise UnsupportedVersionError("a state of more than one thread") if threads else MalformedError("no thread")
    newest = fields.child("newest")
    number, charter = newest.integer("number", 1, NUMBER_MAX), CharterHash(newest.hex("charter", HASH_BYTES))
    newest.end()
    mac = fields.hex("mac", HASH_BYTES)
    fields.end()
    state = State(realm, threads[0], number, charter)
    check_document_mac(mac_key, state._value(), mac)
    return state


def seal_state(state: State, secrets: MailboxSecrets) -> bytes:
    """Seal the state to S; every state has the same length."""
    return seal_document(state.encode(secrets.state_mac), STATE_SIZE, [secrets.recipient])


def open_state(sealed: bytes, secrets: MailboxSecrets) -> State:
    """Open and read ``state.age``. NotARecipientError if it is of another code; else raises as ``read_state``."""
    return read_state(open_document(sealed, secrets.identity, STATE_SIZE, STATE_MAX), secrets.state_mac)


def _read_thread(item: object) -> ThreadState:
    fields = Fields(item, "thread of the state")
    thread = ThreadState(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        excluded=read_labels(fields, "excluded"),
        keys=read_thread_keys(fields.child("keys")),
        note=fields.integer("note", 0, MESSAGES_MAX),
        reply=fields.integer("reply", 0, MESSAGES_MAX),
        deleted=fields.integer("deleted", 0, MESSAGES_MAX),
        **_read_all_sent(fields.child("sent")),
    )
    fields.end()
    return thread


def _read_all_sent(fields: Fields) -> dict[str, Any]:
    count, last = fields.integer("count", 0, MESSAGES_MAX), fields.items("last", SENT_KEPT_MAX, _read_sent)
    fields.end()
    if len(last) > count:
        raise MalformedError("a state lists more messages than were sent")
    return {"sent_count": count, "sent": last}


def _read_sent(item: object) -> Sent:
    fields = Fields(item, "message of the state")
    sent = Sent(MessageId(fields.hex("id", ID_BYTES)), fields.day("day"))
    fields.end()
    return sent
