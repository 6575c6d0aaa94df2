# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages of a thread: replies of the commission, follow-ups of the reporter. docs/protocol.md §9.

A reply is signed by a member, because the reporter must know its author. A follow-up carries only a MAC that the
commission could have made too: it convinces the commission, but proves nothing to others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from crypto import note
from crypto.age import PqIdentity, PqRecipient
from crypto.charter import LANGUAGE, Charter, Member
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.ids import CharterHash, MessageId, SubmissionId
from crypto.note import Note, SigningKey
from crypto.padding import MESSAGE_FLOOR
from crypto.sealed_document import check_document_mac, document_mac, open_document, seal_document
from crypto.statement import NUMBER_MAX
from crypto.taxonomy import MESSAGE_KINDS
from crypto.thread_keys import GENERATION_MAX, ThreadKeys, read_thread_keys

BODY_BYTES_MAX = 64 * 1024
# A body may grow sixfold when JSON escapes it.
REPLY_MAX = 512 * 1024
# Padded and sealed with its header, a follow-up of this size has at most 64 KiB.
FOLLOW_UP_MAX = 60 * 1024
FOLLOW_UP_SEALED_MAX = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """``manifest`` is the manifest hash of the thread, ``charter`` the hash of the charter whose member signs.

    ``keys`` are the newest of the thread; ``body`` has at most 64 KiB of UTF-8.
    """

    submission: SubmissionId
    manifest: str
    charter: CharterHash
    day: date
    language: str
    keys: ThreadKeys
    body: str = field(repr=False)

    def text(self) -> str:
        """Return the text of the note, one line of canonical JSON. MalformedError or LimitError for a bad value."""
        value = {
            "version": "amparo/v1/reply",
            "submission": self.submission,
            "manifest": self.manifest,
            "charter": self.charter,
            "day": self.day.isoformat(),
            "language": self.language,
            "keys": self.keys.to_value(),
            "body": self.body,
        }
        text = encode_json(value).decode("utf-8") + "\n"
        _read_reply_text(text)
        return text


@dataclass(frozen=True)
class SignedReply(Reply):
    """A reply whose signature was verified, and the member who signed it."""

    signer: Member


@dataclass(frozen=True)
class FollowUp:
    """``kind`` is one of MESSAGE_KINDS; canonical JSON of at most 60 KiB in all.

    ``number`` counts the reporter's follow-ups from 1; ``generation`` is that of the message key (§9.2).
    """

    submission: SubmissionId
    manifest: str
    number: int
    day: date
    kind: str
    generation: int
    body: str = field(repr=False)

    def encode(self, mac_key: bytes) -> bytes:
        """Return canonical JSON, authenticated under the message key. Raises as ``read_follow_up``."""
        encoded = encode_json({**self._value(), "mac": document_mac(mac_key, self._value())})
        read_follow_up(encoded, mac_key)
        return encoded

    def _value(self) -> dict[str, Any]:
        return {
            "version": "amparo/v1/follow-up",
            "submission": self.submission,
            "manifest": self.manifest,
            "number": self.number,
            "day": self.day.isoformat(),
            "kind": self.kind,
            "generation": self.generation,
            "body": self.body,
        }


def message_id(sealed: bytes) -> MessageId:
    """The id of a message: the first 16 bytes of SHA-256 of its sealed file, in hex."""
    return MessageId(hashlib.sha256(sealed).digest()[:ID_BYTES].hex())


def seal_reply(reply: Reply, signing_key: SigningKey, recipients: Sequence[PqRecipient]) -> bytes:
    """Sign a reply and seal it to ``recipients``: S and the newest recipient of the thread, in this order."""
    return seal_document(note.sign(reply.text(), [signing_key]).encode(), MESSAGE_FLOOR, recipients)


def open_reply(sealed: bytes, identity: PqIdentity, charters: Sequence[Charter]) -> SignedReply:
    """Open a reply with the identity of S or of the thread, and verify it under the charters that the caller trusts.

    Raises NotARecipientError when it is sealed to others, and the errors of ``read_reply``.
    """
    return read_reply(open_document(sealed, identity, MESSAGE_FLOOR, REPLY_MAX), charters)


def read_reply(data: bytes, charters: Sequence[Charter]) -> SignedReply:
    """Read the signed note of a reply.

    Raises AuthenticationError when its charter is none of ``charters``, or when it is not signed by a member of that
    charter on its day; MalformedError, LimitError or UnsupportedVersionError for another form. *Not* checked: its
    thread, its posting (§8.3), and that ``charters`` are a chain.
    """
    parsed = Note.parse(data)
    reply = _read_reply_text(parsed.text)
    charter = next((charter for charter in charters if charter.hash == reply.charter), None)
    if charter is None:
        raise AuthenticationError("the reply names an unknown charter")
    return SignedReply(**vars(reply), signer=verify_member(parsed, charter, reply.day))


def verify_member(signed: Note, charter: Charter, day: date) -> Member:
    """The member of this charter on this day who signed. AuthenticationError if none did, or a signature is wrong."""
    members = {member.verifier: member for member in charter.members_on(day)}
    return members[note.verify(signed, list(members))[0]]


def seal_follow_up(follow_up: FollowUp, keys: ThreadKeys) -> bytes:
    """Authenticate a follow-up under the thread's message key and seal it to its recipient, in at most 64 KiB.

    Raises MalformedError when it names another generation than the keys'.
    """
    if follow_up.generation != keys.generation:
        raise MalformedError("a follow-up names another generation than its keys")
    return seal_document(follow_up.encode(keys.message_mac), MESSAGE_FLOOR, [keys.recipient])


def open_follow_up(sealed: bytes, thread: PqIdentity, mac_key: bytes) -> FollowUp:
    """Open a follow-up with a thread identity and the message key of its generation (32 bytes).

    Raises NotARecipientError when it belongs to another thread or generation, AuthenticationError when its MAC is wrong
    (anyone who knows the recipient can seal to it), MalformedError, LimitError or UnsupportedVersionError for
    another form. *Not* checked: that it was sent to ``submission``, and that the keys are of its generation.
    """
    return read_follow_up(open_document(sealed, thread, MESSAGE_FLOOR, FOLLOW_UP_MAX), mac_key)


def read_follow_up(data: bytes, mac_key: bytes) -> FollowUp:
    """Read a follow-up's JSON. Raises as ``open_follow_up``."""
    fields = read_document(data, "follow-up", FOLLOW_UP_MAX)
    follow_up = FollowUp(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        number=fields.integer("number", 1, NUMBER_MAX),
        day=fields.day("day"),
        kind=fields.text("kind"),
        generation=fields.integer("generation", 0, GENERATION_MAX),
        body=_read_body(fields),
    )
    mac = fields.hex("mac", HASH_BYTES)
    fields.end()
    if follow_up.kind not in MESSAGE_KINDS:
        raise MalformedError("a follow-up is of a kind that does not exist")
    check_document_mac(mac_key, follow_up._value(), mac)
    return follow_up


def _read_reply_text(text: str) -> Reply:
    fields = read_document(text.removesuffix("\n").encode("utf-8"), "reply", REPLY_MAX)
    reply = Reply(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        day=fields.day("day"),
        language=fields.text("language", pattern=LANGUAGE),
        keys=read_thread_keys(fields.child("keys")),
        body=_read_body(fields),
    )
    fields.end()
    return reply


def _read_body(fields: Fields) -> str:
    body = fields.text("body", BODY_BYTES_MAX)
    if len(body.encode("utf-8")) > BODY_BYTES_MAX:
        raise LimitError(f"a message is longer than {BODY_BYTES_MAX} bytes")
    return body
