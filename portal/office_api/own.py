# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission reaches its own submissions only."""

import re

from crypto.ids import SubmissionId
from portal.api.refusals import Refusal
from portal.kit.columns import UnreadableError
from portal.storage.records import SubmissionRecord
from portal.storage.submissions import is_id

_HASH = re.compile(r"[0-9a-f]{64}")


async def own_submission(slug: str, submission: SubmissionId, *columns: str) -> SubmissionRecord:
    """The submission's row, with these columns.

    Raises Refusal ``not-found`` or ``not-your-commission``, and UnreadableError for a manifest's hash that is none.
    """
    if not is_id(submission):
        raise Refusal("not-found")
    row = await SubmissionRecord.filter(submission=submission).first().only("sequence", "slug", "deleted", *columns)
    if row is None:
        raise Refusal("not-found")
    if row.slug != slug:
        raise Refusal("not-your-commission")
    if "manifest_sha256" in columns and not _HASH.fullmatch(row.manifest_sha256):
        raise UnreadableError
    return row
