# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal holds for a commission, for an office that compares it with what it holds itself
(docs/protocol.md §10.2): every report that was ever accepted and not forgotten since, also those that were deleted."""

from dataclasses import dataclass
from typing import Any

from crypto.encoding import encode_base64
from crypto.ids import SubmissionId
from portal.kit.columns import readable
from portal.office_api.own import own_submission
from portal.storage.records import MailboxRecord, SubmissionRecord, ThreadRecord

HOLDINGS_PAGE = 1000


@dataclass(frozen=True)
class Holdings:
    """The holdings of all commissions, each for its own offices."""

    async def listing(self, slug: str, after: int) -> dict[str, Any]:
        """Return a page of the submissions after a sequence, and how far each of their threads is."""
        query = SubmissionRecord.filter(slug=slug, sequence__gt=after).order_by("sequence").limit(HOLDINGS_PAGE + 1)
        rows = await query.values("sequence", "submission", "manifest_sha256", "deleted", "collection")
        page = rows[:HOLDINGS_PAGE]
        named = [row["submission"] for row in page]
        told = dict(await MailboxRecord.filter(submission__in=named).values_list("submission", "told"))
        threads = ThreadRecord.filter(submission__in=named)
        far = {row[0]: row[1:] for row in await threads.values_list("submission", "note_number", "last_reply")}
        listed = [_entry(row, told.get(row["submission"], 0), *far.get(row["submission"], (0, 0))) for row in page]
        return {"holdings": listed, "more": len(rows) > HOLDINGS_PAGE}

    async def mailbox(self, slug: str, submission: SubmissionId) -> dict[str, Any]:
        """What an office needs to announce the mailbox again, should this portal lose it; no state of a closed one.

        Raises Refusal ``not-found`` or ``not-your-commission``.
        """
        row = await own_submission(slug, submission, "acknowledgement", "collection")
        mailbox = await MailboxRecord.get_or_none(submission=submission)
        is_open = mailbox is not None and bool(mailbox.state)
        return {
            "acknowledgement": row.acknowledgement,
            "collection": row.collection,
            "told": readable(mailbox.told, 0) if mailbox else 0,
            "state": encode_base64(bytes(mailbox.state)) if mailbox and is_open else None,
            "control": mailbox.command if mailbox and is_open else None,
        }


def _entry(row: dict[str, Any], told: int, thread: int, last: int) -> dict[str, Any]:
    return {
        "sequence": row["sequence"],
        "submission": row["submission"],
        "manifest": row["manifest_sha256"],
        "collected": row["collection"] is not None,
        "deleted": readable(row["deleted"], False) is True,
        "told": readable(told, 0),
        "thread": readable(thread, 0),
        "last": readable(last, 0),
    }
