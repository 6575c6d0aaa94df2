# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages of a thread: replies of the commission, follow-ups of the reporter. docs/protocol.md §9.

A reply is signed by a member, because the reporter must know its author. A follow-up carries only a MAC that the
commission could have made too: it convinces the commission, but proves nothing to others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

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
from crypto.taxonomy import MESSAGE_KINDS

BODY_BYTES_MAX = 64 * 1024
# A body may grow sixfold when JSON escapes it.
REPLY_MAX = 512 * 1024
# Padded and sealed with its header, a follow-up of this size has at most 64 KiB.
FOLLOW_UP_MAX = 60 * 1024
FOLLOW_UP_SEALED_MAX = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """``charter`` is the hash of the charter whose member signs; ``body`` has at most 64 KiB of UTF-8."""

    submission: SubmissionId
    charter: CharterHash
    day: date
    language: str
    body: str = field(repr=False)

    def text(self) -> str:
        """Return the text of the note, one line of canonical JSON. MalformedError or LimitError for a bad value."""
        value = {
            "version": "amparo/v1/reply",
            "submission": self.submission,
            "charter": self.charter,
            "day": self.day.isoformat(),
            "language": self.language,
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
    """``kind`` is one of MESSAGE_KINDS; canonical JSON of at most 60 KiB in all."""

    submission: SubmissionId
    day: date
    kind: str
    body: str = field(repr=False)

    def encode(self, mac_key: bytes) -> bytes:
        """Return canonical JSON, authenticated under message-mac. Raises as ``read_follow_up``."""
        encoded = encode_json({**self._value(), "mac": document_mac(mac_key, self._value())})
        read_follow_up(encoded, mac_key)
        return encoded

    def _value(self) -> dict[str, str]:
        return {
            "version": "amparo/v1/follow-up",
            "submission": self.submission,
            "day": self.day.isoformat(),
            "kind": self.kind,
            "body": self.body,
        }


def message_id(sealed: bytes) -> MessageId:
    """The id of a message: the first 16 bytes of SHA-256 of its sealed file, in hex."""
    return MessageId(hashlib.sha256(sealed).digest()[:ID_BYTES].hex())


def seal_reply(reply: Reply, signing_key: SigningKey, recipients: Sequence[PqRecipient]) -> bytes:
    """Sign a reply and seal it to ``recipients``: S and R, in this order."""
    return seal_document(note.sign(reply.text(), [signing_key]).encode(), MESSAGE_FLOOR, recipients)


def open_reply(sealed: bytes, identity: PqIdentity, charters: Sequence[Charter]) -> SignedReply:
    """Open a reply with the identity of S or of R, and verify it under the charters that the caller trusts.

    Raises NotARecipientError when it is sealed to others, and the errors of ``read_reply``.
    """
    return read_reply(open_document(sealed, identity, MESSAGE_FLOOR, REPLY_MAX), charters)


def read_reply(data: bytes, charters: Sequence[Charter]) -> SignedReply:
    """Read the signed note of a reply.

    Raises AuthenticationError when its charter is none of ``charters``, or when it is not signed by a member of that
    charter on its day; MalformedError, LimitError or UnsupportedVersionError for another form. *Not* checked: its
    submission, and that ``charters`` are a chain.
    """
    parsed = Note.parse(data)
    reply = _read_reply_text(parsed.text)
    charter = next((charter for charter in charters if charter.hash == reply.charter), None)
    if charter is None:
        raise AuthenticationError("the reply names an unknown charter")
    members = {member.verifier: member for member in charter.members_on(reply.day)}
    signer = members[note.verify(parsed, list(members))[0]]
    return SignedReply(**vars(reply), signer=signer)


def seal_follow_up(follow_up: FollowUp, mac_key: bytes, recipient: PqRecipient) -> bytes:
    """Authenticate a follow-up under message-mac (32 bytes) and seal it to R, in at most 64 KiB."""
    return seal_document(follow_up.encode(mac_key), MESSAGE_FLOOR, [recipient])


def open_follow_up(sealed: bytes, thread: PqIdentity, mac_key: bytes) -> FollowUp:
    """Open a follow-up with the thread identity and the report's message-mac (32 bytes).

    Raises NotARecipientError when it belongs to another thread, AuthenticationError when its MAC is wrong (R is never
    published, but anyone who knows it can seal to it), MalformedError, LimitError or UnsupportedVersionError for
    another form. *Not* checked: that it was sent to ``submission``.
    """
    return read_follow_up(open_document(sealed, thread, MESSAGE_FLOOR, FOLLOW_UP_MAX), mac_key)


def read_follow_up(data: bytes, mac_key: bytes) -> FollowUp:
    """Read a follow-up's JSON. Raises as ``open_follow_up``."""
    fields = read_document(data, "follow-up", FOLLOW_UP_MAX)
    follow_up = FollowUp(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        day=fields.day("day"),
        kind=fields.text("kind"),
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
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        day=fields.day("day"),
        language=fields.text("language", pattern=LANGUAGE),
        body=_read_body(fields),
    )
    fields.end()
    return reply


def _read_body(fields: Fields) -> str:
    body = fields.text("body", BODY_BYTES_MAX)
    if len(body.encode("utf-8")) > BODY_BYTES_MAX:
        raise LimitError(f"a message is longer than {BODY_BYTES_MAX} bytes")
    return body
