# SPDX-License-Identifier: AGPL-3.0-or-later
"""What restores have lost for good, as a page: what it is, and what can be done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.ids import SubmissionId
from oversight.marking import N_
from oversight.members.sessions import current_session
from oversight.reports.beyond_help import FINDING, LETTER, MAILBOX, REPORT, TEXT
from oversight.reports.records import BeyondHelpRecord, SubmissionRecord
from oversight.reports.roles import Action, may
from oversight.web.addresses import Route
from oversight.web.rendering import render

KINDS = (
    (
        REPORT,
        N_("Reports that this office has lost"),
        N_(
            "This office once confirmed that it held these reports, and the portal has deleted them since. Here there "
            "is no copy of them. Look for them in newer backups of the office. If there is none, they are lost: their "
            "reporters read that the report was fetched, and this office can’t tell them otherwise. Say where the "
            "commission is heard that whoever wrote lately should write once more."
        ),
    ),
    (
        MAILBOX,
        N_("Mailboxes that the portal has lost"),
        N_(
            "The portal was restored from a backup that lacks them, and they can’t be made again. The reports are "
            "here. Their reporters find nothing under their codes, and no reply reaches them."
        ),
    ),
    (
        LETTER,
        N_("Replies that the portal has lost"),
        N_(
            "They can’t be sent again: who signed them is not a member any more, or their text was lost here too. The "
            "reporter reads that a reply is missing. Write to them once more."
        ),
    ),
    (
        TEXT,
        N_("Replies whose text is lost here"),
        N_(
            "This office was restored from a backup of before. The reporter has these replies, and nobody here can "
            "read any more what they say. Ask who wrote them before you write again."
        ),
    ),
    (
        FINDING,
        N_("Findings that this office does not know"),
        N_(
            "The portal lists them in the register under this commission’s name. This office was restored from a "
            "backup of before, so that its cases don’t tell of them, and it can neither correct nor withdraw them. "
            "Look for newer backups of the office, and keep the signed file that the register offers."
        ),
    ),
)


@dataclass(frozen=True)
class LostItem:
    """``name`` is what it is called; ``report`` the id of its report and ``reference`` what that is called, if it is
    here."""

    name: str
    day: object
    report: str = ""
    reference: str = ""


async def show_lost(request: Request) -> Response:
    """Everything that is lost for good, by kinds."""
    session = await current_session(request)
    if not may(session.member.roles, Action.READ):
        raise HTTPException(403)
    rows = await BeyondHelpRecord.all().order_by("day", "id")
    named = [row.submission for row in rows if row.submission]
    here = {row.id: row for row in await SubmissionRecord.filter(id__in=named).only("id", "number")}
    kinds = [(title, text, _items(kind, rows, here)) for kind, title, text in KINDS]
    return render(request, "lost.html", kinds=[each for each in kinds if each[2]])


def _items(
    kind: str, rows: Sequence[BeyondHelpRecord], here: Mapping[SubmissionId, SubmissionRecord]
) -> list[LostItem]:
    found = []
    for row in rows:
        if row.kind != kind:
            continue
        report = here.get(row.submission) if row.submission else None
        name = row.item if kind == FINDING else row.item[:8]
        found.append(LostItem(name, row.day, report.id if report else "", report.reference if report else ""))
    return found


routes = [Route("/queue/lost", show_lost)]
