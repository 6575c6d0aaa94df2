# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signatures that a finding must have, and the names of the rules. docs/protocol.md §14.1."""

from datetime import date
from typing import Protocol

from crypto.charter import Charter, Member, NotInForceError
from crypto.errors import AuthenticationError
from crypto.ids import CharterHash, MemberLabel
from crypto.note import Note, Signature
from crypto.person_name import same_person

SIGNERS_MIN = 2
CHAIR = "chair"
ROLES = (CHAIR, "publisher")


class FindingSignersError(AuthenticationError):
    """A finding is not signed by the required members. ``rule`` is one of:

    ``charter`` (it names another charter than the one it is read with), ``charter-day`` (the charter is not valid on
    its day), ``author`` (not a member), ``stranger`` (a signer is not in the charter), ``text`` (no signature matches
    the text), ``signature`` (one does not), ``too-few``, ``one-person``, ``not-in-force`` (a signer is not a member on
    its day), ``role`` (a signer is neither chair nor publisher), ``no-chair``, ``chair-is-author``.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class Text(Protocol):
    """The fields of a ``crypto.finding.FindingDraft`` that decide who may sign it."""

    @property
    def slug(self) -> str: ...

    @property
    def charter(self) -> CharterHash: ...

    @property
    def day(self) -> date: ...

    @property
    def author(self) -> MemberLabel: ...


def check_signers(note: Note, draft: Text, charter: Charter) -> tuple[Member, ...]:
    """Return the members who signed ``note``, whose text is ``draft``, in the order of their signatures.

    Unlike in other notes, a signature by a key that the charter does not name is refused: a reader would take its name
    for a member's. Raises FindingSignersError.
    """
    if (charter.slug, charter.hash) != (draft.slug, draft.charter):
        raise FindingSignersError("charter", "the finding was made under another charter than this one")
    try:
        charter.check_day(draft.day)
    except NotInForceError:
        raise FindingSignersError("charter-day", "the charter was not valid on the day of the finding") from None
    writer = next((member for member in charter.members if member.label == draft.author), None)
    if writer is None:
        raise FindingSignersError("author", "the author is not a member in the charter")
    signers = tuple(_find_member(signature, charter) for signature in note.signatures)
    _check_signatures(note, signers)
    _check_people(signers, draft.day)
    if not any(CHAIR in member.roles for member in signers):
        raise FindingSignersError("no-chair", "no chair has signed")
    if not any(CHAIR in member.roles and not _is_same_person(member, writer) for member in signers):
        raise FindingSignersError("chair-is-author", "the chair who signed is the author")
    return signers


def _find_member(signature: Signature, charter: Charter) -> Member:
    for member in charter.members:
        if (member.verifier.name, member.verifier.key_id) == (signature.name, signature.key_id):
            return member
    raise FindingSignersError("stranger", f"the signer {signature.name}+{signature.key_id} is not in the charter")


def _check_signatures(note: Note, signers: tuple[Member, ...]) -> None:
    message = note.text.encode("utf-8")
    wrong = []
    for member, signature in zip(signers, note.signatures, strict=True):
        try:
            member.verifier.check(message, signature.data)
        except AuthenticationError:
            wrong.append(member.verifier.name)
    if wrong and len(wrong) == len(signers):
        raise FindingSignersError("text", "no signature matches the text: it was altered after it was signed")
    if wrong:
        raise FindingSignersError("signature", f"the signature of {', '.join(wrong)} does not match")


def _check_people(signers: tuple[Member, ...], day: date) -> None:
    if len(signers) < SIGNERS_MIN:
        raise FindingSignersError("too-few", f"signed by fewer than {SIGNERS_MIN} members")
    for at, member in enumerate(signers):
        if any(_is_same_person(member, other) for other in signers[:at]):
            raise FindingSignersError("one-person", f"{member.verifier.name} is another key of the same person")
        if not member.is_member_on(day):
            raise FindingSignersError("not-in-force", f"{member.verifier.name} was not a member on the finding's day")
        if not set(member.roles) & set(ROLES):
            raise FindingSignersError("role", f"{member.verifier.name} is neither chair nor publisher")


def _is_same_person(one: Member, other: Member) -> bool:
    """Whether two members are one person: of a charter that is read, keys and labels are unique, names need not be."""
    return one.label == other.label or same_person(one.name, other.name)
