# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a restore has lost for good: members read what it is, and what can be done about it.

Every whole comparison with the portal finds it anew, so that what was brought back by another restore goes from the
list. Of reports a portal has to show a note that this office signed; of findings it is the portal that lists them.
"""

from collections.abc import Iterable
from datetime import date

from crypto.ids import SubmissionId
from oversight.reports.records import BeyondHelpRecord
from portal.kit.database import transaction

REPORT = "report"
"""This office confirmed that it held it, and does not any more; the portal has deleted it since."""
MAILBOX = "mailbox"
"""The portal has lost it, and this office never got a state of it."""
LETTER = "letter"
"""The portal has lost it; its author has left, or this office has lost its text too."""
TEXT = "text"
"""A letter that is in its reporter's mailbox; this office has lost what it says."""
FINDING = "finding"
"""It stands in the register, and this office has no copy of it and no event in a ledger."""
ROWS_MAX = 100
"""Of each kind: a portal that lies about one must not hide the others."""
Lost = tuple[str, SubmissionId | None]
"""The name of what was lost, and the report that it belongs to."""


async def note_lost(kind: str, lost: Iterable[Lost], today: date) -> None:
    """Add to the list what is not on it yet, as long as there is room."""
    for item, submission in lost:
        if await BeyondHelpRecord.filter(kind=kind).count() >= ROWS_MAX:
            return
        await BeyondHelpRecord.get_or_create({"submission": submission, "day": today}, kind=kind, item=item)


async def replace_lost(kind: str, lost: Iterable[Lost], today: date) -> None:
    """After a whole comparison: what is lost of this kind is this, and nothing else any more."""
    named = list(lost)
    async with transaction():
        await BeyondHelpRecord.filter(kind=kind).exclude(item__in=[item for item, _ in named]).delete()
        await note_lost(kind, named, today)
