# SPDX-License-Identifier: AGPL-3.0-or-later
"""The mailbox part of docs/protocol.md §8 and §9."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.document import Fields
from crypto.encoding import HASH_BYTES, ID_BYTES, decode_base64
from crypto.errors import CryptoError
from crypto.ids import MessageId
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.kit.body import read_body
from portal.mailbox.mailboxes import Credentials, Mailboxes

ASK_BYTES_MAX = 1024
FOLLOW_UP_BYTES_MAX = 128 * 1024


class MailboxViews:
    """Ids and tokens are sent in bodies, so that no URL holds them."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    def routes(self) -> list[Route]:
        return [
            Route("/mailbox", self.read, methods=["POST"]),
            Route("/mailbox/follow-ups", self.follow_up, methods=["POST"]),
        ]

    async def read(self, request: Request) -> Response:
        fields = _fields(await read_body(request, ASK_BYTES_MAX))
        try:
            credentials = _credentials(fields)
            after = MessageId(fields.hex("after", ID_BYTES)) if fields.has("after") else None
            fields.end()
        except CryptoError:
            raise Refusal("malformed-request") from None
        answer = await self._mailboxes.read(credentials, after)
        return Response(answer, media_type="application/octet-stream")

    async def follow_up(self, request: Request) -> Response:
        fields = _fields(await read_body(request, FOLLOW_UP_BYTES_MAX))
        try:
            credentials = _credentials(fields)
            sealed = decode_base64(fields.text("sealed", FOLLOW_UP_BYTES_MAX))
            fields.end()
        except CryptoError:
            raise Refusal("malformed-request") from None
        await self._mailboxes.add_follow_up(credentials, sealed)
        return json_response({"status": "accepted"}, 202)


def _fields(body: bytes) -> Fields:
    try:
        value: Any = msgspec.json.decode(body)
        return Fields(value, "request")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, CryptoError):
        raise Refusal("malformed-request") from None


def _credentials(fields: Fields) -> Credentials:
    return Credentials(fields.hex("mailbox", ID_BYTES), bytes.fromhex(fields.hex("token", HASH_BYTES)))
