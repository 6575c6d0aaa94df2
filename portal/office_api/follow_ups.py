# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follow-ups on their way to the offices (docs/protocol.md §9.3, §10). One goes when the office has named it, and after
the grace: never by a number up to which."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto.charter import Charter
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.follow_up_receipt import read_follow_up_receipt
from portal.api.refusals import Refusal
from portal.kit.columns import readable
from portal.office_api.listing import PAGE, first_page
from portal.storage.database import transaction
from portal.storage.office_days import first_day_of_grace
from portal.storage.records import FollowUpRecord


@dataclass(frozen=True)
class FollowUps:
    """The follow-ups of all commissions, each for its own offices."""

    realm: str
    clock: Callable[[], datetime]

    async def listing(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of the follow-ups after a sequence, confirmed ones too."""
        query = FollowUpRecord.filter(slug=slug, sequence__gt=after).order_by("sequence").limit(PAGE + 1)
        rows = await query.values("sequence", "submission", "sealed", "day")
        page, more = first_page(rows, lambda row: len(row["sealed"]))
        # Better a message of today than none: the day in it is sealed and its own.
        today = self.clock().date()
        days = (readable(row["day"], today).isoformat() for row in page)
        listed = [
            {**row, "sealed": encode_base64(bytes(row["sealed"])), "day": day}
            for row, day in zip(page, days, strict=True)
        ]
        return {"follow_ups": listed, "more": more}

    async def confirm(self, charter: Charter, note: bytes) -> None:
        """Let the grace run for the follow-ups that a receipt names, of this commission; a repeat changes nothing.

        Raises Refusal ``malformed-request`` unless an office key of ``charter``, the newest, signed it for this portal.
        """
        try:
            receipt = read_follow_up_receipt(note, charter.office)
        except CryptoError:
            raise Refusal("malformed-request") from None
        if receipt.realm != self.realm:
            raise Refusal("malformed-request")
        held_since = await first_day_of_grace(self.clock().date(), receipt.held)
        delete_from = held_since + timedelta(days=charter.grace_days)
        waiting = FollowUpRecord.filter(slug=charter.slug, message__in=receipt.messages, delete_from=None)
        # One message may have been sent to any number of mailboxes.
        while found := await waiting.limit(PAGE).values_list("sequence", flat=True):
            async with transaction():
                await FollowUpRecord.filter(sequence__in=found, delete_from=None).update(delete_from=delete_from)
