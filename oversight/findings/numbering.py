# SPDX-License-Identifier: AGPL-3.0-or-later
"""The number that a finding will have in the register, and whether a text still has the right one."""

import asyncio
from datetime import date, timedelta

from crypto.charter import Charter
from crypto.finding import FindingDraft, finding_id
from crypto.ids import FindingId
from oversight.findings.records import PublicationRecord
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalError

ASK_SECONDS_MAX = 8.0
# The portal takes a text for 30 days after its day; signing and deciding take some of them.
DAYS_MAX = 20


async def next_id(client: PortalClient) -> FindingId | None:
    """The id of the commission's next finding, None while the portal does not answer, or names one that was published.

    So a register does that was restored from a backup, until the collector has brought it what it lost.
    """
    try:
        async with asyncio.timeout(ASK_SECONDS_MAX):
            following = await client.next_finding()
    except (PortalError, TimeoutError):
        return None
    return None if await PublicationRecord.filter(finding=following).exclude(receipt=None).exists() else following


async def provisional_id(charter: Charter, year: int) -> FindingId:
    """What the number will be as far as this office knows, for a text that is not signed yet."""
    ours = {row.finding for row in await PublicationRecord.filter(finding__contains=f":{year:04}:").only("finding")}
    return finding_id(charter.slug, year, len(ours) + 1)


def out_of_date(draft: FindingDraft, charter: Charter, today: date, identifier: FindingId | None) -> str:
    """Why a text can't be signed as it stands; ``""`` if it can.

    ``charter``: another one is in force. ``day``: its day is too long ago, or not of this year. ``number``: it is taken
    in the register. ``portal``: nobody knows, for the portal does not answer. A later revision keeps its number.
    """
    if draft.charter != charter.hash:
        return "charter"
    if draft.day > today or draft.day < today - timedelta(days=DAYS_MAX):
        return "day"
    if draft.revision > 1:
        return ""
    if draft.day.year != today.year:
        return "day"
    if identifier is None:
        return "portal"
    return "" if draft.id == identifier else "number"
