# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight found``: a founding in one sitting, from a founding file. For demonstrations and tests.

It gives up what a founding on pages is for: one person at one machine makes every member's keys, sees every passphrase
and every share, signs for all governors, and has them in files until these are destroyed. It says so.

Killed at any point it can be run again: until members and charter are stored, which happens at once, everything is made
again and the sheets are rewritten; from then on the same charter is sent.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from crypto.age import PqIdentity
from crypto.charter import Charter, Reserve, make_charter, read_charter
from crypto.fingerprint import member_fingerprint
from crypto.keyring import DEFAULT, Keyring, Parameters, new_passphrase
from crypto.note import Note, SigningKey, sign
from crypto.quorum import split_reserve
from oversight.commission.charters import current_charter, is_founded
from oversight.commission.keys import OfficeKeys, OfficeSafe
from oversight.commission.records import CharterRecord
from oversight.founding.charter_draft import PublicKeys, Terms, draft_charter, key_name, member_entry
from oversight.founding.founding import Draft, Founding, FoundingReserve
from oversight.founding.founding_draft import FoundingDraft
from oversight.founding.plan import Plan, PlanError, default_questionnaire
from oversight.founding.reserve import check_subsets
from oversight.founding.sheets import (
    MemberSheet,
    ShareSheet,
    Sheet,
    remove_sheets,
    write_member_sheet,
    write_share_sheet,
)
from oversight.founding.store import Secrets, publish, store_account, waiting_charter
from oversight.members.accounts import Derivations
from oversight.members.records import MemberRecord
from oversight.members.second_factor import new_secret
from oversight.settings import Settings
from oversight.wire.portal_client import PortalClient
from portal.kit.database import transaction

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Founded:
    """What a run of the command made. ``sheets`` is empty when only the sending had been left to do."""

    charter: Charter
    sheets: Mapping[str, Sheet] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class OneSitting:
    """Everything that one sitting makes: keys and sheets by label, the shares of the reserve and its recipient."""

    plan: Plan
    keyrings: Mapping[str, Keyring] = field(repr=False)
    sheets: Mapping[str, Sheet] = field(repr=False)
    mnemonics: tuple[str, ...] = field(repr=False)
    reserve: Reserve

    @property
    def public_keys(self) -> dict[str, PublicKeys]:
        return {label: PublicKeys.of(keyring) for label, keyring in self.keyrings.items()}


async def found(  # noqa: PLR0913 - each stands for one thing that the sitting needs
    plan: Plan,
    *,
    settings: Settings,
    safe: OfficeSafe,
    client: PortalClient,
    invitation: str,
    out: Path,
    today: date,
    parameters: Parameters = DEFAULT,
) -> Founded:
    """Found the commission, or finish a founding that was broken off. The database is that of the running task.

    Raises PlanError when people have made keys on the pages; CryptoError when the plan gives no charter; PortalError
    when the portal can't be reached or refuses, with everything kept if the charter was signed before.
    """
    if await is_founded():
        return Founded(await current_charter())
    charter = await waiting_charter()
    sheets: Mapping[str, Sheet] = {}
    if charter is None:
        if await MemberRecord.exists():
            raise PlanError("a founding is under way on the pages: go on there, or use start-over first")
        office = OfficeKeys.generate()
        info = await client.portal_info()
        key, urgency = office.signing_key(plan.slug).verifier, office.urgency_identity.recipient()
        terms = Terms(info.origin, info.realm, info.verifier, key, urgency, default_questionnaire())
        sitting = sit(plan, secrets.token_bytes)
        charter = sign_charter(sitting, terms, today)
        write_sheets(sitting, out, settings.own_origin, today)
        await keep(sitting, charter, office, safe, Derivations(parameters))
        sheets = sitting.sheets
    await publish(charter, plan, client, invitation)
    return Founded(charter, sheets)


def sit(plan: Plan, random: Random) -> OneSitting:
    """Make every key, every passphrase and the reserve."""
    seed = random(32)
    mnemonics = split_reserve(seed, plan.reserve_threshold, plan.reserve_shares)
    check_subsets(seed, mnemonics, plan.reserve_threshold)
    reserve = Reserve(PqIdentity.from_seed(seed).recipient(), plan.reserve_threshold, plan.reserve_shares)
    keyrings = {member.label: Keyring.generate(random) for member in plan.members}
    sheets = {member.label: Sheet(member, new_passphrase(random), new_secret()) for member in plan.members}
    return OneSitting(plan, keyrings, sheets, tuple(mnemonics), reserve)


def sign_charter(sitting: OneSitting, terms: Terms, today: date) -> Charter:
    """Charter 1, signed by all governors, valid from ``today`` and read back as everyone will read it.

    Raises CryptoError when a reader would refuse it.
    """
    plan = sitting.plan
    text = make_charter(draft_charter(plan, sitting.public_keys, sitting.reserve, terms, today))
    signers = [
        SigningKey.from_seed(key_name(plan, label), sitting.keyrings[label].signing_seed) for label in plan.governors
    ]
    charter = read_charter(sign(text, signers).encode())
    charter.check_day(today)
    return charter


async def keep(
    sitting: OneSitting, charter: Charter, office: OfficeKeys, safe: OfficeSafe, derivations: Derivations
) -> None:
    """Everything or nothing: the members' accounts, the office's keys sealed to them, the charter."""
    recipients = [member.recipient for member in charter.members]
    async with transaction():
        for label, sheet in sitting.sheets.items():
            sealed = await derivations.seal(sitting.keyrings[label], sheet.passphrase, label)
            await store_account(sheet.member, Secrets(sealed, sheet.totp_secret), office.record_key)
        await CharterRecord.create(hash=charter.hash, number=charter.number, note=charter.note, published=False)
        await FoundingDraft.begin(office.record_key).save(as_founding(sitting, charter))
        safe.write(office, recipients)


def as_founding(sitting: OneSitting, charter: Charter) -> Founding:
    """The same as it would stand on the pages, where it can be sent too."""
    plan, note = sitting.plan, charter.note.decode()
    reserve = FoundingReserve(
        str(sitting.reserve.recipient), plan.reserve_threshold, plan.reserve_shares, on_paper=True
    )
    draft = Draft(Note.parse(charter.note).text, plan.governors, note)
    return Founding(plan, plan.governors[0], sitting.public_keys, {}, reserve, draft)


def write_sheets(sitting: OneSitting, out: Path, address: str, today: date) -> None:
    """A page for each member and for each share, to be printed."""
    plan = sitting.plan
    remove_sheets(out)
    for member in plan.members:
        entry = member_entry(plan, member, sitting.public_keys[member.label], today)
        write_member_sheet(out, MemberSheet(sitting.sheets[member.label], member_fingerprint(entry), address))
    for mnemonic in sitting.mnemonics:
        write_share_sheet(out, ShareSheet(mnemonic, len(sitting.mnemonics)), plan.members[0].locale)
