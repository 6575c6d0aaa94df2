# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is due for reports in the queue: the next clock of their case, or the acknowledgement if they are in none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from oversight.cases.case_store import read_state
from oversight.cases.records import CaseRecord, CaseReportRecord
from oversight.reports.records import SubmissionRecord
from oversight.workflow.deadlines import Deadline, acknowledge_deadline, next_deadline


@dataclass(frozen=True)
class ReportDue:
    """What is due next for one report, and in which case; ``number`` is empty for a report in no case."""

    deadline: Deadline | None
    number: str = ""


async def due_of_reports(submissions: Sequence[SubmissionRecord], today: date) -> Mapping[str, ReportDue]:
    """By submission id. A report that was answered and is in no case has nothing due."""
    ids = [submission.id for submission in submissions]
    cases = {row.submission: row.case for row in await CaseReportRecord.filter(submission__in=ids)}
    states = {row.id: read_state(row) for row in await CaseRecord.filter(id__in=list(set(cases.values())))}
    found = {}
    for submission in submissions:
        case = cases.get(submission.id)
        if case is not None:
            found[submission.id] = ReportDue(next_deadline(states[case].clocks, today), states[case].number)
        elif submission.answered_on is None:
            found[submission.id] = ReportDue(acknowledge_deadline(submission.received, today))
        else:
            found[submission.id] = ReportDue(None)
    return found
