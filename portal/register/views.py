# SPDX-License-Identifier: AGPL-3.0-or-later
"""The requests of an office to the register (docs/protocol.md §14.4): verify, one call, answer."""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.finding import FINDING_BYTES_MAX
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.office_api.request_signature import RequestVerifier
from portal.register.live import LiveRegister

# The text, and 64 signature lines with the longest names.
NOTE_BYTES_MAX = FINDING_BYTES_MAX + 64 * 1024
_SEQUENCE = re.compile(r"[0-9]{1,15}")


class FindingViews:
    """Publish a finding, and list the published ones."""

    def __init__(self, verifier: RequestVerifier, register: LiveRegister) -> None:
        self._verifier = verifier
        self._register = register

    def routes(self) -> list[Route]:
        return [
            Route("/office/findings", self.listing),
            Route("/office/findings", self.take, methods=["POST"]),
        ]

    async def listing(self, request: Request) -> Response:
        office = await self._verifier.verify(request)
        after = request.query_params.get("after", "0")
        if not _SEQUENCE.fullmatch(after):
            raise Refusal("malformed-request")
        return json_response(await self._register.findings.listing(office.slug, int(after)))

    async def take(self, request: Request) -> Response:
        office = await self._verifier.verify(request, NOTE_BYTES_MAX)
        new = await self._register.publish(office.slug, office.body)
        return json_response({"status": "accepted"}, 201 if new else 200)
