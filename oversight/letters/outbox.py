# SPDX-License-Identifier: AGPL-3.0-or-later
"""Letters on their way out. A letter's id is the hash of its sealed bytes: posting again never makes two of one."""

from oversight.letters.records import ReplyRecord
from oversight.wire.outbox import Outbox
from oversight.wire.portal_client import PortalClient

# Refusals that this letter will get every time.
FINAL_REFUSALS = frozenset({"too-large", "not-found", "not-sealed", "malformed-request", "not-your-commission"})


async def _post(client: PortalClient, reply: ReplyRecord) -> None:
    await client.post_reply(reply.submission, bytes(reply.sealed))


LETTERS = Outbox(ReplyRecord, _post, FINAL_REFUSALS)
