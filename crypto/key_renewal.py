# SPDX-License-Identifier: AGPL-3.0-or-later
"""A renewal of a thread's keys: signed by a member, sealed to the mailbox alone. docs/protocol.md §9.2.

It is sealed to S and to nobody else, so that who held the old keys does not learn the new ones from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crypto import note
from crypto.age import PqIdentity, PqRecipient
from crypto.charter import Charter, Member
from crypto.document import read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import AuthenticationError
from crypto.ids import CharterHash, SubmissionId
from crypto.message import verify_member
from crypto.note import Note, SigningKey
from crypto.padding import MESSAGE_FLOOR
from crypto.sealed_document import open_document, seal_document
from crypto.thread_keys import ThreadKeys, read_thread_keys

RENEWAL_MAX = 4 * 1024


@dataclass(frozen=True)
class KeyRenewal:
    """New keys of a thread; ``manifest`` is its manifest hash, ``charter`` the hash of the signer's charter."""

    submission: SubmissionId
    manifest: str
    charter: CharterHash
    day: date
    keys: ThreadKeys

    def text(self) -> str:
        """Return the text of the note, one line of canonical JSON. MalformedError or LimitError for a bad value."""
        value = {
            "version": "amparo/v1/renewal",
            "submission": self.submission,
            "manifest": self.manifest,
            "charter": self.charter,
            "day": self.day.isoformat(),
            "keys": self.keys.to_value(),
        }
        text = encode_json(value).decode("utf-8") + "\n"
        _read_text(text)
        return text


@dataclass(frozen=True)
class SignedRenewal(KeyRenewal):
    """A renewal whose signature was verified, and the member who signed it."""

    signer: Member


def seal_renewal(renewal: KeyRenewal, signing_key: SigningKey, mailbox: PqRecipient) -> bytes:
    """Sign a renewal and seal it to S; all renewals have the same length."""
    return seal_document(note.sign(renewal.text(), [signing_key]).encode(), MESSAGE_FLOOR, [mailbox])


def open_renewal(sealed: bytes, mailbox: PqIdentity, charters: Sequence[Charter]) -> SignedRenewal:
    """Open a renewal with the identity of S, and verify it under the charters that the caller trusts.

    Raises NotARecipientError when it is sealed to others; AuthenticationError when its charter is none of
    ``charters`` or when it is not signed by a member of that charter on its day; MalformedError, LimitError or
    UnsupportedVersionError for another form. *Not* checked: its thread, and what §8.3 demands of its signer.
    """
    parsed = Note.parse(open_document(sealed, mailbox, MESSAGE_FLOOR, RENEWAL_MAX))
    renewal = _read_text(parsed.text)
    charter = next((charter for charter in charters if charter.hash == renewal.charter), None)
    if charter is None:
        raise AuthenticationError("the renewal names an unknown charter")
    return SignedRenewal(**vars(renewal), signer=verify_member(parsed, charter, renewal.day))


def _read_text(text: str) -> KeyRenewal:
    fields = read_document(text.removesuffix("\n").encode("utf-8"), "renewal", RENEWAL_MAX)
    renewal = KeyRenewal(
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        day=fields.day("day"),
        keys=read_thread_keys(fields.child("keys")),
    )
    fields.end()
    return renewal
