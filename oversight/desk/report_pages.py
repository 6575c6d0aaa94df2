# SPDX-License-Identifier: AGPL-3.0-or-later
"""One report as a page, with its files and its letters."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crypto.attachment import Attachment
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import SealedFile
from oversight.cases.case_queries import case_of_report
from oversight.cases.case_store import load_case
from oversight.cases.report_access import BrokenReportError, OpenReport, open_requested_report
from oversight.desk.index import forget_entry
from oversight.desk.report_layout import show_report
from oversight.letters.mailbox_commands import commands_of
from oversight.letters.thread import ThreadReader, mark_seen
from oversight.members.sessions import current_session
from oversight.reports import labels
from oversight.reports.blobs import Blobs
from oversight.reports.download import check_attachment, content_disposition, stream_attachment
from oversight.reports.file_names import shown_name
from oversight.reports.records import SealedFileRecord, SubmissionRecord
from oversight.reports.roles import Action, may
from oversight.web.addresses import Route
from oversight.web.rendering import render, translation_of
from oversight.web.rows import attempt
from oversight.workflow.event_types import EVENT_TYPES
from oversight.workflow.state import CaseState
from portal.kit.i18n import Translation, language_in
from portal.kit.unwritable import if_writable, why_unwritable

# Of a letter on the report's page, in characters; all of a longer one is on its own.
BODY_SHOWN = 5_000
DOWNLOAD_CSP = "sandbox; default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class ShownFile:
    """An attachment on the page. ``problem``: ``""``, ``mismatch``, ``missing`` or ``damaged``; ``name`` to be read."""

    number: int
    name: str
    entry: Attachment
    problem: str
    size: str


async def show_page(request: Request) -> Response:
    """The report, its files and letters; from now on it counts as opened, and its letters as seen."""
    try:
        report = await open_requested_report(request)
    except BrokenReportError as error:
        return await answer_broken(request, error)
    translation = translation_of(request)
    thread = await _thread_of(report).page(request.query_params.get("letters", ""))
    files = await _show_files(request, report)
    with if_writable():
        await _mark_opened(request, report)
        await mark_seen(thread, report.session.member.label, request.app.state.clock().date())
        if "list" in request.query_params:
            await forget_entry(report.session.member.label, report.submission.id)
    return render(
        request,
        "report.html",
        report=report,
        shown=show_report(report.opened.report, report.charter, translation),
        files=files,
        unnamed=_unnamed_files(report),
        thread=thread,
        body_shown=BODY_SHOWN,
        uses=labels.option_labels(report.charter, translation.locale),
        commands=await commands_of(report.submission.id),
        opened_by=_opener(report),
        sealed_by=labels.sealed_by_label(report.opened.report.sealed_by, translation),
        language=language_in(report.opened.report.language, translation.locale),
        may_reply=may(report.session.member.roles, Action.REPLY) and report.has_newest_keys,
        sent=request.query_params.get("sent", ""),
        case=await _case_of(report),
        may_open_case=_may_open_case(report.session.member.roles),
    )


async def show_letter(request: Request) -> Response:
    """One letter of the report, whole; from now on it counts as seen."""
    try:
        report = await open_requested_report(request)
    except BrokenReportError as error:
        return await answer_broken(request, error)
    thread = await _thread_of(report).letter(request.path_params["letter"])
    if thread is None:
        raise HTTPException(404)
    with if_writable():
        await mark_seen(thread, report.session.member.label, request.app.state.clock().date())
    uses = labels.option_labels(report.charter, translation_of(request).locale)
    return render(request, "report_letter.html", report=report, thread=thread, uses=uses)


async def send_file(request: Request) -> Response:
    """An attachment as a download, after all of it was checked."""
    try:
        report = await open_requested_report(request)
    except BrokenReportError as error:
        return await answer_broken(request, error)
    number: int = request.path_params["number"]
    file = dict(await _show_files(request, report)).get(number)
    if file is None:
        raise HTTPException(404)
    path = _blobs(request).path(report.submission.id, file.entry.file)
    try:
        if file.problem in {"mismatch", "missing"}:
            return _show_incident(request, report, file)
        await check_attachment(path, file.entry, report.opened.thread)
    except (CryptoError, OSError) as error:
        if why_unwritable(error) is not None:
            # Nothing is wrong with the file.
            raise
        with if_writable():
            await SealedFileRecord.filter(submission_id=report.submission.id, name=file.entry.file).update(
                damaged_on=request.app.state.clock().date()
            )
        return _show_incident(request, report, replace(file, problem="damaged"))
    fallback = f"{report.submission.reference}-{number}.bin"
    return StreamingResponse(
        stream_attachment(path, file.entry, report.opened.thread),
        media_type="application/octet-stream",
        headers={
            "content-length": str(file.entry.size),
            "content-disposition": content_disposition(file.entry.name, fallback),
            "content-security-policy": DOWNLOAD_CSP,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
    )


@dataclass(frozen=True)
class _Files:
    """What the attachments of a report are judged by: the manifest's entries and the office's rows, by file name."""

    submission: SubmissionId
    manifest: Mapping[str, SealedFile]
    stored: Mapping[str, SealedFileRecord]
    blobs: Blobs
    translation: Translation

    def show(self, number: int, entry: Attachment) -> ShownFile:
        file, record = self.manifest.get(entry.file), self.stored.get(entry.file)
        problem = ""
        if file is None or record is None or file.sha256 != entry.sealed_sha256:
            problem = "mismatch"
        elif not self.blobs.has(self.submission, file.name, file.size):
            problem = "missing"
        elif record.damaged_on is not None:
            problem = "damaged"
        return ShownFile(
            number, shown_name(entry.name), entry, problem, labels.size_label(entry.size, self.translation)
        )


async def _show_files(request: Request, report: OpenReport) -> list[tuple[int, ShownFile | None]]:
    """Every attachment that the report names, by its number, judged by what costs nothing; None for one that can't be.

    All of it is checked at the download.
    """
    rows = await SealedFileRecord.filter(submission_id=report.submission.id)
    files = _Files(
        report.submission.id,
        {file.name: file for file in report.opened.manifest.attachments},
        {record.name: record for record in rows},
        _blobs(request),
        translation_of(request),
    )
    entries = enumerate(report.opened.report.attachments, 1)
    return [(number, await asyncio.to_thread(attempt, partial(files.show, number, entry))) for number, entry in entries]


def _thread_of(report: OpenReport) -> ThreadReader:
    return ThreadReader(report.submission, report.opened, list(report.charters.values()))


def _may_open_case(roles: Iterable[str]) -> bool:
    """Whether these roles allow to open a case with a report, or to add it to one."""
    return any(not EVENT_TYPES[code].act.roles.isdisjoint(roles) for code in ("opened", "report-added"))


async def _case_of(report: OpenReport) -> CaseState | None:
    """The case that the report belongs to."""
    case_id = await case_of_report(report.submission.id)
    return None if case_id is None else await load_case(case_id)


def _opener(report: OpenReport) -> str:
    """Who opened the report first, as the newest charter that has the member says, else the label; empty for nobody."""
    label = report.submission.opened_by
    members = [member for charter in report.charters.values() for member in charter.members if member.label == label]
    return members[-1].name if members else label or ""


def _unnamed_files(report: OpenReport) -> list[str]:
    """Sealed files that came with the report and that it says nothing of."""
    named = {entry.file for entry in report.opened.report.attachments}
    return [file.name for file in report.opened.manifest.attachments if file.name not in named]


async def _mark_opened(request: Request, report: OpenReport) -> None:
    today, label = request.app.state.clock().date(), report.session.member.label
    await SubmissionRecord.filter(id=report.submission.id, opened_on=None).update(opened_on=today, opened_by=label)
    if report.submission.opened_on is None:
        report.submission.opened_on, report.submission.opened_by = today, label


async def answer_broken(request: Request, error: Exception) -> Response:
    """On any page that needs the report open."""
    assert isinstance(error, BrokenReportError)
    await current_session(request)
    return render(request, "report_broken.html", 409, submission=error.submission, swapped=error.swapped)


def _show_incident(request: Request, report: OpenReport, file: ShownFile) -> Response:
    return render(request, "report_file_incident.html", 409, submission=report.submission, file=file)


def _blobs(request: Request) -> Blobs:
    return Blobs(request.app.state.settings.data / "blobs")


routes = [
    Route("/reports/{id:id}", show_page),
    Route("/reports/{id:id}/letters/{letter:id}", show_letter),
    Route("/reports/{id:id}/files/{number:number}", send_file),
]
