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
from crypto.statement import NUMBER_MAX
from portal.api.content_digest import check_digest
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.api.work import StrangersWork
from portal.kit.body import read_body
from portal.mailbox.change import Credentials, make_change
from portal.mailbox.mailboxes import Mailboxes

ASK_BYTES_MAX = 1024
CHANGE_BYTES_MAX = 160 * 1024


class MailboxViews:
    """Ids and tokens are sent in bodies, so that no URL holds them."""

    def __init__(self, mailboxes: Mailboxes, work: StrangersWork, realm: str) -> None:
        self._mailboxes = mailboxes
        self._work = work
        self._realm = realm

    def routes(self) -> list[Route]:
        return [
            Route("/mailbox", self.read, methods=["POST"]),
            Route("/mailbox/changes", self.change, methods=["POST"]),
        ]

    async def read(self, request: Request) -> Response:
        fields = _fields(await read_body(request, ASK_BYTES_MAX))
        try:
            credentials = _credentials(fields)
            after = fields.integer("after", 0, NUMBER_MAX) if fields.has("after") else 0
            fields.end()
        except CryptoError:
            raise Refusal("malformed-request") from None
        answer = await self._mailboxes.read(credentials, after)
        return Response(answer, media_type="application/octet-stream")

    async def change(self, request: Request) -> Response:
        with self._work.admit(request):
            return await self._change(request)

    async def _change(self, request: Request) -> Response:
        body = await read_body(request, CHANGE_BYTES_MAX)
        check_digest(request, body)
        fields = _fields(body)
        try:
            credentials = _credentials(fields)
            note = fields.text("control", CHANGE_BYTES_MAX)
            state = decode_base64(fields.text("state", CHANGE_BYTES_MAX))
            follow_up = _optional_base64(fields, "follow_up")
            fields.end()
        except CryptoError:
            raise Refusal("malformed-request") from None
        await self._mailboxes.change(make_change(credentials, note, state, follow_up, self._realm))
        return json_response({"status": "accepted"}, 202)


def _fields(body: bytes) -> Fields:
    try:
        value: Any = msgspec.json.decode(body)
        return Fields(value, "request")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, CryptoError):
        raise Refusal("malformed-request") from None


def _credentials(fields: Fields) -> Credentials:
    return Credentials(fields.hex("mailbox", ID_BYTES), bytes.fromhex(fields.hex("token", HASH_BYTES)))


def _optional_base64(fields: Fields, name: str) -> bytes | None:
    value = fields.take(name)
    return None if value is None else decode_base64(Fields({name: value}, fields.where).text(name, CHANGE_BYTES_MAX))
