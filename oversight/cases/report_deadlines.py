# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is due for reports in the queue: the next clock of their case, or the acknowledgement if they are in none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from crypto.ids import SubmissionId
from oversight.cases.case_store import BrokenCaseError, read_state
from oversight.cases.records import CaseRecord, CaseReportRecord
from oversight.reports.records import SubmissionRecord
from oversight.workflow.deadlines import Deadline, acknowledge_deadline, next_deadline
from portal.kit.columns import UNREADABLE


@dataclass(frozen=True)
class ReportDue:
    """What is due next for one report, and in which case; ``number`` is empty for a report in no case.

    ``broken``: what is kept of the case can't be read.
    """

    deadline: Deadline | None
    number: str = ""
    broken: bool = False


async def due_of_reports(submissions: Sequence[SubmissionRecord], today: date) -> Mapping[SubmissionId, ReportDue]:
    """By submission id. A report that was answered and is in no case has nothing due.

    One of which nobody can read when it came has no entry: its row of the queue says that it can't be shown.
    """
    ids = [submission.id for submission in submissions]
    case_ids = {row.submission: row.case for row in await CaseReportRecord.filter(submission__in=ids)}
    cases = {row.id: row for row in await CaseRecord.filter(id__in=list(set(case_ids.values())))}
    found = {}
    for submission in submissions:
        case_id = case_ids.get(submission.id)
        if case_id is not None:
            found[submission.id] = _due_of_case(cases.get(case_id), today)
        elif submission.answered_on is not None:
            found[submission.id] = ReportDue(None)
        elif submission.received is not UNREADABLE:
            found[submission.id] = ReportDue(acknowledge_deadline(submission.received, today))
    return found


def _due_of_case(record: CaseRecord | None, today: date) -> ReportDue:
    if record is None:
        return ReportDue(None, broken=True)
    try:
        return ReportDue(next_deadline(read_state(record).clocks, today), record.number)
    except BrokenCaseError:
        return ReportDue(None, record.number, broken=True)
