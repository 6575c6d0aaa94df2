# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing to a reporter: write, see it as the reporter will, send."""

from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.message import BODY_BYTES_MAX
from oversight.cases.actor import actor_of
from oversight.cases.report_access import OpenReport, open_requested_report
from oversight.commission.charters import current_charter
from oversight.commission.portal import portal_for
from oversight.letters.case_events import read_purpose
from oversight.letters.mailbox_commands import commands_of
from oversight.letters.outbox import LETTERS
from oversight.letters.replies import DraftChangedError, store_reply
from oversight.letters.reply_drafts import ReplyDraft, discard_draft, load_draft, save_draft
from oversight.marking import N_
from oversight.reports import labels
from oversight.reports.roles import Action
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, Form, read_form
from oversight.web.rendering import redirect, render, translation_of
from portal.kit.i18n import language_in

EMPTY = N_("Write the reply")
TOO_LONG = N_("The reply is too long: shorten it to about half")
NO_SUCH_LANGUAGE = N_("Choose one of the languages")
NOT_STORABLE = N_("The reply has characters that can’t be sent: remove them")


async def show_form(request: Request) -> Response:
    report = await open_requested_report(request, Action.REPLY)
    draft = await load_draft(report.session, report.submission.id)
    return await _render_form(request, report, draft or ReplyDraft(report.opened.report.language, ""))


async def take_form(request: Request) -> Response:
    """Keep the draft sealed, and go on to its preview."""
    report = await open_requested_report(request, Action.REPLY)
    form = await read_form(request)
    charter = await current_charter()
    draft = ReplyDraft(form.text("language"), form.text("body"))
    errors = _check(form, _languages(report, charter))
    if errors or await _is_closed(report):
        return await _render_form(request, report, draft, errors)
    await save_draft(report.session, report.submission.id, draft)
    return redirect(f"/reports/{report.submission.id}/reply/preview{_purpose(request)}")


async def show_preview(request: Request) -> Response:
    report = await open_requested_report(request, Action.REPLY)
    draft = await load_draft(report.session, report.submission.id)
    if draft is None or await _is_closed(report):
        return redirect(f"/reports/{report.submission.id}/reply{_purpose(request)}")
    charter = await current_charter()
    return render(
        request,
        "reply_preview.html",
        report=report,
        draft=draft,
        commission=labels.in_language(charter.name, draft.language),
        today=labels.day_in_language(request.app.state.clock().date(), draft.language),
        changed="changed" in request.query_params,
        purpose=_purpose(request),
    )


async def send(request: Request) -> Response:
    """Sign, seal, store and post the draft that was previewed; what the portal can't take now goes later."""
    report = await open_requested_report(request, Action.REPLY)
    form = await read_form(request)
    here = f"/reports/{report.submission.id}"
    draft = await load_draft(report.session, report.submission.id)
    if draft is None or await _is_closed(report):
        return redirect(here)
    if form.text("draft") != draft.token:
        purpose = _purpose(request)
        return redirect(f"{here}/reply/preview{purpose}{'&' if purpose else '?'}changed")
    writer = await actor_of(report.session, request.app.state.clock())
    purpose = read_purpose(request.query_params.get("purpose", ""))
    try:
        record, case = await store_reply(report, draft, writer, purpose)
    except DraftChangedError:
        return redirect(here)
    except CryptoError:
        return await _render_form(request, report, draft, [FieldError("body", NOT_STORABLE)])
    async with portal_for(request, writer.charter) as client:
        await LETTERS.post_soon(client, record, writer.now.date())
    if case is not None and purpose and record.progress != "refused":
        return redirect(f"/cases/{case}?done={'posted' if record.progress == 'posted' else 'told'}")
    return redirect(f"{here}?sent={record.delivery}#letters")


async def discard(request: Request) -> Response:
    report = await open_requested_report(request, Action.REPLY)
    await discard_draft(report.session, report.submission.id)
    return redirect(f"/reports/{report.submission.id}")


async def _render_form(
    request: Request, report: OpenReport, draft: ReplyDraft, errors: list[FieldError] | None = None
) -> Response:
    charter = await current_charter()
    locale = translation_of(request).locale
    languages = {code: language_in(code, locale) for code in _languages(report, charter)}
    closed = await _is_closed(report)
    status = 409 if closed else 422 if errors else 200
    context = {"report": report, "draft": draft, "languages": languages, "purpose": _purpose(request)}
    return render(request, "reply.html", status, **context, closed=closed, errors=errors or [])


async def _is_closed(report: OpenReport) -> bool:
    """Whether the reporter has closed the mailbox: then nothing can be written to it."""
    return (await commands_of(report.submission.id)).closed


def _purpose(request: Request) -> str:
    """What the next page's address ends with, so that the letter is recorded as what it was written for."""
    purpose = read_purpose(request.query_params.get("purpose", ""))
    return f"?purpose={purpose}" if purpose else ""


def _languages(report: OpenReport, charter: Charter) -> tuple[str, ...]:
    """Those of the charter, and the one the reporter wrote in, which need not be among them."""
    return tuple(dict.fromkeys((report.opened.report.language, *charter.languages)))


def _check(form: Form, languages: tuple[str, ...]) -> list[FieldError]:
    errors = []
    body = form.text("body")
    if not body:
        errors.append(FieldError("body", EMPTY))
    elif len(body.encode("utf-8", "surrogatepass")) > BODY_BYTES_MAX:
        errors.append(FieldError("body", TOO_LONG))
    if form.text("language") not in languages:
        errors.append(FieldError("language", NO_SUCH_LANGUAGE))
    return errors


routes = [
    Route("/reports/{id:id}/reply", show_form),
    Route("/reports/{id:id}/reply", take_form, methods=["POST"]),
    Route("/reports/{id:id}/reply/preview", show_preview),
    Route("/reports/{id:id}/reply/send", send, methods=["POST"]),
    Route("/reports/{id:id}/reply/discard", discard, methods=["POST"]),
]
