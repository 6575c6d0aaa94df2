# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a founding leaves in the database: members' accounts as they join, the charter when the portal has taken it."""

import asyncio
from dataclasses import dataclass, field

from crypto.charter import Charter, read_charter
from crypto.ids import MemberLabel
from oversight.commission.keys import OfficeKeys, OfficeSafe
from oversight.commission.records import CharterRecord
from oversight.founding.founding import Founding
from oversight.founding.founding_draft import FoundingChangedError, FoundingDraft
from oversight.founding.plan import Plan, PlannedMember
from oversight.founding.records import FoundingRecord
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.second_factor import seal_secret
from oversight.wire.portal_client import PortalClient
from portal.kit.database import forget_deleted, transaction


class PortalChangedError(Exception):
    """The portal is not the one that the charter names: it was set up anew, or somebody else answers."""


@dataclass(frozen=True)
class Secrets:
    """A new member's secrets as the office keeps them, and the time step of the code that proved the second factor."""

    sealed_keyring: bytes
    totp_secret: str = field(repr=False)
    last_step: int = 0


async def store_account(member: PlannedMember, own: Secrets, record_key: bytes) -> MemberRecord:
    """The account of a member who has just made their keys; an earlier one of that label is replaced."""
    await drop_account(member.label)
    return await MemberRecord.create(
        label=MemberLabel(member.label),
        name=member.name,
        username=member.username,
        key_name="",
        roles=list(member.roles),
        keyring=own.sealed_keyring,
        second_factor=seal_secret(record_key, own.totp_secret, member.label),
        last_step=own.last_step,
        locale=member.locale,
    )


async def keep_members(draft: FoundingDraft, founding: Founding, safe: OfficeSafe, office: OfficeKeys) -> None:
    """Keep a state in which other people have keys, and seal the office's keys to these and to nobody else.

    Within a transaction, whose accounts are to stand and fall with it. Raises FoundingChangedError, OSError.
    """
    await draft.save(founding)
    await asyncio.to_thread(safe.write, office, founding.recipients)


async def drop_account(label: str) -> None:
    """Delete a member's account and sessions."""
    await SessionRecord.filter(member__label=label).delete()
    await MemberRecord.filter(label=label).delete()


async def waiting_charter() -> Charter | None:
    """The signed charter, if it was sent to the portal and the answer was lost."""
    record = await CharterRecord.filter(published=False).order_by("-number").first()
    return None if record is None else read_charter(bytes(record.note))


async def publish(
    charter: Charter, plan: Plan, client: PortalClient, invitation: str, draft: FoundingDraft | None = None
) -> None:
    """Send the charter to the portal; with its answer the commission is founded, and the founding is forgotten.

    The charter is stored before it is sent. When the answer is lost, PortalError is raised and the same note is sent
    again later, even if the portal had taken it; it stays stored too when PortalRefused is raised. A portal that shows
    another key, realm or origin than the charter names is not sent anything: then PortalChangedError. Nor is anything
    sent when ``draft``, of which the charter was read, is not what is kept any more: then FoundingChangedError, which
    is raised too if somebody has started over by the time the portal answers.
    """
    info = await client.portal_info()
    if (info.verifier, info.realm, info.origin) != (charter.portal, charter.realm, charter.origin):
        raise PortalChangedError
    async with transaction():
        if draft is not None:
            # Kept once more: whoever has read it before, and finds it wrong only now, is told to look again.
            await draft.save(draft.founding)
        await _store(charter)
    await client.post_charter(charter.note, invitation)
    async with transaction():
        for member in plan.members:
            if not await MemberRecord.filter(label=member.label).update(
                key_name=f"{charter.slug}/{member.label}", name=member.name, roles=list(member.roles)
            ):
                # Somebody has started over meanwhile, and nobody has keys of this charter.
                raise FoundingChangedError
        # Again: somebody who sent it at the same time may have been refused.
        await _store(charter)
        await CharterRecord.filter(hash=charter.hash).update(published=True)
        await FoundingRecord.all().delete()
    await forget_deleted()


async def forget_waiting(charter: Charter) -> None:
    """The portal has refused it: it can be sent again from the draft, or the draft can be taken back."""
    await CharterRecord.filter(hash=charter.hash, published=False).delete()


async def _store(charter: Charter) -> None:
    await CharterRecord.get_or_create(
        {"number": charter.number, "note": charter.note, "published": False}, hash=charter.hash
    )


async def start_over(safe: OfficeSafe) -> bool:
    """Drop a founding that the portal has not taken: every key, link and paper of it is worthless afterwards.

    Returns whether there was nothing in the way: a founded commission stays.
    """
    async with transaction():
        if await CharterRecord.exclude(published=False).exists():
            return False
        await SessionRecord.all().delete()
        await MemberRecord.all().delete()
        await CharterRecord.all().delete()
        await FoundingRecord.all().delete()
    await forget_deleted()
    safe.forget()
    return True
