# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed part of docs/protocol.md §10: verify, one call, answer."""

import re

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from crypto.document import Fields
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.office_api.pickup import Pickup
from portal.office_api.request_signature import RequestVerifier

NOTE_BYTES_MAX = 16 * 1024
# A reply of this size, in base64, still fits into a mailbox answer.
REPLY_BYTES_MAX = 700 * 1024
SMALL_BYTES_MAX = 1024
SEQUENCE_MAX = 2**53
_SEQUENCE = re.compile(r"[0-9]{1,16}")


class OfficeViews:
    """One method for each request of an office."""

    def __init__(self, verifier: RequestVerifier, pickup: Pickup) -> None:
        self._verifier = verifier
        self._pickup = pickup

    def routes(self) -> list[Route]:
        return [
            Route("/office/submissions", self.submissions),
            Route("/office/submissions/{submission}/files/{name}", self.file),
            Route("/office/submissions/{submission}/collection", self.collect, methods=["POST"]),
            Route("/office/submissions/{submission}/replies", self.reply, methods=["POST"]),
            Route("/office/follow-ups", self.follow_ups),
            Route("/office/follow-ups/collection", self.forget_follow_ups, methods=["POST"]),
        ]

    async def submissions(self, request: Request) -> Response:
        office = await self._verifier.verify(request)
        return json_response(await self._pickup.submissions(office.slug, _after(request)))

    async def file(self, request: Request) -> Response:
        office = await self._verifier.verify(request)
        content = await self._pickup.file(office.slug, _submission(request), request.path_params["name"])
        return StreamingResponse(content, media_type="application/octet-stream")

    async def collect(self, request: Request) -> Response:
        office = await self._verifier.verify(request, NOTE_BYTES_MAX)
        await self._pickup.collect(office.charter, _submission(request), office.body)
        return json_response({"status": "accepted"})

    async def reply(self, request: Request) -> Response:
        office = await self._verifier.verify(request, REPLY_BYTES_MAX)
        new = await self._pickup.reply(office.slug, _submission(request), office.body)
        return json_response({"status": "accepted"}, 201 if new else 200)

    async def follow_ups(self, request: Request) -> Response:
        office = await self._verifier.verify(request)
        return json_response(await self._pickup.follow_ups(office.slug, _after(request)))

    async def forget_follow_ups(self, request: Request) -> Response:
        office = await self._verifier.verify(request, SMALL_BYTES_MAX)
        try:
            fields = Fields(msgspec.json.decode(office.body), "request")
            up_to = fields.integer("up_to", 0, SEQUENCE_MAX)
            fields.end()
        except (msgspec.DecodeError, UnicodeDecodeError, CryptoError):
            raise Refusal("malformed-request") from None
        await self._pickup.forget_follow_ups(office.slug, up_to)
        return json_response({"status": "accepted"})


def _submission(request: Request) -> SubmissionId:
    """The submission that the path names, whatever it is: ``Pickup`` looks at its form."""
    return SubmissionId(request.path_params["submission"])


def _after(request: Request) -> int:
    value = request.query_params.get("after", "0")
    if not _SEQUENCE.fullmatch(value) or int(value) > SEQUENCE_MAX:
        raise Refusal("malformed-request")
    return int(value)
