# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the events of a case say: a public and a sealed part for each type, read strictly. docs/protocol.md §13.2.

A part is a frozen dataclass. Each of its fields knows how it is read, so that the class is the table: a member that is
not a field is refused, and so is a value of another form.
"""

# The defaults of the fields are calls that make `dataclasses.field`, which the linter can't see.
# ruff: noqa: RUF009

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, TypeVar

from crypto.age import PqIdentity, PqRecipient
from crypto.charter import LABEL, MEMBERS_MAX
from crypto.document import Fields
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_base64
from crypto.errors import MalformedError, UnsupportedVersionError
from crypto.grant import GENERATION_MAX
from crypto.questionnaire import refuse_repeats

REPORTS_MAX = 256
REVISION_MAX = 100_000
TEXT_CHARS_MAX = 400_000
NAMES_MAX = 64
NAME_CHARS_MAX = 400
SIGNATURE_BYTES = 64

NUMBER = r"C-[0-9]{4}-[0-9]{4,7}"
STATE = r"[A-Z][A-Z_]{0,31}"
CODE = r"[a-z0-9][a-z0-9-]{0,39}"
PUBLIC_ID = r"[A-Za-z0-9][A-Za-z0-9:._-]{0,79}"
OUTCOMES = ("pass", "warn", "block")
PURPOSES = ("message", "acknowledgement", "feedback")

P = TypeVar("P", bound="Part")
Read = Callable[[Fields, str], Any]


class Part:
    """One part of an event. ``value`` is its JSON object; ``read_part`` the way back."""

    def value(self) -> dict[str, object]:
        return {_name(item): _encode(getattr(self, item.name)) for item in dataclasses.fields(self)}  # type: ignore[arg-type]


def read_part(kind: type[P], fields: Fields) -> P:
    """The part of this kind. Raises MalformedError or LimitError for anything that §13.2 does not describe."""
    values = {item.name: item.metadata["read"](fields, _name(item)) for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    fields.end()
    return kind(**values)


def _name(item: "dataclasses.Field[Any]") -> str:
    return str(item.metadata.get("name", item.name))


def _encode(value: object) -> object:
    match value:
        case tuple():
            return [_encode(entry) for entry in value]
        case date():
            return value.isoformat()
        case Part():
            return value.value()
        case PqIdentity() | PqRecipient():
            return str(value)
        case _:
            return value


# --- how fields are read -------------------------------------------------------------------------------------------


def _field(read: Read, name: str | None = None, *, hidden: bool = False) -> Any:
    metadata: dict[str, object] = {"read": read} if name is None else {"read": read, "name": name}
    return field(metadata=metadata, repr=not hidden)


def _text(pattern: str) -> Any:
    return _field(lambda fields, name: fields.text(name, pattern=pattern))


def _prose(max_chars: int = TEXT_CHARS_MAX) -> Any:
    return _field(lambda fields, name: fields.text(name, max_chars), hidden=True)


def _choice(codes: tuple[str, ...]) -> Any:
    return _text("|".join(codes))


def _hash() -> Any:
    return _field(lambda fields, name: fields.hex(name, HASH_BYTES))


def _id() -> Any:
    return _field(lambda fields, name: fields.hex(name, ID_BYTES))


def _integer(low: int, high: int) -> Any:
    return _field(lambda fields, name: fields.integer(name, low, high))


def _boolean() -> Any:
    return _field(lambda fields, name: fields.boolean(name))


def _day() -> Any:
    return _field(lambda fields, name: fields.day(name))


def _state(name: str) -> Any:
    return _field(lambda fields, name: fields.text(name, pattern=STATE), name)


def _ground() -> Any:
    def read(fields: Fields, name: str) -> str | None:
        value = fields.take(name)
        return None if value is None else Fields({name: value}, fields.where).text(name, pattern=CODE)

    return _field(read)


def _recipient() -> Any:
    def read(fields: Fields, name: str) -> str:
        return str(PqRecipient.from_string(fields.text(name)))

    return _field(read)


def _identity() -> Any:
    return _field(lambda fields, name: PqIdentity.from_string(fields.text(name)), hidden=True)


def _signature() -> Any:
    def read(fields: Fields, name: str) -> str:
        value = fields.text(name, 128)
        decode_base64(value, SIGNATURE_BYTES)
        return value

    return _field(read)


def _several(pattern: str, low: int, high: int) -> Any:
    def read(fields: Fields, name: str) -> tuple[str, ...]:
        where = fields.where

        def read_one(item: object) -> str:
            return Fields({name: item}, where).text(name, pattern=pattern)

        found = fields.items(name, high, read_one)
        if len(found) < low:
            raise MalformedError(f"{name!r} of {where} has fewer than {low} entries")
        refuse_repeats(list(found), f"{name!r} of {where}")
        return found

    return _field(read)


def _names() -> Any:
    return _field(lambda fields, name: fields.texts(name, NAMES_MAX, NAME_CHARS_MAX), hidden=True)


def _parts(kind: type[P], high: int) -> Any:
    def read(fields: Fields, name: str) -> tuple[P, ...]:
        return fields.items(name, high, lambda item: read_part(kind, Fields(item, f"{name!r} of {fields.where}")))

    return _field(read, hidden=True)


def _labels() -> Any:
    return _several(LABEL, 1, MEMBERS_MAX)


def _ids(low: int) -> Any:
    return _several(f"[0-9a-f]{{{2 * ID_BYTES}}}", low, REPORTS_MAX)


# --- sealed parts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text(Part):
    """Words: a note, reasons, a draft, a report of a check."""

    text: str = _prose()


@dataclass(frozen=True)
class Thread(Part):
    """The identity of a report's thread."""

    report: str = _id()
    identity: PqIdentity = _identity()


@dataclass(frozen=True)
class Generation(Part):
    """The identity of a case in one of its generations."""

    generation: int = _integer(1, GENERATION_MAX)
    identity: PqIdentity = _identity()


@dataclass(frozen=True)
class Keys(Part):
    """What opens the reports of a case."""

    threads: tuple[Thread, ...] = _parts(Thread, REPORTS_MAX)


@dataclass(frozen=True)
class Renewal(Part):
    """Why somebody left a case, and what those who stay need to read what came before."""

    text: str = _prose()
    identities: tuple[Generation, ...] = _parts(Generation, GENERATION_MAX)
    threads: tuple[Thread, ...] = _parts(Thread, REPORTS_MAX)


@dataclass(frozen=True)
class Party(Part):
    """A person or body that a case is about; ``identifiers`` are numbers, addresses and the like."""

    name: str = _prose(NAME_CHARS_MAX)
    aliases: tuple[str, ...] = _names()
    identifiers: tuple[str, ...] = _names()
    role: str = _text(CODE)


# --- public parts --------------------------------------------------------------------------------------------------


class Public(Part):
    """The public part of an event. ``sealed`` is the kind of its sealed part, None where it can't have one."""

    kind: ClassVar[str]
    sealed: ClassVar[type[Part] | None] = None
    must_seal: ClassVar[bool] = False


@dataclass(frozen=True)
class Opened(Public):
    """A case begins with these reports; who opens it is its first holder, and declares to have no conflict."""

    kind = "opened"
    sealed: ClassVar[type[Part] | None] = Keys
    must_seal = True
    number: str = _text(NUMBER)
    policy: str = _text(CODE)
    received: date = _day()
    reports: tuple[str, ...] = _ids(1)
    generation: int = _integer(1, 1)
    recipient: str = _recipient()
    grant_sha256: str = _hash()
    holders: tuple[str, ...] = _labels()


@dataclass(frozen=True)
class ReportAdded(Public):
    """A further report belongs to the case."""

    kind = "report-added"
    sealed: ClassVar[type[Part] | None] = Keys
    must_seal = True
    report: str = _id()
    received: date = _day()


@dataclass(frozen=True)
class Declared(Public):
    """A member says whether they have a conflict, and which reports the reporters let them read (``granted``)."""

    kind = "declared"
    sealed: ClassVar[type[Part] | None] = Text
    conflict: bool = _boolean()
    granted: tuple[str, ...] = _ids(0)


@dataclass(frozen=True)
class Assigned(Public):
    """A member gets the case's identity of the present generation, by a new grant to all ``holders``."""

    kind = "assigned"
    member: str = _text(LABEL)
    grant_sha256: str = _hash()
    holders: tuple[str, ...] = _labels()


@dataclass(frozen=True)
class Renewed(Public):
    """Somebody holds the case no more: it has a new identity, granted to those who stay."""

    sealed: ClassVar[type[Part] | None] = Renewal
    must_seal = True
    member: str = _text(LABEL)
    generation: int = _integer(2, GENERATION_MAX)
    recipient: str = _recipient()
    grant_sha256: str = _hash()
    holders: tuple[str, ...] = _labels()


@dataclass(frozen=True)
class Recused(Renewed):
    """A member may never act in this case again."""

    kind = "recused"


@dataclass(frozen=True)
class Left(Renewed):
    """A member leaves the case without a conflict."""

    kind = "left"


@dataclass(frozen=True)
class Move(Public):
    """From one state to another, on a ground where the table calls for one."""

    sealed: ClassVar[type[Part] | None] = Text
    from_state: str = _state("from")
    to_state: str = _state("to")
    ground: str | None = _ground()


@dataclass(frozen=True)
class Moved(Move):
    """A move that takes effect at once."""

    kind = "moved"


@dataclass(frozen=True)
class Proposed(Move):
    """A move that takes effect when somebody else approves it."""

    kind = "proposed"
    must_seal = True


@dataclass(frozen=True)
class Subject(Public):
    """About another event, named by its hash."""

    sealed: ClassVar[type[Part] | None] = Text
    subject: str = _hash()


@dataclass(frozen=True)
class Approved(Subject):
    """The second pair of eyes: a signature over the hash of what the first member signed."""

    kind = "approved"


@dataclass(frozen=True)
class Returned(Subject):
    """A proposal is refused."""

    kind = "returned"
    must_seal = True


@dataclass(frozen=True)
class Waived(Subject):
    """An obstacle is to be set aside, with reasons; takes effect when somebody else approves it."""

    kind = "waived"
    must_seal = True


@dataclass(frozen=True)
class Noted(Public):
    """A note for those who work on the case."""

    kind = "noted"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True


@dataclass(frozen=True)
class PartyAdded(Public):
    """A person or body that the case is about."""

    kind = "party-added"
    sealed: ClassVar[type[Part] | None] = Party
    must_seal = True


@dataclass(frozen=True)
class ClockExtended(Public):
    """A clock gets a later end, with reasons."""

    kind = "clock-extended"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True
    clock: str = _text(CODE)
    due: date = _day()


@dataclass(frozen=True)
class Replied(Public):
    """A message went to the reporter of one of the reports."""

    kind = "replied"
    report: str = _id()
    message: str = _id()
    purpose: str = _choice(PURPOSES)


@dataclass(frozen=True)
class Drafted(Public):
    """A revision of the finding; the text is sealed."""

    kind = "drafted"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True
    revision: int = _integer(1, REVISION_MAX)
    text_sha256: str = _hash()


@dataclass(frozen=True)
class Signed(Public):
    """A member's signature (64 bytes, base64) of the finding's note with this text."""

    kind = "signed"
    text_sha256: str = _hash()
    signature: str = _signature()


@dataclass(frozen=True)
class Checked(Public):
    """The outgoing check of a text, with the SHA-256 of its report."""

    kind = "checked"
    sealed: ClassVar[type[Part] | None] = Text
    must_seal = True
    text_sha256: str = _hash()
    outcome: str = _choice(OUTCOMES)
    report_sha256: str = _hash()


@dataclass(frozen=True)
class Publication(Public):
    """The portal took a finding in: its public id, the hash of its note, the revision that it is."""

    finding: str = _text(PUBLIC_ID)
    note_sha256: str = _hash()
    revision: int = _integer(1, REVISION_MAX)


@dataclass(frozen=True)
class Published(Publication):
    """The first publication."""

    kind = "published"


@dataclass(frozen=True)
class Corrected(Publication):
    """A later revision stands beside the one before."""

    kind = "corrected"


@dataclass(frozen=True)
class Withdrawn(Public):
    """A tombstone stands in the finding's place."""

    kind = "withdrawn"
    finding: str = _text(PUBLIC_ID)
    note_sha256: str = _hash()


@dataclass(frozen=True)
class RecommendationStatus(Public):
    """What became of a recommendation."""

    kind = "recommendation-status"
    sealed: ClassVar[type[Part] | None] = Text
    recommendation: str = _text(PUBLIC_ID)
    status: str = _text(CODE)


_PUBLIC: tuple[type[Public], ...] = (
    Opened,
    ReportAdded,
    Declared,
    Assigned,
    Recused,
    Left,
    Moved,
    Proposed,
    Approved,
    Returned,
    Waived,
    Noted,
    PartyAdded,
    ClockExtended,
    Replied,
    Drafted,
    Signed,
    Checked,
    Published,
    Corrected,
    Withdrawn,
    RecommendationStatus,
)
TYPES: Mapping[str, type[Public]] = {kind.kind: kind for kind in _PUBLIC}


def public_kind(type_code: str) -> type[Public]:
    """The kind of public part that events of this type have; UnsupportedVersionError for a type we don't read."""
    kind = TYPES.get(type_code)
    if kind is None:
        raise UnsupportedVersionError("an event is of a type that this program does not read")
    return kind
