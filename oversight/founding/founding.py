# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding in progress as a value: what is planned, whose keys there are, and the charter that waits for signatures.

No secret is in it. Members make their keys themselves, and only what is public of them comes here. Each step gives
the next value; what a step makes untrue is dropped with it: a draft does not outlive the plan that it was made from.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from crypto.age import PqRecipient
from crypto.charter import (
    Charter,
    CharterDraft,
    Reserve,
    make_charter,
    read_charter,
    read_draft,
)
from crypto.encoding import encode_base64
from crypto.errors import AuthenticationError
from crypto.keyring import Keyring
from crypto.note import Note, SigningKey, add_signature
from oversight.founding.charter_draft import PublicKeys, Terms, draft_charter, key_name
from oversight.founding.plan import BLANK, Plan, PlannedMember

INVITATION_HOURS = 72
TOKEN_BYTES = 20


@dataclass(frozen=True)
class Invitation:
    """A one-time link for a planned member. Whoever has its token makes that member's keys, until this moment."""

    token_hash: str
    until: datetime


@dataclass(frozen=True)
class FoundingReserve:
    """What is public of a reserve; ``on_paper`` when each of its shares was typed back from there.

    ``keepers`` are the labels of those members who keep a share.
    """

    recipient: str
    threshold: int
    shares: int
    on_paper: bool = False
    keepers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """Why a draft is void: ``by`` found that the keys of ``about`` are not theirs; ``.portal`` for the portal's key."""

    by: str
    about: str


@dataclass(frozen=True)
class Draft:
    """The text of charter 1, and the signatures so far: labels of governors, and the note once there is one."""

    text: str
    signed: tuple[str, ...] = ()
    note: str = ""
    objection: Objection | None = None

    @property
    def hash(self) -> str:
        """The charter's hash (docs/protocol.md §4.2): it does not depend on who has signed."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def contents(self) -> CharterDraft:
        return read_draft(self.text)


@dataclass(frozen=True)
class Founding:
    """How far a founding is. ``convener`` is the member who plans it: the first to have keys."""

    plan: Plan = BLANK
    convener: str = ""
    keys: Mapping[str, PublicKeys] = field(default_factory=dict)
    invitations: Mapping[str, Invitation] = field(default_factory=dict)
    reserve: FoundingReserve | None = None
    draft: Draft | None = None

    @property
    def everybody_joined(self) -> bool:
        return bool(self.plan.members) and all(member.label in self.keys for member in self.plan.members)

    @property
    def reserve_on_paper(self) -> bool:
        return self.reserve is not None and self.reserve.on_paper

    @property
    def is_open_for_signing(self) -> bool:
        return self.draft is not None and self.draft.objection is None

    @property
    def is_signed(self) -> bool:
        """Whether as many governors have signed as the charter asks for."""
        return self.is_open_for_signing and len(self._draft.signed) >= self.plan.governors_threshold

    @property
    def recipients(self) -> list[PqRecipient]:
        return [PqRecipient.from_string(keys.recipient) for keys in self.keys.values()]

    @property
    def _draft(self) -> Draft:
        assert self.draft is not None
        return self.draft


def with_plan(founding: Founding, plan: Plan) -> Founding:
    """The same founding for a changed plan: what belongs to people who are no longer in it is dropped.

    So is a reserve of which they keep a share, or that its keeper can open alone, once there are several members.
    """
    labels = {member.label for member in plan.members}
    reserve = _without_keepers(founding, set(founding.keys) - labels)
    if len(plan.members) > 1 and plan.reserve_threshold < 2:
        plan = replace(plan, reserve_threshold=BLANK.reserve_threshold, reserve_shares=BLANK.reserve_shares)
        reserve = None
    return replace(
        founding,
        plan=plan,
        reserve=reserve,
        keys={label: keys for label, keys in founding.keys.items() if label in labels},
        invitations={label: each for label, each in founding.invitations.items() if label in labels},
        draft=None if plan != founding.plan else founding.draft,
    )


def invite(founding: Founding, label: str, token: str, now: datetime) -> Founding:
    """A fresh invitation for a planned member; an earlier one, keys made by it and a draft are dropped.

    So is the reserve, if these keys have shown a share of it: whoever made them may have been somebody else.
    """
    invitation = Invitation(hash_token(token), now + timedelta(hours=INVITATION_HOURS))
    keys = {other: each for other, each in founding.keys.items() if other != label}
    reserve = _without_keepers(founding, {label} & set(founding.keys))
    invitations = {**founding.invitations, label: invitation}
    return replace(founding, keys=keys, invitations=invitations, reserve=reserve, draft=None)


def _without_keepers(founding: Founding, dropped: set[str]) -> FoundingReserve | None:
    """The reserve, unless one whose keys are dropped keeps a share of it."""
    reserve = founding.reserve
    return None if reserve is not None and dropped & set(reserve.keepers) else reserve


def invited(founding: Founding, token: str) -> tuple[PlannedMember, Invitation] | None:
    """Whom this token invites; nobody once it was used or replaced."""
    wanted = hash_token(token)
    for label, invitation in founding.invitations.items():
        member = founding.plan.member(label)
        if member is not None and invitation.token_hash == wanted:
            return member, invitation
    return None


def join(founding: Founding, label: str, keys: PublicKeys) -> Founding:
    """The member's keys are made; the invitation is used up."""
    invitations = {other: each for other, each in founding.invitations.items() if other != label}
    return replace(founding, keys={**founding.keys, label: keys}, invitations=invitations)


def lay_out(founding: Founding, terms: Terms, today: date) -> Founding:
    """The charter's text as it is now, to be compared and signed. Raises CryptoError when a reader would refuse it."""
    assert founding.reserve is not None and founding.reserve.on_paper
    reserve = Reserve(
        PqRecipient.from_string(founding.reserve.recipient), founding.reserve.threshold, founding.reserve.shares
    )
    text = make_charter(draft_charter(founding.plan, founding.keys, reserve, terms, today))
    return replace(founding, draft=Draft(text))


def sign_draft(founding: Founding, label: str, keyring: Keyring) -> Founding:
    """The draft with this governor's signature; a second one changes nothing.

    Raises AuthenticationError when the keys that the draft names for this member are not these.
    """
    draft = founding._draft
    if PublicKeys.of(keyring) != founding.keys.get(label) or not names_keys(draft.contents, label, keyring):
        raise AuthenticationError("the draft names other keys for this member")
    if label in draft.signed:
        return founding
    note = Note.parse(draft.note.encode()) if draft.note else Note(draft.text, ())
    signed = add_signature(note, SigningKey.from_seed(key_name(founding.plan, label), keyring.signing_seed))
    return replace(founding, draft=replace(draft, signed=(*draft.signed, label), note=signed.encode().decode()))


def object_to(founding: Founding, by: str, about: str) -> Founding:
    """The draft is void: nothing signs it any more."""
    return replace(founding, draft=replace(founding._draft, signed=(), note="", objection=Objection(by, about)))


def finished_charter(founding: Founding, today: date) -> Charter:
    """Charter 1, read back as everyone will read it. Raises CryptoError, NotInForceError among them."""
    charter = read_charter(founding._draft.note.encode())
    charter.check_day(today)
    return charter


def names_keys(draft: CharterDraft, label: str, keyring: Keyring) -> bool:
    """Whether the draft names these keys, and no others, for this member."""
    entry = next((member for member in draft.members if member.label == label), None)
    if entry is None:
        return False
    named = PublicKeys(str(entry.recipient), encode_base64(entry.verifier.public))
    return named == PublicKeys.of(keyring)


def new_token() -> str:
    """A fresh token for a one-time link: 32 letters and digits, 160 bits."""
    return base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode("ascii").lower()


def hash_token(token: str) -> str:
    """The SHA-256 of a token, which is what is kept of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
