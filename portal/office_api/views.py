# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed part of docs/protocol.md §10: verify, one call, answer."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from crypto.document import Fields
from crypto.encoding import ID_BYTES, decode_base64
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.statement import NUMBER_MAX
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.api.turns import SharedTurns
from portal.charters.newest import NewestNotes
from portal.kit.waiting_line import WaitingLine
from portal.office_api.controls import Controls
from portal.office_api.follow_ups import FollowUps
from portal.office_api.pickup import Pickup
from portal.office_api.request_signature import RequestVerifier
from portal.office_api.threads import Outgoing, SealedThreadNote, Threads

NOTE_BYTES_MAX = 16 * 1024
THREADS_MAX = 32
THREAD_BASE64_MAX = 64 * 1024
THREADS_BYTES_MAX = THREADS_MAX * THREAD_BASE64_MAX
# More than a reply may have, so that a larger one is told what it is.
REPLY_BASE64_MAX = 1024 * 1024
REPLY_BYTES_MAX = REPLY_BASE64_MAX + THREAD_BASE64_MAX + NOTE_BYTES_MAX
SEQUENCE_MAX = 2**53
PROBLEMS_MAX = 100
# What can't be shown: ``charter`` and a hash, or ``finding`` and an id.
NotShown = tuple[str, str]
_SEQUENCE = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True)
class OfficeViews:
    """One method for each request of an office."""

    verifier: RequestVerifier
    pickup: Pickup
    threads: Threads
    messages: FollowUps
    commands: Controls
    newest: NewestNotes
    not_shown: Callable[[str], Sequence[NotShown]]
    downloads: SharedTurns
    work: WaitingLine = field(default_factory=WaitingLine)

    def routes(self) -> list[Route]:
        file = Route("/office/submissions/{submission}/files/{name}", self.file)
        # Starlette adds HEAD, for which the whole file would be read and nothing of it sent.
        file.methods = {"GET"}
        return [
            Route("/office/submissions", self.submissions),
            file,
            Route("/office/submissions/{submission}/collection", self.collect, methods=["POST"]),
            Route("/office/submissions/{submission}/replies", self.reply, methods=["POST"]),
            Route("/office/submissions/{submission}/thread", self.thread),
            Route("/office/submissions/{submission}/control", self.bring_control, methods=["POST"]),
            Route("/office/threads", self.post_threads, methods=["POST"]),
            Route("/office/follow-ups", self.follow_ups),
            Route("/office/follow-ups/collection", self.confirm_follow_ups, methods=["POST"]),
            Route("/office/controls", self.controls),
            Route("/office/problems", self.problems),
            Route("/office/newest-charter", self.newest_charter, methods=["POST"]),
        ]

    async def submissions(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.pickup.submissions(office.slug, _after(request)))

    async def file(self, request: Request) -> ASGIApp:
        office = await self.verifier.verify(request)

        # Not before the signature is verified, and as long as the office reads.
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            with self.downloads.turn(office.slug):
                content = await self.pickup.file(office.slug, _submission(request), request.path_params["name"])
                await StreamingResponse(content, media_type="application/octet-stream")(scope, receive, send)

        return answer

    async def collect(self, request: Request) -> Response:
        office = await self.verifier.verify(request, NOTE_BYTES_MAX)
        await self.pickup.collect(office.charter, _submission(request), office.body)
        return json_response({"status": "accepted"})

    async def reply(self, request: Request) -> Response:
        office = await self.verifier.verify(request, REPLY_BYTES_MAX)
        reply = await self.work.run(_read_reply, office.body, _submission(request))
        posting, new = await self.threads.post_reply(office.charter, reply)
        return json_response({"posting": posting}, 201 if new else 200)

    async def thread(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.threads.thread(office.slug, _submission(request)))

    async def post_threads(self, request: Request) -> Response:
        office = await self.verifier.verify(request, THREADS_BYTES_MAX)
        notes = await self.work.run(_read_threads, office.body)
        return json_response({"refused": await self.threads.post_notes(office.slug, notes)})

    async def follow_ups(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.messages.listing(office.slug, _after(request)))

    async def confirm_follow_ups(self, request: Request) -> Response:
        office = await self.verifier.verify(request, NOTE_BYTES_MAX)
        await self.messages.confirm(office.charter, office.body)
        return json_response({"status": "accepted"})

    async def controls(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.commands.listing(office.slug, _after(request)))

    async def bring_control(self, request: Request) -> Response:
        office = await self.verifier.verify(request, NOTE_BYTES_MAX)
        await self.commands.bring(office.slug, _submission(request), office.body)
        return json_response({"status": "accepted"})

    async def newest_charter(self, request: Request) -> Response:
        office = await self.verifier.verify(request, NOTE_BYTES_MAX)
        await self.newest.take(office.slug, office.body)
        return json_response({"status": "accepted"})

    async def problems(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        found = [{"kind": kind, "name": name} for kind, name in self.not_shown(office.slug)]
        return json_response({"problems": found[:PROBLEMS_MAX]})


def _read_reply(body: bytes, submission: SubmissionId) -> Outgoing:
    try:
        fields = _fields(body)
        thread = fields.child("thread")
        reply = Outgoing(
            posting=fields.text("posting", NOTE_BYTES_MAX),
            last=fields.integer("last", 0, SEQUENCE_MAX),
            sealed=decode_base64(fields.text("sealed", REPLY_BASE64_MAX)),
            thread=_read_thread_note(thread, submission),
        )
        thread.end()
        fields.end()
        return reply
    except CryptoError:
        raise Refusal("malformed-request") from None


def _read_threads(body: bytes) -> tuple[SealedThreadNote, ...]:
    try:
        fields = _fields(body)
        notes = fields.items("threads", THREADS_MAX, _read_addressed_note)
        fields.end()
    except CryptoError:
        raise Refusal("malformed-request") from None
    if not notes:
        raise Refusal("malformed-request")
    return notes


def _read_addressed_note(item: object) -> SealedThreadNote:
    fields = Fields(item, "thread")
    note = _read_thread_note(fields, SubmissionId(fields.hex("submission", ID_BYTES)))
    fields.end()
    return note


def _read_thread_note(fields: Fields, submission: SubmissionId) -> SealedThreadNote:
    number = fields.integer("number", 1, NUMBER_MAX)
    return SealedThreadNote(submission, number, decode_base64(fields.text("sealed", THREAD_BASE64_MAX)))


def _fields(body: bytes) -> Fields:
    try:
        return Fields(msgspec.json.decode(body), "request")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("malformed-request") from None


def _submission(request: Request) -> SubmissionId:
    """The submission that the path names, whatever it is: ``own_submission`` looks at its form."""
    return SubmissionId(request.path_params["submission"])


def _after(request: Request) -> int:
    value = request.query_params.get("after", "0")
    if not _SEQUENCE.fullmatch(value) or int(value) > SEQUENCE_MAX:
        raise Refusal("malformed-request")
    return int(value)
