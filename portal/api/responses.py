# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON answers and errors of the API: the one place where refusals become HTTP (docs/protocol.md §7.3)."""

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from portal.api.refusals import Refusal
from portal.kit.body import BodyTooLargeError
from portal.kit.columns import UnreadableError
from portal.kit.waiting_line import LineFullError
from portal.storage.errors import BusyError, StorageFullError

RETRY_SECONDS = "5"
# The work itself is the pause.
WORK_RETRY_SECONDS = "1"
FULL_RETRY_SECONDS = "3600"

ERRORS: dict[str, tuple[int, str]] = {
    "malformed-bundle": (400, "The bundle does not follow the format, or is not complete."),
    "malformed-manifest": (400, "The manifest does not follow the format."),
    "malformed-request": (400, "The request does not follow the interface."),
    "finding-malformed": (400, "The finding does not follow the format."),
    "digest-missing": (400, "The header Content-Digest with sha-256 is missing."),
    "digest-mismatch": (400, "The body does not match Content-Digest."),
    "not-sealed": (400, "The file is not sealed in the only accepted way."),
    "signature-missing": (401, "The request is not signed."),
    "signature-invalid": (401, "The signature does not verify."),
    "signature-expired": (401, "The signature was made too long ago, or in the future."),
    "signature-replayed": (401, "The signature was used before."),
    "not-your-commission": (403, "This belongs to another commission."),
    "invitation-invalid": (403, "A first charter needs an unused invitation for its name."),
    "not-found": (404, "There is nothing at this address."),
    "mailbox-closed": (404, "The reporter has closed this mailbox."),
    "charter-unknown": (404, "This portal does not know the charter."),
    "method-not-allowed": (405, "This address does not accept the method."),
    "part-conflict": (409, "Another part is stored under this index, or one that is the last."),
    "submission-conflict": (409, "Another submission is stored under this id."),
    "state-conflict": (409, "The mailbox has another state than the one to be replaced. Read it again."),
    "reply-number": (409, "The last reply of the thread is another one, or has no lower number."),
    "thread-number": (409, "The thread note does not have a higher number than the one before."),
    "charter-conflict": (409, "The commission has another charter of this number."),
    "damaged": (409, "What is stored of it is damaged. Nothing was acknowledged, and sending it again does not help."),
    "office-elsewhere": (409, "Another office of this commission is at work."),
    "already-accepted": (409, "The submission was already accepted; no more parts can be added."),
    "finding-number": (409, "The finding does not have the next number, or is not the next revision."),
    "finding-conflict": (409, "Another text is published under this number and revision, or it does not follow."),
    "too-large": (413, "The request is larger than allowed."),
    "unsupported-media-type": (415, "The media type of the body is not accepted here."),
    "file-missing": (422, "A file named in the manifest is missing."),
    "parts-needed": (422, "Under pressure attachments are taken in parts only, before the bundle, each with its work."),
    "file-size-mismatch": (422, "A file has another size than in the manifest."),
    "file-hash-mismatch": (422, "A file has another hash than in the manifest."),
    "charter-expired": (422, "The charter is not valid today."),
    "charter-invalid": (422, "The charter breaks a rule."),
    "grant-slots": (422, "The grant does not have the charter's number of stanzas."),
    "finding-signatures": (422, "The finding is not signed by the required members."),
    "mailbox-full": (429, "Too many messages wait in this mailbox."),
    "internal": (500, "Something went wrong on the portal. Nothing was acknowledged; send it again."),
    "busy": (503, "Too many requests are being handled. Send it again in a moment."),
    "unavailable": (503, "The portal's disk or database takes nothing. Nothing was acknowledged; send it again later."),
    "work-needed": (503, "Strangers are asked for the work that is said here, before this is taken in."),
    "storage-full": (507, "There is no space left. Nothing was acknowledged."),
}


def json_response(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def error_response(code: str, field: str | None = None, **beside: Any) -> Response:
    status, message = ERRORS[code]
    answer = json_response({"error": {"code": code, "message": message, "field": field}, **beside}, status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = WORK_RETRY_SECONDS if code == "work-needed" else RETRY_SECONDS
    if code == "storage-full":
        # Room comes with the next sweep, or on another day.
        answer.headers["Retry-After"] = FULL_RETRY_SECONDS
    return answer


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """Return Starlette's handlers for the expected errors under ``/api``."""
    return {
        Refusal: _refused,
        BodyTooLargeError: _answer_with("too-large"),
        BusyError: _answer_with("busy"),
        LineFullError: _answer_with("busy"),
        StorageFullError: _answer_with("storage-full"),
        UnreadableError: _answer_with("damaged"),
        # Nobody reads this answer: the client has gone.
        ClientDisconnect: _answer_with("malformed-request"),
        HTTPException: _http_error,
    }


def _answer_with(code: str) -> ExceptionHandler:
    def answer(_: Request, __: Exception) -> Response:
        return error_response(code)

    return answer


def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return error_response(refusal.code, refusal.field, **refusal.beside)


def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = error_response({404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "malformed-request"))
    answer.headers.update(error.headers or {})
    return answer
