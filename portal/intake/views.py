# SPDX-License-Identifier: AGPL-3.0-or-later
"""The intake part of docs/protocol.md §7: parts and submissions."""

import re

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.bundle import BUNDLE_MAX, MEDIA_TYPE
from crypto.ids import SubmissionId
from portal.api.content_digest import content_digest, held_to_digest
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.api.turns import InTurn, RequestTurns
from portal.api.work import StrangersWork
from portal.intake.acceptance import Acceptance
from portal.intake.parts import Parts
from portal.kit.body import check_length
from portal.storage.blobs import FILE, INDEX_MAX, PART_BYTES

_ID = re.compile(r"[0-9a-f]{32}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,3}")


class IntakeViews:
    """What is sent before anybody knows from whom. How many at once: ``turns``."""

    def __init__(self, acceptance: Acceptance, parts: Parts, work: StrangersWork, turns: RequestTurns) -> None:
        self._acceptance = acceptance
        self._parts = parts
        self._work = work
        self._turns = turns

    def routes(self) -> list[Route]:
        bundles = Middleware(InTurn, choose=self._turns.for_bundle)
        parts = Middleware(InTurn, choose=lambda _: self._turns.parts)
        return [
            Route("/submissions", self.submit, methods=["POST"], middleware=[bundles]),
            Route("/uploads/{submission}", self.list_parts, middleware=[parts]),
            Route("/uploads/{submission}", self.drop_upload, methods=["DELETE"], middleware=[parts]),
            Route("/uploads/{submission}/{file}/{index}", self.put_part, methods=["PUT"], middleware=[parts]),
        ]

    async def submit(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise Refusal("unsupported-media-type")
        check_length(request.headers, BUNDLE_MAX)
        with self._work.admit(request):
            outcome = await self._acceptance.accept(held_to_digest(request))
        answer = {"acknowledgement": outcome.acknowledgement, "status": "accepted"}
        return json_response(answer, 200 if outcome.repeated else 201)

    async def put_part(self, request: Request) -> Response:
        submission = _submission(request)
        file, index = request.path_params["file"], request.path_params["index"]
        if not FILE.fullmatch(file) or not _INDEX.fullmatch(index) or int(index) >= INDEX_MAX:
            raise Refusal("malformed-request")
        digest = content_digest(request)
        check_length(request.headers, PART_BYTES)
        with self._work.admit(request):
            new = await self._parts.take(submission, file, int(index), digest, request.stream())
        return json_response({"status": "stored"}, 201 if new else 200)

    async def drop_upload(self, request: Request) -> Response:
        """The sender begins anew under the same id. Raises Refusal ``already-accepted``."""
        await self._acceptance.drop_upload(_submission(request))
        return json_response({"status": "dropped"})

    async def list_parts(self, request: Request) -> Response:
        submission = _submission(request)
        parts = await self._parts.listing(submission)
        listed = [{"file": part.file, "index": part.index, "size": part.size, "sha256": part.sha256} for part in parts]
        return json_response({"parts": listed})


def _submission(request: Request) -> SubmissionId:
    """The submission that the path names. Raises Refusal ``malformed-request`` for what is no id."""
    identifier = request.path_params["submission"]
    if not _ID.fullmatch(identifier):
        raise Refusal("malformed-request")
    return SubmissionId(identifier)
