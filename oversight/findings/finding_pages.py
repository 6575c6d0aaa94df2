# SPDX-License-Identifier: AGPL-3.0-or-later
"""The finding of a case: its state, the differences between revisions, signing, checking."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.encoding import encode_base64
from crypto.finding import path_name
from oversight.cases import commands
from oversight.cases.case_pages import head_context
from oversight.cases.labels import recommendation_status_labels
from oversight.cases.open_case import MemberNames, OpenCase, open_requested_case
from oversight.commission.portal import portal_for
from oversight.findings import labels
from oversight.findings.check import CheckReport, Hit, check_finding
from oversight.findings.check_line import CheckLine
from oversight.findings.difference import compare_findings
from oversight.findings.history import History, read_history
from oversight.findings.material import gather_material
from oversight.findings.numbering import next_id, out_of_date
from oversight.findings.publication_steps import PublicationStep, publication_steps
from oversight.findings.records import PublicationRecord
from oversight.marking import N_
from oversight.reports.labels import in_language
from oversight.web.addresses import Route, path_of
from oversight.web.error_pages import RETRY_SECONDS
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render, translation_of
from oversight.workflow.conditions import CONDITIONS
from oversight.workflow.permissions import may_act
from oversight.workflow.rules import RuleError
from portal.kit.i18n import country_names

REASONS_CHARS_MAX = 20_000
ACTS_HERE = ("drafted", "signed", "checked", "recommendation-status")
NO_REASONS = N_("Write why this may be published all the same")
TOO_LONG = N_("The text is too long: shorten it to about half")


async def show_finding(request: Request) -> Response:
    return await render_finding(request, await open_requested_case(request))


async def render_finding(
    request: Request,
    case: OpenCase,
    history: History | None = None,
    errors: list[FieldError] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page of a case's finding, with the errors of a form that was posted on it.

    With what was ``typed`` there it is answered 422: the member can put it right; else 409.

    ``history`` is what was read of it already: reading verifies every event.
    """
    assert case.keys is not None
    history = history or await read_history(case.id, case.keys)
    newest, state = history.newest, case.state
    record = None if newest is None else await PublicationRecord.get_or_none(hash=newest.text_sha256)
    draft = None if newest is None else newest.draft
    pending = newest is not None and (state.published is None or newest not in history.published)
    return render(
        request,
        "finding.html",
        200 if not errors else 409 if typed is None else 422,
        **finding_context(request, case),
        history=history,
        draft=draft,
        pending=pending,
        steps=_steps(case, history, record),
        stale="" if draft is None else out_of_date(draft, case.actor.charter, case.today, draft.id),
        voided=history.signed_before(),
        report=history.check,
        record=record,
        waived=state.finding is not None
        and state.finding.check is not None
        and state.finding.check.hash in state.waived,
        waiving=_is_waiving(case),
        signed=CONDITIONS["text-signed"](state, {}, case.actor.label),
        may={code: may_act(code, state, case.members, case.roles) for code in ACTS_HERE},
        may_publish=bool(case.roles & {"publisher", "chair"}),
        public_path="" if draft is None else f"/findings/{path_name(draft.id)}",
        register=case.actor.charter.origin,
        done=request.query_params.get("done", ""),
        values=typed or {},
        errors=errors or [],
    )


def finding_context(request: Request, case: OpenCase) -> dict[str, Any]:
    """What every page about a finding is made with."""
    translation = translation_of(request)
    countries = country_names(translation.locale)
    return {
        **head_context(request, case),
        "here": f"{case.path}/finding",
        "member_name": MemberNames(case.charters, translation.locale),
        "grades": labels.grade_labels(translation),
        "standards": labels.standard_labels(translation),
        "statuses": recommendation_status_labels(translation),
        "kinds": labels.kind_labels(translation),
        "subjects": labels.subject_labels(case.actor.charter, translation.locale),
        "country": lambda code: countries.get(code, code),
        "place": lambda where: labels.place_label(where, translation),
        "hit_label": lambda hit: labels.hit_label(hit, translation),
        "how_label": lambda hit: labels.how_label(hit, translation),
        "commission": in_language(case.actor.charter.name, translation.locale),
    }


def _steps(case: OpenCase, history: History, record: PublicationRecord | None) -> list[PublicationStep]:
    return publication_steps(case.state, history, posted=record is not None and record.posted_on is not None)


def _is_waiving(case: OpenCase) -> bool:
    check = None if case.state.finding is None else case.state.finding.check
    return check is not None and any(proposal.subject == check.hash for proposal in case.state.proposals)


async def show_changes(request: Request) -> Response:
    """What differs between two revisions; without a choice, between the last two."""
    case = await open_requested_case(request)
    assert case.keys is not None
    history = await read_history(case.id, case.keys)
    if len(history.revisions) < 2:
        raise HTTPException(404)
    last = history.revisions[-1].number
    before = history.revision(_number(request.query_params.get("from"), last - 1))
    after = history.revision(_number(request.query_params.get("to"), last))
    if before is None or after is None:
        raise HTTPException(404)
    what = ("changes", before.text_sha256, after.text_sha256)
    parts = await _check_line(request).run(
        case.actor.label, what, lambda: asyncio.to_thread(compare_findings, before.draft, after.draft)
    )
    return render(
        request,
        "finding_changes.html",
        **finding_context(request, case),
        history=history,
        before=before,
        after=after,
        parts_changed=parts,
    )


async def sign(request: Request) -> Response:
    """Sign the text that the member saw, if it has the number that it must have today."""
    case = await open_requested_case(request)
    assert case.keys is not None
    form = await read_form(request)
    history = await read_history(case.id, case.keys)
    newest = history.newest
    if newest is None or newest.text_sha256 != form.text("text"):
        raise RuleError("text")
    async with portal_for(request, case.actor.charter) as client:
        identifier = newest.draft.id if newest.draft.revision > 1 else await next_id(client)
    stale = out_of_date(newest.draft, case.actor.charter, case.today, identifier)
    if stale:
        return await render_finding(request, case, history, [FieldError("", STALE[stale])])
    signature = encode_base64(case.actor.signing_key.sign(newest.text.encode("utf-8")))
    await commands.record_signature(case.seen(form), case.id, newest.text_sha256, signature)
    return redirect(f"{case.path}/finding?done=signed")


async def check(request: Request) -> Response:
    """Check the present text and write the outcome into the ledger."""
    case = await open_requested_case(request)
    assert case.keys is not None
    form = await read_form(request)
    history = await read_history(case.id, case.keys)
    actor = case.seen(form)

    async def check_and_record() -> None:
        report = await _check_now(case, history)
        await commands.record_check(actor, case.id, report.text_sha256, report.outcome, report.encode())

    await _check_line(request).run(actor.label, ("record", actor.seen, *_checked_of(case)), check_and_record)
    return redirect(f"{case.path}/finding?done=checked#check")


async def check_newest(request: Request, case: OpenCase, history: History) -> CheckReport:
    """The outgoing check of the newest revision, in its turn. RuleError ``text`` without one, LineFullError."""
    what = ("look", *_checked_of(case))
    return await _check_line(request).run(case.actor.label, what, lambda: _check_now(case, history))


async def _check_now(case: OpenCase, history: History) -> CheckReport:
    newest = history.newest
    if newest is None:
        raise RuleError("text")
    material = await gather_material(case)
    return await asyncio.to_thread(check_finding, newest.draft, newest.text_sha256, material)


def _checked_of(case: OpenCase) -> tuple[str, ...]:
    """What a check is made of stands in the case's events and in the charter, and is the same for all who may ask."""
    return case.state.head.hash, case.actor.charter.hash, case.today.isoformat()


def _check_line(request: Request) -> CheckLine:
    line: CheckLine = request.app.state.checks
    return line


async def answer_line_full(request: Request, error: Exception) -> Response:
    """Too many checks or comparisons wait. What was sent is a button, which stands on the page again."""
    form: Form | None = getattr(request.state, "form", None)
    back = path_of(request).rpartition("/")[0]
    sent = form.fields if form else {name: [value] for name, value in request.query_params.items()}
    response = render(request, "finding_busy.html", 503, back=back, sent=sent.items(), method=request.method.lower())
    response.headers["retry-after"] = str(RETRY_SECONDS)
    return response


async def waive(request: Request) -> Response:
    """Propose to publish in spite of what blocks; another member has to approve it."""
    case = await open_requested_case(request)
    form = await read_form(request)
    reasons = form.text("reasons")
    if not reasons or len(reasons) > REASONS_CHARS_MAX:
        error = FieldError("reasons", TOO_LONG if reasons else NO_REASONS)
        return await render_finding(request, case, errors=[error], typed={"reasons": reasons})
    found = None if case.state.finding is None else case.state.finding.check
    if found is None:
        raise RuleError("nothing-to-waive")
    await commands.waive(case.seen(form), case.id, found.hash, reasons)
    return redirect(f"{case.path}/finding?done=waiving#check")


def blocks(report: CheckReport | None) -> set[Hit]:
    """What blocks, of a report that may not be there."""
    return set() if report is None else {hit for hit in report.hits if hit.outcome == "block"}


STALE: Mapping[str, str] = {
    "number": N_("Another finding has taken this number in the register: keep the text again, it gets a new one"),
    "charter": N_("There is a new charter: keep the text again, then it is signed under that one"),
    "day": N_("The day in the text is too long ago: keep the text again, it gets the day of today"),
    "portal": N_("The portal does not say now which number is free, and that stands only there: sign a little later"),
}


def _number(value: str | None, default: int) -> int:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 7 else default


routes = [
    Route("/cases/{case:id}/finding", show_finding),
    Route("/cases/{case:id}/finding/changes", show_changes),
    Route("/cases/{case:id}/finding/sign", sign, methods=["POST"]),
    Route("/cases/{case:id}/finding/check", check, methods=["POST"]),
    Route("/cases/{case:id}/finding/waive", waive, methods=["POST"]),
]
