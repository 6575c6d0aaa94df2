# SPDX-License-Identifier: AGPL-3.0-or-later
"""The intake part of docs/protocol.md §7: parts and submissions."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.bundle import BUNDLE_MAX, MEDIA_TYPE
from crypto.ids import SubmissionId
from portal.api.content_digest import content_digest
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.intake.acceptance import Acceptance
from portal.intake.parts import Parts
from portal.kit.body import BodyTooLargeError
from portal.storage.blobs import FILE, INDEX_MAX, PART_BYTES
from portal.storage.errors import BusyError

SILENCE_SECONDS_MAX = 120
# Slower than any connection that could carry a report. A body may take its size at this rate, plus the silence above.
SLOWEST_BYTES_PER_SECOND = 1024
_ID = re.compile(r"[0-9a-f]{32}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,3}")


class IntakeViews:
    """``under_way_max`` limits the bodies read at once in this process; above it, clients are told to try again."""

    def __init__(self, acceptance: Acceptance, parts: Parts, under_way_max: int) -> None:
        self._acceptance = acceptance
        self._parts = parts
        self._under_way_max = under_way_max
        self._under_way = 0

    def routes(self) -> list[Route]:
        return [
            Route("/submissions", self.submit, methods=["POST"]),
            Route("/uploads/{submission}", self.list_parts),
            Route("/uploads/{submission}/{file}/{index}", self.put_part, methods=["PUT"]),
        ]

    async def submit(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise Refusal("unsupported-media-type")
        _check_length(request, BUNDLE_MAX)
        with self._turn():
            outcome = await self._acceptance.accept(_steady(request.stream()))
        answer = {"acknowledgement": outcome.acknowledgement, "status": "accepted"}
        return json_response(answer, 200 if outcome.repeated else 201)

    async def put_part(self, request: Request) -> Response:
        submission = _submission(request)
        file, index = request.path_params["file"], request.path_params["index"]
        if not FILE.fullmatch(file) or not _INDEX.fullmatch(index) or int(index) >= INDEX_MAX:
            raise Refusal("malformed-request")
        digest = content_digest(request)
        _check_length(request, PART_BYTES)
        with self._turn():
            new = await self._parts.take(submission, file, int(index), digest, _steady(request.stream()))
        return json_response({"status": "stored"}, 201 if new else 200)

    async def list_parts(self, request: Request) -> Response:
        submission = _submission(request)
        parts = await self._parts.listing(submission)
        listed = [{"file": part.file, "index": part.index, "size": part.size, "sha256": part.sha256} for part in parts]
        return json_response({"parts": listed})

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._under_way >= self._under_way_max:
            raise BusyError
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


async def _steady(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks of a body. Raises ClientDisconnect when it is too slow, so that it does not hold up others."""
    deadline = asyncio.get_running_loop().time() + SILENCE_SECONDS_MAX
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ClientDisconnect from None
        deadline += len(chunk) / SLOWEST_BYTES_PER_SECOND
        yield chunk


def _submission(request: Request) -> SubmissionId:
    """The submission that the path names. Raises Refusal ``malformed-request`` for what is no id."""
    identifier = request.path_params["submission"]
    if not _ID.fullmatch(identifier):
        raise Refusal("malformed-request")
    return SubmissionId(identifier)


def _check_length(request: Request, bytes_max: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise BodyTooLargeError
