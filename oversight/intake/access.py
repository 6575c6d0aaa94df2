# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which report a member may have open: by role, and by a grant that truly opens. Everything else does not exist."""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from crypto.charter import Charter
from crypto.errors import CryptoError, NotARecipientError
from oversight.cases.recording import refuse_shut_out
from oversight.intake.opening import OpenedReport, load_sealed, open_with_grant
from oversight.intake.records import Submission
from oversight.members.office import charters_by_hash, current_charter
from oversight.members.sessions import Unlocked, unlocked
from oversight.rules import Action, may


@dataclass(frozen=True)
class OpenReport:
    """A report that this member has open."""

    member: Unlocked
    submission: Submission
    opened: OpenedReport
    charters: dict[str, Charter]

    @property
    def charter(self) -> Charter:
        """The charter that the report was sealed under."""
        return self.charters[self.submission.charter]


class BrokenReportError(Exception):
    """The member's grant opens, but the report is not what it should be."""

    def __init__(self, submission: Submission) -> None:
        super().__init__()
        self.submission = submission


async def open_requested(request: Request, action: Action = Action.READ) -> OpenReport:
    """Open the report that the path names.

    A report that is not here, one without a grant for this member and one that the member's roles do not allow get the
    same answer, 404. Raises RuleError for a member who is shut out of its case, BrokenReportError, and what
    ``unlocked`` raises.
    """
    member = await unlocked(request)
    if not may(member.member.roles, action):
        raise HTTPException(404)
    submission = await Submission.get_or_none(id=request.path_params["id"])
    if submission is None:
        raise HTTPException(404)
    await refuse_shut_out(submission.id, member.member.label)
    charter, charters = await current_charter(), await charters_by_hash()
    [sealed] = await load_sealed([submission])
    try:
        opened = await asyncio.to_thread(open_with_grant, sealed, member.identity, charter.origin)
    except NotARecipientError:
        raise HTTPException(404) from None
    except CryptoError:
        raise BrokenReportError(submission) from None
    return OpenReport(member, submission, opened, charters)
