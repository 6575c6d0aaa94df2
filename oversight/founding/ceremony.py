# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ceremony: keys of the members, the reserve and its shares, the first charter.

- A member's passphrase exists on the sheet alone. Showing the sheet makes it; showing it again makes another one.
- The reserve's seed is forgotten as soon as it is split; its shares are forgotten once they were put together again.
- The charter is signed once. After that, the same note is sent to the portal every time.

A ceremony is a value: each step gives the next one, which the caller keeps (sealed) before it shows anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from crypto.age import PqIdentity, PqRecipient
from crypto.charter import (
    Charter,
    CharterDraft,
    Governors,
    Limits,
    Member,
    Reserve,
    make_charter,
    read_charter,
)
from crypto.errors import AuthenticationError
from crypto.ids import MemberLabel
from crypto.keyring import Keyring, new_passphrase
from crypto.note import SigningKey, VerifierKey, sign
from crypto.questionnaire import read_questionnaire
from crypto.quorum import ShareError, recombine_reserve, split_reserve
from oversight.founding.plan import Plan, PlannedMember
from oversight.members.second_factor import new_secret

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Account:
    """What the office keeps of a member's sheet: the keyring under its passphrase, and the second factor's secret."""

    sealed_keyring: bytes
    totp_secret: str = field(repr=False)


@dataclass(frozen=True)
class Sheet:
    """The sheet that a member takes home, the only place of the passphrase."""

    member: PlannedMember
    passphrase: str = field(repr=False)
    totp_secret: str = field(repr=False)


@dataclass(frozen=True)
class Shares:
    """The reserve: its recipient, how many shares open it, and the shares until they were tested."""

    recipient: PqRecipient
    threshold: int
    count: int
    mnemonics: tuple[str, ...] = field(repr=False)

    @property
    def tested(self) -> bool:
        return not self.mnemonics


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
    questionnaire: Any


@dataclass(frozen=True)
class Ceremony:
    """How far a founding is, with every key that it still needs."""

    plan: Plan
    keyrings: Mapping[str, Keyring] = field(default_factory=dict, repr=False)
    accounts: Mapping[str, Account] = field(default_factory=dict, repr=False)
    shares: Shares | None = None
    shown_shares: frozenset[int] = frozenset()

    @property
    def sheets_done(self) -> bool:
        return all(member.label in self.accounts for member in self.plan.members)

    @property
    def shares_done(self) -> bool:
        return self.shares is not None and self.shares.tested


def with_plan(ceremony: Ceremony, plan: Plan) -> Ceremony:
    """The same ceremony for a changed plan: keys of people who are no longer in it are dropped."""
    labels = {member.label for member in plan.members if member == ceremony.plan.member(member.label)}
    return replace(
        ceremony,
        plan=plan,
        keyrings={label: keyring for label, keyring in ceremony.keyrings.items() if plan.member(label)},
        accounts={label: account for label, account in ceremony.accounts.items() if label in labels},
    )


def make_sheet(
    ceremony: Ceremony, member: PlannedMember, seal: Callable[[Keyring, str, str], bytes], random: Random
) -> tuple[Ceremony, Sheet]:
    """A fresh passphrase and second factor for a member; the keys are made at the first time and stay the same.

    ``seal`` is ``crypto.keyring.seal_keyring``, with the costs that the office uses.
    """
    keyring = ceremony.keyrings.get(member.label) or Keyring.generate(random)
    sheet = Sheet(member, new_passphrase(random), new_secret())
    account = Account(seal(keyring, sheet.passphrase, member.label), sheet.totp_secret)
    following = replace(
        ceremony,
        keyrings={**ceremony.keyrings, member.label: keyring},
        accounts={**ceremony.accounts, member.label: account},
    )
    return following, sheet


def make_shares(ceremony: Ceremony, random: Random) -> Ceremony:
    """A fresh reserve in shares. Its seed is forgotten when this returns; earlier shares open nothing."""
    plan = ceremony.plan
    seed = random(32)
    mnemonics = split_reserve(seed, plan.reserve_threshold, plan.reserve_shares)
    check_subsets(seed, mnemonics, plan.reserve_threshold)
    recipient = PqIdentity.from_seed(seed).recipient()
    shares = Shares(recipient, plan.reserve_threshold, plan.reserve_shares, tuple(mnemonics))
    return replace(ceremony, shares=shares, shown_shares=frozenset())


def check_subsets(seed: bytes, mnemonics: Sequence[str], threshold: int) -> None:
    """That every share opens the reserve together with its neighbours, and that too few shares don't.

    Raises AuthenticationError. Each share is in at least one of the subsets that are tried.
    """
    count = len(mnemonics)
    for start in range(count):
        subset = [mnemonics[(start + offset) % count] for offset in range(threshold)]
        if recombine_reserve(subset) != seed:
            raise AuthenticationError("the shares of the reserve do not give it back")
    try:
        recombine_reserve(mnemonics[: threshold - 1])
    except ShareError:
        return
    raise AuthenticationError("fewer shares than required open the reserve")


def prove_shares(ceremony: Ceremony, typed: Sequence[str]) -> Ceremony:
    """What people typed from paper must give back the reserve; then the shares are forgotten here.

    Raises ShareError, naming the share that is wrong, or AuthenticationError when they are of another reserve.
    """
    assert ceremony.shares is not None
    seed = recombine_reserve(typed)
    if PqIdentity.from_seed(seed).recipient() != ceremony.shares.recipient:
        raise AuthenticationError("these are shares of another reserve")
    return replace(ceremony, shares=replace(ceremony.shares, mnemonics=()))


def sign_charter(ceremony: Ceremony, terms: Terms, today: date) -> Charter:
    """The first charter, signed by all governors, valid from ``today`` and read back as everyone will read it.

    Raises CryptoError when a reader would refuse it.
    """
    text = make_charter(_draft(ceremony, terms, today))
    signers = [_signing_key(ceremony, label) for label in ceremony.plan.governors]
    charter = read_charter(sign(text, signers).encode())
    charter.check_day(today)
    return charter


def member_entry(ceremony: Ceremony, member: PlannedMember, since: date) -> Member:
    """The member as the charter will name them."""
    keyring = ceremony.keyrings[member.label]
    recipient = keyring.identity.recipient()
    verifier = _signing_key(ceremony, member.label).verifier
    label = MemberLabel(member.label)
    return Member(label, member.name, member.roles, recipient, verifier, since, None)


def _draft(ceremony: Ceremony, terms: Terms, today: date) -> CharterDraft:
    plan = ceremony.plan
    assert ceremony.shares is not None
    governors = tuple(_signing_key(ceremony, label).verifier for label in plan.governors)
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
        members=tuple(member_entry(ceremony, member, today) for member in plan.members),
        reserve=Reserve(ceremony.shares.recipient, ceremony.shares.threshold, ceremony.shares.count),
        slots=plan.slots,
        office=(terms.office,),
        questionnaire=read_questionnaire(_only_languages(terms.questionnaire, plan.languages), plan.languages),
        grace_days=plan.grace_days,
        reply_days=plan.reply_days,
        limits=Limits(plan.attachments, plan.attachment_bytes),
        staffed_always=False,
    )


def _signing_key(ceremony: Ceremony, label: str) -> SigningKey:
    return SigningKey.from_seed(f"{ceremony.plan.slug}/{label}", ceremony.keyrings[label].signing_seed)


def _only_languages(value: Any, languages: tuple[str, ...]) -> Any:
    """The questionnaire with its texts by language cut down to ``languages``."""
    if isinstance(value, list):
        return [_only_languages(item, languages) for item in value]
    if not isinstance(value, dict):
        return value
    if set(languages) <= set(value):
        return {language: value[language] for language in languages}
    return {name: _only_languages(item, languages) for name, item in value.items()}
