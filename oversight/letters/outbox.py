# SPDX-License-Identifier: AGPL-3.0-or-later
"""Replies on their way out: whatever was sent while the portal could not be reached is posted later, once.

A reply's id is the hash of its sealed bytes, and the portal answers a repeat like the first time, so that posting
again after a crash never makes two letters of one.
"""

from datetime import date

from oversight.letters.records import ReplyRecord
from oversight.wire.portal_client import PortalClient, PortalRefused

# Refusals that this letter will get every time. Any other one may pass, and the letter waits.
FINAL_REFUSALS = frozenset({"too-large", "not-found", "not-sealed", "malformed-request", "not-your-commission"})


async def post_waiting(client: PortalClient, today: date) -> int:
    """Post what waits, oldest first; how many went out.

    Raises PortalUnreachable, and PortalRefused when the portal refuses for a reason that may pass; the rest then waits.
    """
    posted = 0
    for reply in await ReplyRecord.filter(posted_on=None, refused=None).order_by("number"):
        posted += await post_one(client, reply, today)
    return posted


async def post_one(client: PortalClient, reply: ReplyRecord, today: date) -> bool:
    """Post one reply; False when the portal refused it for good, which its row then says."""
    try:
        await client.post_reply(reply.submission, reply.sealed)
    except PortalRefused as error:
        if error.code not in FINAL_REFUSALS:
            raise
        reply.refused = error.code
        await reply.save(update_fields=["refused"])
        return False
    reply.posted_on = today
    await reply.save(update_fields=["posted_on"])
    return True
