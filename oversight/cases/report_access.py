# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which report a member may have open: by role, and by a grant that truly opens. Everything else does not exist."""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from tortoise.exceptions import DoesNotExist

from crypto.charter import Charter
from crypto.errors import CryptoError, MalformedError, NotARecipientError, ProofError
from crypto.ids import CharterHash, MemberLabel, SubmissionId
from oversight.cases.actor import Actor, actor_of
from oversight.cases.case_keys import open_keys
from oversight.cases.case_queries import case_of_report
from oversight.cases.case_store import load_case
from oversight.cases.thread_renewal import find_case, renew_if_due
from oversight.commission.charters import charters_by_hash
from oversight.members.sessions import OpenSession, current_session
from oversight.reports.opening import OpenedReport, ThreadIdentities, load_sealed, open_thread, open_with_thread
from oversight.reports.records import SubmissionRecord
from oversight.reports.roles import Action, may
from oversight.workflow.access import renewal_due
from oversight.workflow.rules import RuleError
from portal.kit.columns import UnreadableError


@dataclass(frozen=True)
class OpenReport:
    """A report that this member has open.

    ``renewal_due``: whether somebody still holds its case who must be shut out of it before anything else is sealed.
    """

    session: OpenSession
    submission: SubmissionRecord
    opened: OpenedReport
    charters: dict[CharterHash, Charter]
    renewal_due: bool = False

    @property
    def charter(self) -> Charter:
        """The charter that the report was sealed under."""
        return self.charters[self.submission.charter]

    @property
    def replaced_by(self) -> Charter | None:
        """The newest charter that was in force already when the report came in, if it was sealed under an older one."""
        received = self.submission.received
        later = [
            charter
            for charter in self.charters.values()
            if charter.number > self.charter.number and charter.valid_from <= received
        ]
        return max(later, key=lambda charter: charter.number, default=None)

    @property
    def has_newest_keys(self) -> bool:
        """Whether this member got the newest keys of the thread, without which nobody replies."""
        return self.opened.identities.newest == self.submission.generation


class BrokenReportError(Exception):
    """The member's grant opens, but the report is not what it should be.

    ``swapped``: it is whole, and another one than the portal acknowledged to the reporter.
    """

    def __init__(self, submission: SubmissionRecord, error: Exception) -> None:
        super().__init__()
        self.submission = submission
        self.swapped = isinstance(error, ProofError)


async def _find_requested(request: Request) -> SubmissionRecord:
    try:
        return await SubmissionRecord.get(id=SubmissionId(request.path_params["id"]))
    except DoesNotExist:
        raise HTTPException(404) from None


async def open_requested_report(request: Request, action: Action = Action.READ) -> OpenReport:
    """Open the report that the path names, and renew the keys of its thread if somebody must not read on.

    A report that is not here, one that the member has no key for and one that the member's roles do not allow get the
    same answer, 404. Raises RuleError for a member who is shut out of its case, BrokenReportError, and what
    ``current_session`` raises.
    """
    session = await current_session(request)
    if not may(session.member.roles, action):
        raise HTTPException(404)
    submission = await _find_requested(request)
    await refuse_shut_out(submission.id, session.member.label)
    charters = await charters_by_hash()
    actor = await actor_of(session, request.app.state.clock())
    try:
        opened = await _open(actor, submission)
        if submission.charter not in charters:
            raise MalformedError("a report is of a charter that is not here")
        if await renew_if_due(actor, submission, opened, charters):
            await submission.refresh_from_db(fields=["generation"])
            opened = await _open(actor, submission)
    except (CryptoError, UnreadableError) as error:
        raise BrokenReportError(submission, error) from None
    case, members = await find_case(submission.id), actor.charter.members_on(actor.now.date())
    due = case is not None and renewal_due(case, {member.label: member for member in members})
    return OpenReport(session, submission, opened, charters, bool(due))


async def _open(actor: Actor, submission: SubmissionRecord) -> OpenedReport:
    """By the member's own grants and by the case that the member holds. Raises CryptoError, or 404 with neither."""
    [sealed] = await load_sealed([submission])
    try:
        threads = await asyncio.to_thread(open_thread, sealed, actor.identity)
    except NotARecipientError:
        threads = None
    if threads is None or threads.newest < submission.generation:
        by_case = await threads_by_case(actor, sealed.submission)
        if by_case is not None:
            threads = by_case if threads is None else threads.joined(by_case.generations)
    if threads is None:
        raise HTTPException(404)
    return await asyncio.to_thread(open_with_thread, sealed, threads, actor.charter.realm)


async def refuse_shut_out(submission: SubmissionId, label: MemberLabel) -> None:
    """Raise RuleError for a member who must not see the case that a report belongs to, whatever keys they have."""
    case_id = await case_of_report(submission)
    if case_id is None:
        return
    state = await load_case(case_id)
    if state.is_recused(label):
        raise RuleError("recused")
    if state.in_conflict(label):
        raise RuleError("in-conflict")


async def threads_by_case(actor: Actor, submission: SubmissionId) -> ThreadIdentities | None:
    """The keys of a report's thread, to a member who holds its case."""
    case_id = await case_of_report(submission)
    if case_id is None:
        return None
    try:
        keys = await open_keys(actor, await load_case(case_id))
    except RuleError:
        return None
    return keys.threads.get(submission)
