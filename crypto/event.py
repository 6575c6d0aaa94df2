# SPDX-License-Identifier: AGPL-3.0-or-later
"""Events: the links of a case's ledger, each signed by the acting member. docs/protocol.md §13.1.

- An event is a note with one line of canonical JSON and exactly one signature.
- It holds the hash of the event before it, so that a ledger can only grow at its end.
- Content for the holders of the case alone is in its sealed part, an age file to the case's current identity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto import note
from crypto.age import PqIdentity, PqRecipient, check_sealed_prefix
from crypto.charter import LABEL, Charter, Member
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, INTEGER_MAX, decode_base64, encode_base64, encode_json
from crypto.errors import AuthenticationError, MalformedError, ProofError
from crypto.event_fields import CODE, Part, read_part
from crypto.event_types import Public, public_kind
from crypto.ids import CaseId, CharterHash, EventHash, MemberLabel
from crypto.note import NOTE_BYTES_MAX, Note, SigningKey
from crypto.sealed_document import open_document, seal_document

PART_FLOOR = 1024
PART_MAX = 512 * 1024
SEALED_MAX = 700_000
_SEALED_CHARS_MAX = (SEALED_MAX + 2) // 3 * 4
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True)
class Head:
    """The end of a ledger, which the next event has to follow."""

    case: CaseId
    sequence: int
    hash: EventHash
    time: datetime
    charter_number: int


@dataclass(frozen=True)
class Event:
    """An event before it is signed. ``time`` is in UTC, in whole seconds; ``sealed`` is an age file or None."""

    case: CaseId
    sequence: int
    previous: EventHash | None
    actor: MemberLabel
    charter: CharterHash
    time: datetime
    public: Public
    sealed: bytes | None = field(default=None, repr=False)

    @property
    def type(self) -> str:
        """The code of the event type (§13.2)."""
        return self.public.kind

    def text(self) -> str:
        """Return the text of the note. Raises MalformedError or LimitError for an event that a reader would refuse."""
        value = {
            "version": "amparo/v1/event",
            "case": self.case,
            "sequence": self.sequence,
            "previous": self.previous,
            "type": self.type,
            "actor": self.actor,
            "charter": self.charter,
            "time": format_time(self.time),
            "public": self.public.value(),
            "sealed": None if self.sealed is None else encode_base64(self.sealed),
        }
        text = encode_json(value).decode("utf-8") + "\n"
        _read_text(text)
        return text


@dataclass(frozen=True)
class SignedEvent(Event):
    """An event whose signature was verified: by ``signer``, a member of ``charter`` on that day."""

    hash: EventHash = field(kw_only=True)
    charter_number: int = field(kw_only=True)
    signer: Member = field(kw_only=True)

    @property
    def head(self) -> Head:
        return Head(self.case, self.sequence, self.hash, self.time, self.charter_number)


def sign_event(event: Event, key: SigningKey) -> Note:
    """Return the event's note, signed by ``key``. *Not* checked: that it is the actor's (``read_event`` does)."""
    return note.sign(event.text(), [key])


def read_event(data: bytes, charters: Mapping[CharterHash, Charter]) -> SignedEvent:
    """Read an event's note and verify who signed it, under ``charters`` (by hash), which the caller trusts.

    Raises MalformedError, LimitError or UnsupportedVersionError for another form, and AuthenticationError when the
    charter is not known or not valid on the event's day, when the actor is not a member on that day, or when the note
    is not signed by the actor's key. *Not* checked: the event before it (``check_follows``), and the case's rules.
    """
    parsed = Note.parse(data)
    event = _read_text(parsed.text)
    charter = charters.get(event.charter)
    if charter is None:
        raise AuthenticationError("the event names an unknown charter")
    charter.check_day(event.time.date())
    members = charter.members_on(event.time.date())
    signer = next((member for member in members if member.label == event.actor), None)
    if signer is None:
        raise AuthenticationError("the actor of the event is not a member on its day")
    if len(parsed.signatures) != 1:
        raise MalformedError("an event must have exactly one signature")
    note.verify(parsed, [signer.verifier])
    return SignedEvent(**vars(event), hash=EventHash(parsed.hash), charter_number=charter.number, signer=signer)


def check_follows(head: Head | None, event: SignedEvent) -> None:
    """Check that ``event`` comes next after ``head``, or first when ``head`` is None.

    Raises ProofError when case, sequence or previous hash do not continue the ledger, or when the time or the number of
    the charter decreases.
    """
    if head is None:
        if event.sequence != 0 or event.previous is not None:
            raise ProofError("the first event of a ledger must have number 0 and no previous hash")
        return
    if event.case != head.case:
        raise ProofError("the event belongs to another case")
    if event.sequence != head.sequence + 1:
        raise ProofError(f"event {event.sequence} where {head.sequence + 1} was expected")
    if event.previous != head.hash:
        raise ProofError("the event does not hold the hash of the one before it")
    if event.time < head.time or event.charter_number < head.charter_number:
        raise ProofError("the event has an earlier time or an older charter than the one before it")


def seal_part(part: Part, case: CaseId, sequence: int, recipient: PqRecipient) -> bytes:
    """Seal the sealed part of event ``sequence`` of ``case``. Raises LimitError over 512 KiB of JSON."""
    value = {"version": "amparo/v1/event-part", "case": case, "sequence": sequence, "content": part.value()}
    content = encode_json(value)
    _read_part(content, type(part))
    return seal_document(content, PART_FLOOR, [recipient])


def open_part(event: Event, identity: PqIdentity) -> Part | None:
    """Open the sealed part of an event; return None if it has none.

    Raises NotARecipientError when ``identity`` is of another generation, AuthenticationError when the part was sealed
    for another event, and MalformedError or LimitError for another form.
    """
    kind = event.public.sealed
    if event.sealed is None or kind is None:
        return None
    content = open_document(event.sealed, identity, PART_FLOOR, PART_MAX)
    case, sequence, part = _read_part(content, kind)
    if (case, sequence) != (event.case, event.sequence):
        raise AuthenticationError("the sealed part was made for another event")
    return part


def format_time(time: datetime) -> str:
    """``YYYY-MM-DDThh:mm:ssZ``. MalformedError unless ``time`` is in UTC and in whole seconds."""
    if time.tzinfo != UTC or time.microsecond:
        raise MalformedError("the time of an event must be in UTC and in whole seconds")
    return f"{time.isoformat()[:19]}Z"


def parse_time(text: str) -> datetime:
    """Parse a time that ``format_time`` wrote, or raise MalformedError."""
    if not _TIME.fullmatch(text):
        raise MalformedError("not a time of the form YYYY-MM-DDThh:mm:ssZ")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MalformedError("no such time") from None


def _read_text(text: str) -> Event:
    if text.count("\n") != 1:
        raise MalformedError("the text of an event must be one line")
    fields = read_document(text[:-1].encode("utf-8"), "event", NOTE_BYTES_MAX)
    kind = public_kind(fields.text("type", pattern=CODE))
    event = Event(
        case=CaseId(fields.hex("case", ID_BYTES)),
        sequence=fields.integer("sequence", 0, INTEGER_MAX),
        previous=_read_previous(fields),
        actor=MemberLabel(fields.text("actor", pattern=LABEL)),
        charter=CharterHash(fields.hex("charter", HASH_BYTES)),
        time=parse_time(fields.text("time")),
        public=read_part(kind, fields.child("public")),
        sealed=_read_sealed(fields, kind),
    )
    fields.end()
    return event


def _read_previous(fields: Fields) -> EventHash | None:
    value = fields.take("previous")
    if value is None:
        return None
    return EventHash(Fields({"previous": value}, fields.where).hex("previous", HASH_BYTES))


def _read_sealed(fields: Fields, kind: type[Public]) -> bytes | None:
    value = fields.take("sealed")
    if value is None:
        if kind.must_seal:
            raise MalformedError("the event lacks its sealed part")
        return None
    if kind.sealed is None:
        raise MalformedError("an event of this type must not have a sealed part")
    sealed = decode_base64(Fields({"sealed": value}, fields.where).text("sealed", _SEALED_CHARS_MAX))
    if len(check_sealed_prefix(sealed).stanzas) != 1:
        raise MalformedError("the sealed part of an event must be sealed to the case alone")
    return sealed


def _read_part(content: bytes, kind: type[Part]) -> tuple[CaseId, int, Part]:
    fields = read_document(content, "event-part", PART_MAX)
    case, sequence = CaseId(fields.hex("case", ID_BYTES)), fields.integer("sequence", 0, INTEGER_MAX)
    part = read_part(kind, fields.child("content"))
    fields.end()
    return case, sequence, part
