# SPDX-License-Identifier: AGPL-3.0-or-later
"""What charter 1 says: a plan, the public keys of its people, the reserve, and what portal and office add."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crypto.age import PqRecipient
from crypto.charter import CharterDraft, Governors, Limits, Member, Reserve
from crypto.encoding import decode_base64, encode_base64
from crypto.ids import MemberLabel
from crypto.keyring import KEY_BYTES, Keyring
from crypto.note import SigningKey, VerifierKey
from crypto.questionnaire import read_questionnaire
from oversight.founding.plan import Plan, PlannedMember


@dataclass(frozen=True)
class PublicKeys:
    """The public halves of a member's keys: the age recipient, and the Ed25519 key (32 bytes) in base64."""

    recipient: str
    verifier: str

    @classmethod
    def of(cls, keyring: Keyring) -> "PublicKeys":
        signing = SigningKey.from_seed("member", keyring.signing_seed)
        return cls(str(keyring.identity.recipient()), encode_base64(signing.verifier.public))


@dataclass(frozen=True)
class Terms:
    """What the charter says beside what people decide.

    ``questionnaire`` is the object of docs/protocol.md §4.3. Its texts in languages that the commission does not have
    are left out.
    """

    origin: str
    realm: str
    portal: VerifierKey
    office: VerifierKey
    urgency: PqRecipient
    questionnaire: Any


def key_name(plan: Plan, label: str) -> str:
    return f"{plan.slug}/{label}"


def verifier_of(plan: Plan, label: str, keys: PublicKeys) -> VerifierKey:
    return VerifierKey(key_name(plan, label), decode_base64(keys.verifier, KEY_BYTES))


def member_entry(plan: Plan, member: PlannedMember, keys: PublicKeys, since: date) -> Member:
    """The member as the charter will name them."""
    recipient = PqRecipient.from_string(keys.recipient)
    verifier = verifier_of(plan, member.label, keys)
    return Member(MemberLabel(member.label), member.name, member.roles, recipient, verifier, since, None)


def draft_charter(
    plan: Plan, keys: Mapping[str, PublicKeys], reserve: Reserve, terms: Terms, today: date
) -> CharterDraft:
    """What charter 1 says, valid from ``today``."""
    governors = tuple(verifier_of(plan, label, keys[label]) for label in plan.governors)
    return CharterDraft(
        slug=plan.slug,
        name=plan.name,
        mandate=plan.mandate,
        jurisdictions=plan.jurisdictions,
        number=1,
        previous=None,
        origin=terms.origin,
        realm=terms.realm,
        portal=terms.portal,
        languages=plan.languages,
        valid_from=today,
        valid_until=today + timedelta(days=plan.days_valid - 1),
        governors=Governors(plan.governors_threshold, governors),
        members=tuple(member_entry(plan, member, keys[member.label], today) for member in plan.members),
        reserve=reserve,
        slots=plan.slots,
        office=(terms.office,),
        urgency=(terms.urgency,),
        questionnaire=read_questionnaire(_only_languages(terms.questionnaire, plan.languages), plan.languages),
        grace_days=plan.grace_days,
        reply_days=plan.reply_days,
        limits=Limits(plan.attachments, plan.attachment_bytes),
        staffed_always=False,
    )


def _only_languages(value: Any, languages: tuple[str, ...]) -> Any:
    """The questionnaire with its texts by language cut down to ``languages``."""
    if isinstance(value, list):
        return [_only_languages(item, languages) for item in value]
    if not isinstance(value, dict):
        return value
    if set(languages) <= set(value):
        return {language: value[language] for language in languages}
    return {name: _only_languages(item, languages) for name, item in value.items()}
