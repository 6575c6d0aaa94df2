# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a case to the letter that tells its reporter: a draft in the reporter's language, then the pages of replies."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from oversight.cases.case_pages import read_latest
from oversight.cases.decisions import last_decision
from oversight.cases.open_case import open_requested_case
from oversight.cases.report_access import BrokenReportError
from oversight.letters.decision_letter import letter_language, purpose_of, write_letter
from oversight.letters.reply_drafts import ReplyDraft, save_draft
from oversight.reports.opening import load_sealed, open_with_thread
from oversight.reports.records import SubmissionRecord
from oversight.web.addresses import Route
from oversight.web.rendering import PageKit, redirect


async def draft_letter(request: Request) -> Response:
    """Write the draft, in place of one that was not sent, and go on to it."""
    case = await open_requested_case(request)
    report = SubmissionId(request.path_params["report"])
    if case.keys is None or report not in case.keys.threads:
        raise HTTPException(404)
    decision = last_decision(await read_latest(case))
    if decision is None or not decision.is_told:
        return redirect(case.path)
    submission = await SubmissionRecord.get(id=report)
    [sealed] = await load_sealed([submission])
    try:
        opened = open_with_thread(sealed, case.keys.threads[report], case.actor.charter.realm)
    except CryptoError as error:
        raise BrokenReportError(submission, error) from None
    kit: PageKit = request.app.state.kit
    language = letter_language(opened.report.language, case.actor.charter.languages)
    body = write_letter(decision.to_state, decision.ground, decision.reasons, kit.translations[language])
    await save_draft(case.session, report, ReplyDraft(language, body))
    return redirect(f"/reports/{report}/reply?purpose={purpose_of(decision.to_state)}")


routes = [Route("/cases/{case:id}/tell/{report:id}", draft_letter, methods=["POST"])]
