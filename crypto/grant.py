# SPDX-License-Identifier: AGPL-3.0-or-later
"""Grants: the identity of a thread or a case, sealed to its readers. docs/protocol.md §5.3, §9.2, §13.4."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from crypto.age import PqIdentity, PqRecipient, seal
from crypto.charter import Charter
from crypto.document import read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import MalformedError, UnsupportedVersionError
from crypto.ids import CaseId, MemberLabel, SubmissionId
from crypto.manifest import GRANT_SEALED_MAX
from crypto.sealed_document import open_strictly

GRANT_MAX = 4096
KIND_THREAD = "thread"
KIND_CASE = "case"
KIND_THREAD_KEYS = "thread-keys"
GENERATION_MAX = 1_000
_ORDER_BYTES = 16


@dataclass(frozen=True)
class Grant:
    """``subject`` is the submission id; ``identity`` opens the whole thread."""

    subject: SubmissionId
    identity: PqIdentity = field(repr=False)

    def encode(self) -> bytes:
        """Return canonical JSON, of the same length for every thread."""
        return encode_json(
            {
                "version": "amparo/v1/grant",
                "kind": KIND_THREAD,
                "subject": self.subject,
                "identity": str(self.identity),
            }
        )


def read_grant(data: bytes) -> Grant:
    """Read a grant's JSON. Raises MalformedError, LimitError, or UnsupportedVersionError for another kind."""
    fields = read_document(data, "grant", GRANT_MAX)
    if fields.text("kind", 64) != KIND_THREAD:
        raise UnsupportedVersionError("a grant is of a kind that this program does not read")
    grant = Grant(SubmissionId(fields.hex("subject", ID_BYTES)), PqIdentity.from_string(fields.text("identity")))
    fields.end()
    return grant


def grant_recipients(
    charter: Charter,
    today: date,
    exclude: Collection[MemberLabel] = (),
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[PqRecipient, ...]:
    """Return exactly ``charter.slots`` recipients in random order: today's readers, the reserve, throwaway ones.

    ``exclude`` holds labels of members who must not read the thread. Raises MalformedError for a label that no member
    of the charter has, and when no reader is left.
    """
    if not set(exclude) <= {member.label for member in charter.members}:
        raise MalformedError("an excluded label is not that of a member of the commission")
    members = [member.recipient for member in charter.readers_on(today) if member.label not in exclude]
    if not members:
        raise MalformedError("no member is left who could read this")
    recipients = [*members, charter.reserve.recipient]
    while len(recipients) < charter.slots:
        recipients.append(PqIdentity.from_seed(random(32)).recipient())
    # Sorting by fresh random keys is a fair shuffle: the position of a stanza must not tell whose it is.
    order = {recipient.key: random(_ORDER_BYTES) for recipient in recipients}
    return tuple(sorted(recipients, key=lambda recipient: order[recipient.key]))


def seal_grant(grant: Grant, recipients: Sequence[PqRecipient]) -> bytes:
    """Seal the grant; it has one length for every thread, and is not padded."""
    return seal(grant.encode(), recipients)


def open_grant(sealed: bytes, identities: Sequence[PqIdentity]) -> Grant:
    """Open and read ``grant.age``.

    Raises NotARecipientError when it is sealed to none of the identities, and the errors of ``read_grant`` and
    ``crypto.sealed_document.open_strictly``.
    """
    return read_grant(open_strictly(sealed, identities, GRANT_SEALED_MAX))


@dataclass(frozen=True)
class CaseGrant:
    """``subject`` is the case id; ``identity`` opens the parts sealed to the case in this generation (§13.4)."""

    subject: CaseId
    generation: int
    identity: PqIdentity = field(repr=False)

    def encode(self) -> bytes:
        return encode_json(
            {
                "version": "amparo/v1/grant",
                "kind": KIND_CASE,
                "subject": self.subject,
                "generation": self.generation,
                "identity": str(self.identity),
            }
        )


def read_case_grant(data: bytes) -> CaseGrant:
    """Read a case grant's JSON. Raises as ``read_grant``."""
    fields = read_document(data, "grant", GRANT_MAX)
    if fields.text("kind", 64) != KIND_CASE:
        raise UnsupportedVersionError("a grant is not of a case")
    subject, generation = CaseId(fields.hex("subject", ID_BYTES)), fields.integer("generation", 1, GENERATION_MAX)
    grant = CaseGrant(subject, generation, PqIdentity.from_string(fields.text("identity")))
    fields.end()
    return grant


def seal_case_grant(grant: CaseGrant, recipients: Sequence[PqRecipient]) -> bytes:
    """Seal a case's identity to its holders and the reserve. The ledger names them, so their number is not hidden."""
    return seal(grant.encode(), recipients)


def open_case_grant(sealed: bytes, identities: Sequence[PqIdentity]) -> CaseGrant:
    """Open and read a case grant. Raises as ``open_grant``."""
    return read_case_grant(open_strictly(sealed, identities, GRANT_SEALED_MAX))


@dataclass(frozen=True)
class ThreadGrant:
    """A generation of a thread's keys from the first renewal on (§9.2); ``message_mac`` has 32 bytes."""

    subject: SubmissionId
    generation: int
    identity: PqIdentity = field(repr=False)
    message_mac: bytes = field(repr=False)

    def encode(self) -> bytes:
        return encode_json(
            {
                "version": "amparo/v1/grant",
                "kind": KIND_THREAD_KEYS,
                "subject": self.subject,
                "generation": self.generation,
                "identity": str(self.identity),
                "message_mac": self.message_mac.hex(),
            }
        )


def read_thread_grant(data: bytes) -> ThreadGrant:
    """Read a thread grant's JSON. Raises as ``read_grant``."""
    fields = read_document(data, "grant", GRANT_MAX)
    if fields.text("kind", 64) != KIND_THREAD_KEYS:
        raise UnsupportedVersionError("a grant is not of a thread's later keys")
    grant = ThreadGrant(
        subject=SubmissionId(fields.hex("subject", ID_BYTES)),
        generation=fields.integer("generation", 1, GENERATION_MAX),
        identity=PqIdentity.from_string(fields.text("identity")),
        message_mac=bytes.fromhex(fields.hex("message_mac", HASH_BYTES)),
    )
    fields.end()
    return grant


def seal_thread_grant(grant: ThreadGrant, recipients: Sequence[PqRecipient]) -> bytes:
    """Seal a generation of a thread's keys. ``grant_recipients`` hides how many of the recipients are readers."""
    return seal(grant.encode(), recipients)


def open_thread_grant(sealed: bytes, identities: Sequence[PqIdentity]) -> ThreadGrant:
    """Open and read a thread grant. Raises as ``open_grant``."""
    return read_thread_grant(open_strictly(sealed, identities, GRANT_SEALED_MAX))
