# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charter: a commission's public, signed, numbered document. docs/protocol.md §4.2.

- Charter 1 is signed by at least k of the governors that it names itself.
- Charter n + 1 is signed by k of its own governors and by k of those of charter n, whose hash it holds.
- Sealed reports, replies and requests name their charter by its hash, the SHA-256 of the note's text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from crypto import note
from crypto.age import PqRecipient
from crypto.document import Fields, read_document
from crypto.encoding import HASH_BYTES, ID_BYTES, encode_json
from crypto.errors import AuthenticationError, MalformedError, ProofError
from crypto.ids import CharterHash, MemberLabel
from crypto.manifest import ATTACHMENT_SEALED_MAX, ATTACHMENTS_MAX
from crypto.note import NOTE_BYTES_MAX, Note, VerifierKey
from crypto.person_name import PERSON_NAME_CHARS_MAX, check_people
from crypto.public_text import check_public_texts
from crypto.questionnaire import Questionnaire, read_questionnaire, refuse_repeats

ROLES = (
    "registrar",
    "triage",
    "investigator",
    "legal",
    "chair",
    "publisher",
    "custodian",
    "auditor",
    "reviewer",
    "administrator",
)
ROLES_WITHOUT_CONTENT = frozenset({"auditor", "administrator"})
REPLY_ROLES = frozenset({"registrar", "triage", "investigator", "chair"})
SLOTS_MAX = 64
MEMBERS_MAX = SLOTS_MAX - 1
GOVERNORS_MAX = 32
OFFICE_KEYS_MAX = 16
LANGUAGES_MAX = 32
JURISDICTIONS_MAX = 300
SHARES_MAX = 16
DAYS_MAX = 3650
REPLY_DAYS_MIN = 30
NUMBER_MAX = 1_000_000
NAME_CHARS_MAX = 200
CHAIN_MAX = 1_000
"""Of a commission's charters, all that its readers take."""

SLUG = r"[a-z][a-z0-9-]{1,30}"
LABEL = r"[a-z][a-z0-9-]{0,30}"
LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}"
JURISDICTION = r"[A-Z][A-Z0-9-]{1,15}"
# RFC 6454 §6.2: lower case, no default port, no trailing slash.
ORIGIN = r"(?!http://.*:80$|https://.*:443$)https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?"


class NotInForceError(AuthenticationError):
    """The charter is not valid on the day of its use."""


@dataclass(frozen=True)
class Member:
    """A person of the commission, a member from ``valid_from`` to ``valid_until``, both days included."""

    label: MemberLabel
    name: str
    roles: tuple[str, ...]
    recipient: PqRecipient
    verifier: VerifierKey
    valid_from: date
    valid_until: date | None

    @property
    def is_reader(self) -> bool:
        """Whether reports are sealed to this member: not if none of their roles sees content (§5.3)."""
        return not ROLES_WITHOUT_CONTENT.issuperset(self.roles)

    @property
    def may_reply(self) -> bool:
        """Whether one of the member's roles writes to reporters (§8.3)."""
        return not REPLY_ROLES.isdisjoint(self.roles)

    def is_member_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True)
class Governors:
    """The keys that may sign a charter, and how many of them must."""

    threshold: int
    keys: tuple[VerifierKey, ...]


@dataclass(frozen=True)
class Reserve:
    """The recipient whose identity exists only as SLIP-39 shares: ``threshold`` of ``shares`` open it."""

    recipient: PqRecipient
    threshold: int
    shares: int


@dataclass(frozen=True)
class Limits:
    """The attachments that a report may have: their number, and the bytes of each file before it is sealed."""

    attachments: int
    attachment_bytes: int


@dataclass(frozen=True)
class CharterDraft:
    """The contents of a charter before it is signed. ``make_charter`` returns the text to sign."""

    slug: str
    name: Mapping[str, str]
    mandate: Mapping[str, str]
    jurisdictions: tuple[str, ...]
    number: int
    previous: CharterHash | None
    origin: str
    realm: str
    portal: VerifierKey
    languages: tuple[str, ...]
    valid_from: date
    valid_until: date
    governors: Governors
    members: tuple[Member, ...]
    reserve: Reserve
    slots: int
    office: tuple[VerifierKey, ...]
    urgency: tuple[PqRecipient, ...]
    questionnaire: Questionnaire
    grace_days: int
    reply_days: int
    limits: Limits
    staffed_always: bool

    @property
    def names(self) -> Mapping[MemberLabel, str]:
        """The names of the members by label."""
        return {member.label: member.name for member in self.members}

    def members_on(self, day: date) -> tuple[Member, ...]:
        """Return the members on this day, in the order of the charter."""
        return tuple(member for member in self.members if member.is_member_on(day))

    def readers_on(self, day: date) -> tuple[Member, ...]:
        """Return the members on this day to whom reports are sealed."""
        return tuple(member for member in self.members_on(day) if member.is_reader)

    def check_day(self, day: date) -> None:
        """Raise NotInForceError unless the charter is valid on this day."""
        if not self.valid_from <= day <= self.valid_until:
            raise NotInForceError("the charter is not valid on this day")


@dataclass(frozen=True)
class Charter(CharterDraft):
    """A charter that its governors have signed. ``note`` holds its bytes as read, to be served unaltered."""

    hash: CharterHash
    note: bytes = field(repr=False)


def read_labels(fields: Fields, name: str) -> tuple[MemberLabel, ...]:
    """Read a list of members' labels, each once and in rising order. Raises MalformedError or LimitError."""
    labels = fields.texts(name, MEMBERS_MAX)
    _refuse_other(labels, LABEL, "label")
    if list(labels) != sorted(set(labels)):
        raise MalformedError("labels are repeated or not in rising order")
    return tuple(MemberLabel(label) for label in labels)


def check_threshold(threshold: int, of: int, *, members: int) -> None:
    """Check how many governors must sign, or shares open the reserve, ``of`` how many, in a commission of ``members``.

    Raises MalformedError unless 2 ≤ threshold ≤ of, or a commission of one member has 1 of 1: nobody else is there.
    """
    if not (2 <= threshold <= of or (threshold, of, members) == (1, 1, 1)):
        raise MalformedError("of governors or shares of the reserve fewer than 2 are enough, or more than there are")


def make_charter(draft: CharterDraft) -> str:
    """Return the text of the charter's note: one line of canonical JSON, to be signed by the governors.

    Raises MalformedError or LimitError for a draft that a reader would refuse, and MemberNameError (``check_people``).
    """
    text = encode_json(_charter_value(draft)).decode("utf-8") + "\n"
    _read_text(text)
    check_people(draft.names)
    return text


def read_draft(text: str) -> CharterDraft:
    """Read the text that ``make_charter`` returns, before anybody has signed it. Raises as ``read_charter``."""
    return _read_text(text)


def read_charter(data: bytes) -> Charter:
    """Read a charter's note and check its own rules and signatures.

    Raises MalformedError, LimitError or UnsupportedVersionError for a note that does not follow §4.2, and
    AuthenticationError when fewer of its governors have signed than it requires, or one of their signatures is wrong.
    *Not* checked: the day, that it continues the charter before it (``check_successor``), names (``check_people``).
    """
    parsed = Note.parse(data)
    draft = _read_text(parsed.text)
    check_signed(parsed, draft.governors)
    return Charter(**vars(draft), hash=CharterHash(parsed.hash), note=data)


def check_successor(previous: Charter, following: Charter) -> None:
    """Check that ``following`` is the charter after ``previous``.

    Raises ProofError when slug, realm, number or previous hash does not continue it, AuthenticationError when too few
    governors of ``previous`` have signed.
    """
    if following.slug != previous.slug or following.realm != previous.realm:
        raise ProofError("a charter does not have the slug and realm of the charter before it")
    if following.number != previous.number + 1 or following.previous != previous.hash:
        raise ProofError("a charter does not continue the charter before it")
    check_signed(Note.parse(following.note), previous.governors)


def check_chain(charters: Sequence[Charter]) -> None:
    """Check charters, oldest first, each against the one before. Raises what ``check_successor`` raises."""
    for previous, following in pairwise(charters):
        check_successor(previous, following)


def check_signed(parsed: Note, governors: Governors) -> None:
    """Check that enough of these governors have signed a note, whatever it says. Raises AuthenticationError."""
    if len(note.verify(parsed, governors.keys)) < governors.threshold:
        raise AuthenticationError("a charter is signed by too few governors")


def _read_text(text: str) -> CharterDraft:
    fields = read_document(text.removesuffix("\n").encode("utf-8"), "charter", NOTE_BYTES_MAX)
    check_public_texts(text)
    languages = _read_texts(fields, "languages", LANGUAGES_MAX, LANGUAGE)
    refuse_repeats(list(languages), "languages of a charter")
    if not languages:
        raise MalformedError("a charter must have at least one language")
    # In the order of the reader in the other language, so that both name the same one of two faults.
    draft = CharterDraft(
        languages=languages,
        name=fields.translations("name", languages, NAME_CHARS_MAX),
        mandate=fields.translations("mandate", languages),
        jurisdictions=_read_texts(fields, "jurisdictions", JURISDICTIONS_MAX, JURISDICTION),
        slug=fields.text("slug", pattern=SLUG),
        number=fields.integer("number", 1, NUMBER_MAX),
        previous=_read_previous(fields),
        origin=fields.text("origin", max_chars=300, pattern=ORIGIN),
        realm=fields.hex("realm", ID_BYTES),
        portal=VerifierKey.parse(fields.text("portal")),
        **_read_valid(fields.child("valid")),
        governors=_read_governors(fields.child("governors")),
        members=fields.items("members", MEMBERS_MAX, _read_member),
        reserve=_read_reserve(fields.child("reserve")),
        slots=fields.integer("slots", 2, SLOTS_MAX),
        office=tuple(VerifierKey.parse(key) for key in fields.texts("office", OFFICE_KEYS_MAX)),
        urgency=tuple(PqRecipient.from_string(key) for key in fields.texts("urgency", OFFICE_KEYS_MAX)),
        questionnaire=read_questionnaire(fields.take("questionnaire"), languages),
        limits=_read_limits(fields.child("limits")),
        **_read_retention(fields.child("retention")),
        staffed_always=_read_options(fields.child("options")),
    )
    fields.end()
    _check_rules(draft)
    return draft


def _read_texts(fields: Fields, name: str, count_max: int, pattern: str) -> tuple[str, ...]:
    texts = fields.texts(name, count_max)
    _refuse_other(texts, pattern, f"one of {name}")
    return texts


def _read_valid(fields: Fields) -> dict[str, Any]:
    valid = {"valid_from": fields.day("from"), "valid_until": fields.day("until")}
    fields.end()
    return valid


def _read_retention(fields: Fields) -> dict[str, Any]:
    grace_days = fields.integer("grace_days", 0, DAYS_MAX)
    retention = {"grace_days": grace_days, "reply_days": fields.integer("reply_days", REPLY_DAYS_MIN, DAYS_MAX)}
    fields.end()
    return retention


def _read_previous(fields: Fields) -> CharterHash | None:
    value = fields.take("previous")
    if value is None:
        return None
    return CharterHash(Fields({"previous": value}, fields.where).hex("previous", HASH_BYTES))


def _read_governors(fields: Fields) -> Governors:
    keys = tuple(VerifierKey.parse(key) for key in fields.texts("keys", GOVERNORS_MAX))
    governors = Governors(fields.integer("threshold", 1, GOVERNORS_MAX), keys)
    fields.end()
    return governors


def _read_member(item: object) -> Member:
    fields = Fields(item, "member")
    member = Member(
        label=MemberLabel(fields.text("label", pattern=LABEL)),
        name=fields.text("name", max_chars=PERSON_NAME_CHARS_MAX, pattern=r"[^\n]*"),
        roles=_read_roles(fields),
        recipient=PqRecipient.from_string(fields.text("recipient")),
        verifier=VerifierKey.parse(fields.text("verifier")),
        valid_from=fields.day("from"),
        valid_until=fields.optional_day("until"),
    )
    fields.end()
    return member


def _read_roles(fields: Fields) -> tuple[str, ...]:
    roles = fields.texts("roles", len(ROLES))
    if not set(roles) <= set(ROLES):
        raise MalformedError("a member has a role that does not exist")
    refuse_repeats(list(roles), "roles of a member")
    return roles


def _read_reserve(fields: Fields) -> Reserve:
    recipient = PqRecipient.from_string(fields.text("recipient"))
    reserve = Reserve(recipient, fields.integer("threshold", 1, SHARES_MAX), fields.integer("shares", 1, SHARES_MAX))
    fields.end()
    return reserve


def _read_limits(fields: Fields) -> Limits:
    attachments = fields.integer("attachments", 0, ATTACHMENTS_MAX)
    limits = Limits(attachments, fields.integer("attachment_bytes", 0, ATTACHMENT_SEALED_MAX))
    fields.end()
    return limits


def _read_options(fields: Fields) -> bool:
    staffed_always = fields.boolean("staffed_always")
    fields.end()
    return staffed_always


def _check_rules(draft: CharterDraft) -> None:
    """Check the rules of §4.2 that concern more than one member of the object."""
    if (draft.number == 1) != (draft.previous is None):
        raise MalformedError("a charter must name the one before it, except the first, which must not")
    if draft.valid_from > draft.valid_until:
        raise MalformedError("a charter ends before it begins")
    if not (draft.members and draft.office and draft.urgency):
        raise MalformedError("a charter must have at least one member and one office key of each kind")
    check_threshold(draft.governors.threshold, len(draft.governors.keys), members=len(draft.members))
    check_threshold(draft.reserve.threshold, draft.reserve.shares, members=len(draft.members))
    if draft.slots < len(draft.members) + 1:
        raise MalformedError("a charter has fewer slots than its members and the reserve need")
    if any(member.valid_until is not None and member.valid_from > member.valid_until for member in draft.members):
        raise MalformedError("a member's last day is before the first")
    _check_names(draft)
    _check_keys(draft)


def _check_names(draft: CharterDraft) -> None:
    for member in draft.members:
        if member.verifier.name != f"{draft.slug}/{member.label}":
            raise MalformedError("a member's key is not named after the member")
    prefix = f"{draft.slug}/"
    _refuse_other([key.name.removeprefix(prefix) for key in draft.office], LABEL, "name of an office key")
    if not all(key.name.startswith(prefix) for key in draft.office):
        raise MalformedError("an office key is not named after its commission")
    if draft.portal.name != draft.origin.split("://")[1]:
        raise MalformedError("the portal's key is not named after its host")
    refuse_repeats([key.name for key in (*(member.verifier for member in draft.members), *draft.office)], "labels")


def _check_keys(draft: CharterDraft) -> None:
    # A key counts once, under whatever name. A governor may be a member, but never a machine.
    machines = [key.public.hex() for key in (*draft.office, draft.portal)]
    refuse_repeats([*(member.verifier.public.hex() for member in draft.members), *machines], "keys")
    refuse_repeats([*(key.public.hex() for key in draft.governors.keys), *machines], "keys")
    # What an office opens by itself is nothing that a member or the reserve opens.
    recipients = [*(member.recipient for member in draft.members), draft.reserve.recipient, *draft.urgency]
    refuse_repeats([recipient.key.hex() for recipient in recipients], "recipients")


def _refuse_other(values: Sequence[str], pattern: str, what: str) -> None:
    if not all(re.fullmatch(pattern, value) for value in values):
        raise MalformedError(f"a malformed {what}")


def _charter_value(draft: CharterDraft) -> dict[str, Any]:
    return {
        "version": "amparo/v1/charter",
        "slug": draft.slug,
        "name": dict(draft.name),
        "mandate": dict(draft.mandate),
        "jurisdictions": list(draft.jurisdictions),
        "number": draft.number,
        "previous": draft.previous,
        "origin": draft.origin,
        "realm": draft.realm,
        "portal": str(draft.portal),
        "languages": list(draft.languages),
        "valid": {"from": draft.valid_from.isoformat(), "until": draft.valid_until.isoformat()},
        "governors": {
            "threshold": draft.governors.threshold,
            "keys": [str(key) for key in draft.governors.keys],
        },
        "members": [_member_value(member) for member in draft.members],
        "reserve": {
            "recipient": str(draft.reserve.recipient),
            "threshold": draft.reserve.threshold,
            "shares": draft.reserve.shares,
        },
        "slots": draft.slots,
        "office": [str(key) for key in draft.office],
        "urgency": [str(key) for key in draft.urgency],
        "questionnaire": draft.questionnaire.to_value(draft.languages),
        "retention": {"grace_days": draft.grace_days, "reply_days": draft.reply_days},
        "limits": {
            "attachments": draft.limits.attachments,
            "attachment_bytes": draft.limits.attachment_bytes,
        },
        "options": {"staffed_always": draft.staffed_always},
    }


def _member_value(member: Member) -> dict[str, Any]:
    return {
        "label": member.label,
        "name": member.name,
        "roles": list(member.roles),
        "recipient": str(member.recipient),
        "verifier": str(member.verifier),
        "from": member.valid_from.isoformat(),
        "until": member.valid_until.isoformat() if member.valid_until else None,
    }
