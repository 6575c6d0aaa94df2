# SPDX-License-Identifier: AGPL-3.0-or-later
"""The end of the ceremony: members and charter into the database at once, then the charter to the portal."""

from pathlib import Path

from crypto.charter import Charter, read_charter
from oversight.commission.keys import second_factor_key
from oversight.commission.records import CharterRecord
from oversight.founding.ceremony import Ceremony
from oversight.founding.founding_draft import forget_setup
from oversight.founding.records import FoundingRecord
from oversight.members.records import MemberRecord
from oversight.members.second_factor import seal_secret
from oversight.wire.portal_client import PortalClient
from portal.kit.database import transaction


async def waiting_charter() -> Charter | None:
    """Return the first charter, if it is signed and stored and the portal has not accepted it yet."""
    record = await CharterRecord.filter(published=False).order_by("-number").first()
    return None if record is None else read_charter(record.note)


async def keep(charter: Charter, ceremony: Ceremony, secrets_folder: Path) -> None:
    """Everything or nothing: the members' accounts, the charter, and the draft's end.

    Afterwards no key of a member is in the database but under the member's passphrase.
    """
    factor_key = second_factor_key(secrets_folder)
    async with transaction():
        for member in ceremony.plan.members:
            account = ceremony.accounts[member.label]
            await MemberRecord.create(
                label=member.label,
                name=member.name,
                username=member.username,
                key_name=f"{charter.slug}/{member.label}",
                roles=list(member.roles),
                keyring=account.sealed_keyring,
                second_factor=seal_secret(factor_key, account.totp_secret, member.label),
                locale=member.locale,
            )
        await CharterRecord.create(hash=charter.hash, number=charter.number, note=charter.note, published=False)
        await FoundingRecord.all().delete()


async def publish(charter: Charter, client: PortalClient, invitation: str, secrets_folder: Path) -> None:
    """Send the stored charter to the portal; with its answer the commission is founded.

    Raises PortalError, and everything stays stored: the same note can be sent again, even when the portal had taken it
    and its answer was lost.
    """
    await client.post_charter(charter.note, invitation)
    await CharterRecord.filter(hash=charter.hash).update(published=True)
    forget_setup(secrets_folder)


async def start_over() -> None:
    """Drop a founding that the portal has not taken: every sheet and share of it is worthless afterwards."""
    async with transaction():
        if await CharterRecord.filter(published=True).exists():
            return
        await MemberRecord.all().delete()
        await CharterRecord.all().delete()
        await FoundingRecord.all().delete()
