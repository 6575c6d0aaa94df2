# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's queries for submissions."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from crypto.ids import SubmissionId
from portal.storage.records import MailboxRecord, SubmissionRecord


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


async def find_mailbox(mailbox: str, token_sha256: str) -> MailboxRecord | None:
    """Return the open mailbox of this id if the token matches. Of several submissions to one, the first counts."""
    for row in await MailboxRecord.filter(mailbox=mailbox, closed=False).order_by("sequence"):
        if hmac.compare_digest(row.token_sha256, token_sha256):
            return row
    return None


def encode_parts(parts: Mapping[str, Sequence[str]]) -> bytes:
    """Return the column ``parts``: names of the stored parts by file."""
    return json.dumps({file: list(names) for file, names in parts.items()}).encode("ascii")


def decode_parts(column: bytes) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = json.loads(bytes(column))
    return parts


async def due_for_deletion(today: date, limit: int) -> list[SubmissionRecord]:
    """Return collected submissions whose grace period is over."""
    due = SubmissionRecord.filter(deleted=False, delete_from__lte=today).order_by("sequence").limit(limit)
    return await due.only("sequence", "submission")
