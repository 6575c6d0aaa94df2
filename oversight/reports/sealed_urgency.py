# SPDX-License-Identifier: AGPL-3.0-or-later
"""How urgent reports say they are before a member opened them: what the office's own key reads. docs/protocol.md §5.5.

What a member reads in the report itself counts for more. A file that says nothing readable makes its report's level
``unknown``, and holds up no other.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.age import PqIdentity
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import URGENCY_FILE
from crypto.urgency import open_urgency
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from portal.kit.quiet_logging import describe_error

LOG = logging.getLogger("oversight.reports")
UNKNOWN = "unknown"
URGENT = ("now", "soon")
BATCH = 50


@dataclass(frozen=True)
class Unread:
    """How many urgent reports no member has opened: ``now`` of them say that hours count, ``soon`` that days do."""

    now: int
    soon: int


async def count_unread() -> Unread:
    """Of all reports that are stored, whoever holds keys to them."""
    counts = [await SubmissionRecord.filter(urgency=level, opened_on=None).count() for level in URGENT]
    return Unread(*counts)


async def read_waiting(identity: PqIdentity) -> int:
    """Read every report's level that was not read yet, a batch at a time; how many there were.

    What is read is stored at once, so that this goes on where an office that ended meanwhile left off.
    """
    done, last = 0, ""
    while True:
        rows = SubmissionRecord.filter(urgency=None, id__gt=last).order_by("id").limit(BATCH)
        ids: list[SubmissionId] = [row.id for row in await rows.only("id")]
        if not ids:
            return done
        sealed = dict(
            await SealedFileRecord.filter(submission_id__in=ids, name=URGENCY_FILE).values_list(
                "submission_id", "sealed"
            )
        )
        levels = await asyncio.to_thread(_read, ids, [sealed.get(each) for each in ids], identity)
        for submission, level in zip(ids, levels, strict=True):
            await SubmissionRecord.filter(id=submission).update(urgency=level)
        done, last = done + len(ids), ids[-1]


def _read(ids: Sequence[SubmissionId], sealed: Sequence[bytes | None], identity: PqIdentity) -> list[str]:
    return [_level(data or b"", identity, each) for each, data in zip(ids, sealed, strict=True)]


def _level(sealed: bytes, identity: PqIdentity, submission: SubmissionId) -> str:
    try:
        return open_urgency(bytes(sealed), identity, submission)
    except CryptoError:
        return UNKNOWN
    except Exception as error:
        # A damaged row must not hold up the others.
        LOG.error("the urgency of a report can't be read: %s", describe_error(error))
        return UNKNOWN
