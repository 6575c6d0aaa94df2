# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case's ledger as a page: verified from its first event on, and as a file that anybody can verify."""

import asyncio
import io

from starlette.requests import Request
from starlette.responses import Response

from oversight.cases.case_pages import head_context
from oversight.cases.case_store import load_notes
from oversight.cases.open_case import open_requested_case
from oversight.ledger.export import write_export
from oversight.ledger.verify import LedgerError, verify_events
from oversight.web.addresses import Route
from oversight.web.rendering import render
from oversight.workflow.projection import apply_event
from oversight.workflow.rules import RuleError


async def show_ledger(request: Request) -> Response:
    """Verify the whole chain, as a recipient of the exported file would."""
    case = await open_requested_case(request, hold=False)
    notes = [data async for data in load_notes(case.id)]
    problem, head, events = "", "", len(notes)
    try:
        verified = await asyncio.to_thread(verify_events, notes, case.charters, apply_event, RuleError)
        head, events = verified.head.hash, verified.events
        if verified.head.sequence < case.state.head.sequence:
            problem = "events are missing at its end"
    except LedgerError as error:
        problem = str(error)
    context = head_context(request, case)
    return render(request, "case_ledger.html", **context, events=events, head=head, problem=problem)


async def send_export(request: Request) -> Response:
    """Return the ledger as a file, in which sealed parts stay sealed."""
    case = await open_requested_case(request, hold=False)
    notes = [data async for data in load_notes(case.id)]
    out = io.BytesIO()
    write_export(out, case.id, list(case.charters.values()), notes)
    headers = {
        "content-disposition": f'attachment; filename="{case.state.number}.ledger.jsonl"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(out.getvalue(), media_type="application/octet-stream", headers=headers)


routes = [
    Route("/cases/{case:id}/ledger", show_ledger),
    Route("/cases/{case:id}/ledger/export", send_export),
]
