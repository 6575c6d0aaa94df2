# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed part of docs/protocol.md §10: verify, one call, answer."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from crypto.ids import SubmissionId
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.api.turns import SharedTurns
from portal.charters.newest import NewestNotes
from portal.kit.waiting_line import WaitingLine
from portal.office_api.announcements import Announcements
from portal.office_api.bodies import (
    ANNOUNCEMENT_BYTES_MAX,
    NOTE_BYTES_MAX,
    REPLY_BYTES_MAX,
    THREADS_BYTES_MAX,
    read_announcement,
    read_reply,
    read_threads,
    read_visit,
)
from portal.office_api.controls import Controls
from portal.office_api.follow_ups import FollowUps
from portal.office_api.holdings import Holdings
from portal.office_api.pickup import Pickup
from portal.office_api.request_signature import RequestVerifier
from portal.office_api.threads import Threads
from portal.office_api.visits import Visits

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
    visits: Visits
    holdings: Holdings
    announcements: Announcements
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
            Route("/office/visits", self.begin_visit, methods=["POST"]),
            Route("/office/visits/end", self.end_visit, methods=["POST"]),
            Route("/office/holdings", self.list_holdings),
            Route("/office/submissions/{submission}/mailbox", self.mailbox),
            Route("/office/submissions/{submission}/announcement", self.announce, methods=["POST"]),
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
        reply = await self.work.run(read_reply, office.body, _submission(request))
        posting, new = await self.threads.post_reply(office.charter, reply)
        return json_response({"posting": posting}, 201 if new else 200)

    async def thread(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.threads.thread(office.slug, _submission(request)))

    async def post_threads(self, request: Request) -> Response:
        office = await self.verifier.verify(request, THREADS_BYTES_MAX)
        notes = await self.work.run(read_threads, office.body)
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

    async def begin_visit(self, request: Request) -> Response:
        office = await self.verifier.verify(request, NOTE_BYTES_MAX)
        process, mark = read_visit(office.body)
        visit = await self.visits.begin(office.slug, process, mark)
        return json_response({"mark": visit.mark, "known": visit.known})

    async def end_visit(self, request: Request) -> Response:
        office = await self.verifier.verify(request, NOTE_BYTES_MAX)
        await self.visits.end(office.slug, read_visit(office.body)[0])
        return json_response({"status": "accepted"})

    async def list_holdings(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.holdings.listing(office.slug, _after(request)))

    async def mailbox(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        return json_response(await self.holdings.mailbox(office.slug, _submission(request)))

    async def announce(self, request: Request) -> Response:
        office = await self.verifier.verify(request, ANNOUNCEMENT_BYTES_MAX)
        announced = await self.work.run(read_announcement, office.body, _submission(request))
        is_new = await self.announcements.take(office.charter, announced)
        return json_response({"status": "accepted"}, 201 if is_new else 200)

    async def problems(self, request: Request) -> Response:
        office = await self.verifier.verify(request)
        found = [{"kind": kind, "name": name} for kind, name in self.not_shown(office.slug)]
        return json_response({"problems": found[:PROBLEMS_MAX]})


def _submission(request: Request) -> SubmissionId:
    """The submission that the path names, whatever it is: ``own_submission`` looks at its form."""
    return SubmissionId(request.path_params["submission"])


def _after(request: Request) -> int:
    value = request.query_params.get("after", "0")
    if not _SEQUENCE.fullmatch(value) or int(value) > SEQUENCE_MAX:
        raise Refusal("malformed-request")
    return int(value)
