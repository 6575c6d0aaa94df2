# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission reaches its own submissions only."""

import re

from crypto.ids import SubmissionId
from portal.api.refusals import Refusal
from portal.storage.records import SubmissionRecord

_ID = re.compile(r"[0-9a-f]{32}")


async def own_submission(slug: str, submission: SubmissionId, *columns: str) -> SubmissionRecord:
    """The submission's row, with these columns. Raises Refusal ``not-found`` or ``not-your-commission``."""
    if not _ID.fullmatch(submission):
        raise Refusal("not-found")
    row = await SubmissionRecord.filter(submission=submission).first().only("sequence", "slug", "deleted", *columns)
    if row is None:
        raise Refusal("not-found")
    if row.slug != slug:
        raise Refusal("not-your-commission")
    return row
