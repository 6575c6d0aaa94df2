# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is due for reports in the queue: the next clock of their case, or the acknowledgement if they are in none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from crypto.ids import SubmissionId
from oversight.cases.case_store import read_state
from oversight.cases.records import CaseRecord, CaseReportRecord
from oversight.reports.records import SubmissionRecord
from oversight.workflow.deadlines import Deadline, acknowledge_deadline, next_deadline


@dataclass(frozen=True)
class ReportDue:
    """What is due next for one report, and in which case; ``number`` is empty for a report in no case."""

    deadline: Deadline | None
    number: str = ""


async def due_of_reports(submissions: Sequence[SubmissionRecord], today: date) -> Mapping[SubmissionId, ReportDue]:
    """By submission id. A report that was answered and is in no case has nothing due."""
    ids = [submission.id for submission in submissions]
    case_ids = {row.submission: row.case for row in await CaseReportRecord.filter(submission__in=ids)}
    states = {row.id: read_state(row) for row in await CaseRecord.filter(id__in=list(set(case_ids.values())))}
    found = {}
    for submission in submissions:
        case_id = case_ids.get(submission.id)
        if case_id is not None:
            found[submission.id] = ReportDue(next_deadline(states[case_id].clocks, today), states[case_id].number)
        elif submission.answered_on is None:
            found[submission.id] = ReportDue(acknowledge_deadline(submission.received, today))
        else:
            found[submission.id] = ReportDue(None)
    return found
