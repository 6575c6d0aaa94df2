# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's queries for submissions."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from crypto.ids import SubmissionId
from portal.kit.columns import UnreadableError, is_unset, readable
from portal.storage.batches import is_over
from portal.storage.blobs import Part
from portal.storage.database import connection
from portal.storage.records import MailboxRecord, SubmissionRecord
from portal.storage.weights import ROW_BYTES

_REPLIES = """
    SELECT submission.slug AS slug, COUNT(*) AS count, SUM(LENGTH(reply.sealed)) AS sealed
    FROM reply JOIN submission ON submission.submission = reply.submission GROUP BY submission.slug
"""


_ID = re.compile(r"[0-9a-f]{32}")


def is_id(text: str) -> bool:
    """Whether this is the id of a submission that there may be: no address leads elsewhere by it, and no path."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Accepted:
    """The permanent record of a submission, so that a repeat gets the same answer."""

    manifest_sha256: str
    acknowledgement: str


async def find_accepted(submission: SubmissionId) -> Accepted | None:
    """What was accepted under this id."""
    rows = await SubmissionRecord.filter(submission=submission).values_list("manifest_sha256", "acknowledgement")
    return Accepted(*rows[0]) if rows else None


async def is_accepted(submission: SubmissionId) -> bool:
    return await SubmissionRecord.filter(submission=submission).exists()


async def first_to(mailbox: str) -> MailboxRecord | None:
    """The mailbox as the first submission to it made it. It counts for all that were sent to it.

    No other one is read: their number is up to whoever sends them. All have the same token, which the id commits to.
    """
    return await MailboxRecord.filter(mailbox=mailbox).order_by("sequence").first()


async def find_mailbox(mailbox: str, token_sha256: str) -> MailboxRecord | None:
    """Return the mailbox of this id if it is open and the token matches."""
    row = await first_to(mailbox)
    if row is None or _is_closed(row):
        return None
    return row if hmac.compare_digest(row.token_sha256.encode(), token_sha256.encode()) else None


async def is_closed(submission: SubmissionId) -> bool:
    """Whether the mailbox of a submission is closed, though its own row may not be yet."""
    own = await MailboxRecord.filter(submission=submission).first().only("sequence", "mailbox")
    if own is None:
        return False
    first = MailboxRecord.filter(mailbox=own.mailbox).order_by("sequence").first()
    row = await first.only("sequence", "closed", "state_sha256")
    return row is not None and _is_closed(row)


def _is_closed(row: MailboxRecord) -> bool:
    # A closed one has no state.
    return readable(row.closed, not row.state_sha256)


def encode_parts(parts: Mapping[str, Sequence[str]]) -> bytes:
    """Return the column ``parts``: names of the stored parts by file."""
    return json.dumps({file: list(names) for file, names in parts.items()}).encode("ascii")


def decode_parts(column: bytes) -> dict[str, list[str]]:
    """Raises UnreadableError."""
    try:
        return msgspec.json.decode(column, type=dict[str, list[str]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableError from None


async def due_for_deletion(slug: str, day: date, after: int, limit: int) -> list[SubmissionRecord]:
    """Return a commission's collected submissions after a sequence whose grace is over on a day."""
    due = SubmissionRecord.filter(is_over(day), is_unset("deleted"), slug=slug, sequence__gt=after)
    due = due.order_by("sequence").limit(limit)
    return await due.only("sequence", "submission")


async def accepted_weights() -> dict[SubmissionId, int]:
    """What the attachments of each submission weigh that has any (``weights``)."""
    weighed = SubmissionRecord.filter(attachment_bytes__gt=0).values_list("submission", "attachment_bytes")
    return {SubmissionId(str(submission)): readable(weight, 0) for submission, weight in await weighed}


async def reply_weights() -> dict[str, int]:
    """What the replies of each commission weigh, by its short name."""
    rows = await connection().execute_query_dict(_REPLIES)
    return {row["slug"]: int(row["count"]) * ROW_BYTES + int(row["sealed"]) for row in rows}


async def unnamed(submission: SubmissionId, parts: Sequence[Part]) -> list[Part]:
    """Those of these stored parts that no accepted submission names: all of them if this one was not accepted."""
    rows = await SubmissionRecord.filter(submission=submission).values_list("parts", flat=True)
    named = decode_parts(bytes(rows[0])) if rows else {}
    return [part for part in parts if part.name not in named.get(part.file, [])]
