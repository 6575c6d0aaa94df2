# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a case changes in who may open its reports: who is shut out of it may not, who holds it may."""

from crypto.age import PqIdentity
from oversight.cases.acting import Acting
from oversight.cases.grants import open_keys
from oversight.cases.keeping import load_case
from oversight.cases.reading import case_of_report
from oversight.cases.rules import RuleError


async def refuse_shut_out(submission: str, member: str) -> None:
    """Raise RuleError for a member who must not see the case that a report belongs to, whatever keys they have."""
    case = await case_of_report(submission)
    if case is None:
        return
    state = await load_case(case)
    if member in state.recused:
        raise RuleError("recused")
    if state.in_conflict(member):
        raise RuleError("in-conflict")


async def thread_by_case(acting: Acting, submission: str) -> PqIdentity | None:
    """The identity of a report's thread, to a member who holds its case without a grant of the report's own."""
    case = await case_of_report(submission)
    if case is None:
        return None
    try:
        keys = await open_keys(acting, await load_case(case))
    except RuleError:
        return None
    return keys.threads.get(submission)
