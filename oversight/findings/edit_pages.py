# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing the finding: the form, sealed for its writer alone between pages, and keeping it as a revision."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from crypto.errors import CryptoError, LimitError
from crypto.finding import Finding, make_finding, make_withdrawal
from oversight.cases import commands
from oversight.cases.open_case import OpenCase, open_requested_case
from oversight.commission.portal import portal_for
from oversight.findings import labels
from oversight.findings.finding_drafts import (
    Place,
    Written,
    WrittenRecommendation,
    change_parts,
    discard_written,
    load_written,
    problems,
    public_texts,
    read_written,
    save_written,
    to_draft,
    written_of,
)
from oversight.findings.finding_pages import finding_context
from oversight.findings.history import read_history
from oversight.findings.numbering import next_id, provisional_id
from oversight.findings.publication import standing
from oversight.marking import N_
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, read_form
from oversight.web.public_text import text_problem
from oversight.web.rendering import redirect, render, translation_of
from oversight.workflow.permissions import may_act
from oversight.workflow.rules import RuleError
from portal.kit.i18n import language_in

PROBLEMS = {
    "title": N_("Write a title"),
    "summary": N_("Write a summary"),
    "reason": N_("Write why the text is changed"),
    "quarter": N_("Write a quarter like this: 2026-Q2"),
    "choose": N_("Choose one"),
    "section": N_("A section has a heading and a text"),
    "recommendation": N_("A recommendation says who should do what"),
}
OVERTAKEN = N_("Somebody has kept another revision since you began: look at it first, then keep yours over it")
TOO_LONG = N_("The text is too long for the register")
NOT_READABLE = N_("The register does not take this text: look at the codes")
NO_REASON = N_("Write why the finding is withdrawn")


async def show_form(request: Request) -> Response:
    case = await _for_writing(request)
    written = await load_written(case.session, case.id)
    return await _render(request, case, written or await _begin(case))


async def take_form(request: Request) -> Response:
    """Save the draft for its writer; add or remove a part; or store it as a revision for everyone."""
    case = await _for_writing(request)
    form = await read_form(request)
    action = form.text("action")
    written = change_parts(read_written(form), action)
    await save_written(case.session, case.id, written)
    if action == "keep":
        return await _keep(request, case, written)
    fragment = "#sections" if "section" in action else "#recommendations" if "recommendation" in action else ""
    saved = "?saved" if action == "save" else ""
    return redirect(f"{case.path}/finding/edit{saved}{fragment}")


async def discard(request: Request) -> Response:
    case = await _for_writing(request)
    await discard_written(case.session, case.id)
    return redirect(f"{case.path}/finding")


async def show_withdrawal(request: Request) -> Response:
    case = await _for_writing(request)
    await _standing(case)
    return render(request, "finding_withdraw.html", **finding_context(request, case))


async def take_withdrawal(request: Request) -> Response:
    """Draft the tombstone; like any revision it is signed and decided by others."""
    case = await _for_writing(request)
    form = await read_form(request)
    previous = await _standing(case)
    reason = form.text("reason")
    actor = case.actor
    try:
        draft = make_withdrawal(previous, charter=actor.charter.hash, day=case.today, reason=reason, author=actor.label)
        text = make_finding(draft)
    except CryptoError as error:
        message = TOO_LONG if isinstance(error, LimitError) else NO_REASON if not reason else NOT_READABLE
        context = finding_context(request, case)
        errors = [text_problem("reason", reason) or FieldError("reason", message)]
        return render(request, "finding_withdraw.html", 422, **context, errors=errors, values={"reason": reason})
    await commands.draft_finding(case.seen(form), case.id, _base(case) + 1, text)
    return redirect(f"{case.path}/finding?done=kept")


async def _for_writing(request: Request) -> OpenCase:
    case = await open_requested_case(request)
    if not may_act("drafted", case.state, case.members, case.roles):
        raise RuleError("role" if case.roles.isdisjoint({"investigator", "legal"}) else "state")
    return case


async def _standing(case: OpenCase) -> Finding:
    found = await standing(case.state, case.charters)
    if found is None or found.is_withdrawn:
        raise RuleError("stands")
    return found


def _base(case: OpenCase) -> int:
    return 0 if case.state.finding is None else case.state.finding.revision


async def _begin(case: OpenCase) -> Written:
    """The fields before anything was typed: those of the newest revision, with what became of the recommendations."""
    assert case.keys is not None
    known = list(labels.subject_labels(case.actor.charter, "en"))
    history = await read_history(case.id, case.keys)
    texts = [each.draft for each in history.revisions if not each.draft.is_withdrawn]
    if not texts:
        return Written(base=_base(case), language=case.actor.charter.languages[0])
    written = written_of(texts[-1], _base(case), known)
    became = dict(case.state.recommendations)
    recommendations: list[WrittenRecommendation] = [
        replace(each, status=became.get(str(number), each.status))
        for number, each in enumerate(written.recommendations, 1)
    ]
    return replace(written, recommendations=tuple(recommendations))


async def _keep(request: Request, case: OpenCase, written: Written) -> Response:
    previous = await standing(case.state, case.charters)
    if previous is not None and previous.is_withdrawn:
        raise RuleError("stands")
    found = problems(written, correcting=previous is not None)
    errors = [FieldError(field, PROBLEMS[code]) for field, code in found.items()]
    errors += filter(None, (text_problem(field, text) for field, text in public_texts(written)))
    if written.language not in case.actor.charter.languages:
        errors.append(FieldError("language", PROBLEMS["choose"]))
    if errors:
        return await _render(request, case, written, errors)
    if written.base != _base(case):
        return await _render(request, case, replace(written, base=_base(case)), [FieldError("", OVERTAKEN)])
    try:
        text = make_finding(to_draft(written, await _place(request, case, previous)))
    except CryptoError as error:
        message = TOO_LONG if isinstance(error, LimitError) else NOT_READABLE
        return await _render(request, case, written, [FieldError("title", message)])
    await commands.draft_finding(case.actor, case.id, written.base + 1, text)
    await discard_written(case.session, case.id)
    return redirect(f"{case.path}/finding?done=kept")


async def _place(request: Request, case: OpenCase, previous: Finding | None) -> Place:
    actor = case.actor
    if previous is not None:
        identifier = previous.id
    else:
        async with portal_for(request, actor.charter) as client:
            identifier = await next_id(client) or await provisional_id(actor.charter, case.today.year)
    return Place(identifier, actor.charter.slug, actor.charter.hash, case.today, actor.label, previous)


async def _render(
    request: Request, case: OpenCase, written: Written, errors: list[FieldError] | None = None
) -> Response:
    charter, translation = case.actor.charter, translation_of(request)
    return render(
        request,
        "finding_edit.html",
        422 if errors else 200,
        **finding_context(request, case),
        written=written,
        correcting=case.state.published is not None,
        languages={code: language_in(code, translation.locale) for code in charter.languages},
        errors=errors or [],
        saved="saved" in request.query_params,
    )


routes = [
    Route("/cases/{case:id}/finding/edit", show_form),
    Route("/cases/{case:id}/finding/edit", take_form, methods=["POST"]),
    Route("/cases/{case:id}/finding/discard", discard, methods=["POST"]),
    Route("/cases/{case:id}/finding/withdraw", show_withdrawal),
    Route("/cases/{case:id}/finding/withdraw", take_withdrawal, methods=["POST"]),
]
