# SPDX-License-Identifier: AGPL-3.0-or-later
"""Publishing a decided finding, recording its publication, and the status of its recommendations."""

from starlette.requests import Request
from starlette.responses import Response

from crypto import taxonomy
from crypto.errors import CryptoError
from oversight.cases import commands
from oversight.cases.open_case import OpenCase, open_requested_case
from oversight.commission.portal import portal_for
from oversight.findings.finding_pages import TOO_LONG, blocks, check_newest, render_finding
from oversight.findings.history import Revision, read_history
from oversight.findings.publication import FINDINGS, complete, store_publication
from oversight.findings.records import PublicationRecord
from oversight.marking import N_
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect
from oversight.workflow.rules import ADOPTED, CORRECTION, WITHDRAWAL, RuleError

NEWLY_BLOCKED = N_("The outgoing check finds more now than when it was decided: run it again, and look at it")
NOT_SIGNED_RIGHT = N_("The signatures are not those that the register asks for: the text has to be signed again")
TEXT_CHARS_MAX = 20_000


async def publish(request: Request) -> Response:
    """Store the signed note, hand it to the portal, and record it; what the portal can't take now goes later."""
    case = await open_requested_case(request)
    assert case.keys is not None
    await read_form(request)
    if case.roles.isdisjoint({"publisher", "chair"}):
        raise RuleError("role")
    history = await read_history(case.id, case.keys)
    revision = history.newest
    if revision is None:
        raise RuleError("text-drafted")
    record = await PublicationRecord.get_or_none(hash=revision.text_sha256)
    if record is None:
        _check_decided(case, revision)
        if blocks(await check_newest(request, case, history)) - blocks(history.check):
            return await render_finding(request, case, history, [FieldError("", NEWLY_BLOCKED)])
        try:
            record = await store_publication(case.id, revision, case.charters[revision.draft.charter])
        except CryptoError:
            return await render_finding(request, case, history, [FieldError("", NOT_SIGNED_RIGHT)])
    async with portal_for(request, case.actor.charter) as client:
        await FINDINGS.post_soon(client, record, case.today)
    if record.progress != "posted":
        return redirect(f"{case.path}/finding?done={record.progress}")
    await complete(case.actor, case.state, record)
    return redirect(f"{case.path}/finding?done=published")


def _check_decided(case: OpenCase, revision: Revision) -> None:
    """That what was decided is to publish this very text, in the way that it says."""
    decided, kind = case.state.decided, revision.draft.kind
    if decided is None:
        raise RuleError("not-decided")
    due = {taxonomy.FIRST: None, taxonomy.WITHDRAWAL: WITHDRAWAL}.get(kind, CORRECTION)
    if decided.ground != due or (due is None and case.state.state != ADOPTED):
        raise RuleError("not-decided")


async def set_recommendation(request: Request) -> Response:
    """Record what became of a recommendation. The register learns of it by the next update."""
    case = await open_requested_case(request)
    form = await read_form(request)
    status, text = form.text("status"), form.text("text")
    if status not in taxonomy.RECOMMENDATION_STATUSES:
        raise RuleError("status")
    number = str(request.path_params["number"])
    if len(text) > TEXT_CHARS_MAX:
        errors = [FieldError("text", TOO_LONG)]
        return await render_finding(request, case, errors=errors, typed={"text": text})
    await commands.set_recommendation(case.seen(form), case.id, number, status, text)
    return redirect(f"{case.path}/finding?done=recommendation#recommendations")


routes = [
    Route("/cases/{case:id}/finding/publish", publish, methods=["POST"]),
    Route("/cases/{case:id}/finding/recommendations/{number:number}", set_recommendation, methods=["POST"]),
]
