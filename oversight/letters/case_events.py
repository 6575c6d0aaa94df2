# SPDX-License-Identifier: AGPL-3.0-or-later
"""A letter that goes out to the reporter of a case's report is an event of the case."""

from crypto.ids import CaseId, MessageId, SubmissionId
from crypto.taxonomy import PURPOSES
from oversight.cases import commands
from oversight.cases.actor import Actor
from oversight.cases.case_queries import case_of_report
from oversight.workflow.rules import RuleError


def read_purpose(text: str) -> str:
    """The purpose that a link names, or an empty text: then the letter was not written from its case."""
    return text if text in PURPOSES else ""


async def record_letter(actor: Actor, submission: SubmissionId, message: MessageId, purpose: str) -> CaseId | None:
    """Record a letter in the ledger of its report's case; the case's id, None for a report that is in no case.

    A member who answers the report without holding the case leaves no event: the letter itself is signed.
    """
    case_id = await case_of_report(submission)
    if case_id is None:
        return None
    try:
        await commands.record_reply(actor, case_id, submission, message, purpose or "message")
    except RuleError:
        return None
    return case_id
