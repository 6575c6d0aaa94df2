# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests to the portal, signed where an office alone may ask, and their answers with bounds (docs/protocol.md §10).

Answers are limited in size and in time. What goes wrong: ``portal_errors``.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from crypto.document import Fields
from crypto.errors import CryptoError
from crypto.note import SigningKey
from oversight.wire.connection import Answer, Connection
from oversight.wire.json_answer import read_json
from oversight.wire.patience import Patience
from oversight.wire.portal_errors import PortalRefused, PortalUnreachable
from oversight.wire.request_signature import RequestSigner

# A page of 100 follow-ups of the greatest size, in base64.
ANSWER_BYTES_MAX = 10 * 1024 * 1024
SMALL_ANSWER_BYTES_MAX = 64 * 1024
ERROR_BYTES_MAX = 16 * 1024
ANSWER_SECONDS_MAX = 120.0
API = "/api/v1"
# Codes of a portal that will do later what it can't do now.
TEMPORARY = frozenset({"busy", "unavailable"})
NOTE_TYPE = "text/plain; charset=utf-8"
T = TypeVar("T")


@dataclass(frozen=True)
class PortalRequest:
    """What is asked, below the API's path; only what an office alone may ask is signed."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True


class PortalRequests:
    """Asks one portal in the name of one office.

    ``connection`` leads to where the portal is reached, ``origin`` is the name it goes by, which signatures cover.
    ``office_key`` signs the requests, and the notes that travel in them.
    """

    def __init__(
        self,
        connection: Connection,
        origin: str,
        office_key: SigningKey,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.office_key = office_key
        self._origin = origin
        self._signer = RequestSigner(office_key, clock)
        self._connection = connection

    @property
    def answers(self) -> int:
        """How many requests were answered so far, whatever it was."""
        return self._connection.answers

    async def close(self) -> None:
        await self._connection.close()

    async def _post(self, path: str, note: bytes) -> None:
        await self._body(PortalRequest("POST", path, note, {"Content-Type": NOTE_TYPE}))

    async def _post_json(self, read: Callable[[Any], T], path: str, value: Any) -> T:
        body = json.dumps(value).encode("ascii")
        return await self._json(read, PortalRequest("POST", path, body, {"Content-Type": "application/json"}))

    async def _json(self, read: Callable[[Any], T], request: PortalRequest) -> T:
        """What ``read`` makes of the answer, off the loop."""
        return await asyncio.to_thread(_read, read, await self._body(request, ANSWER_BYTES_MAX))

    async def _body(self, request: PortalRequest, bytes_max: int = SMALL_ANSWER_BYTES_MAX) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX), self._answer(request, Patience()) as answer:
                return await answer.whole(bytes_max)
        except TimeoutError:
            raise PortalUnreachable("the portal answers too slowly", "slow") from None

    @asynccontextmanager
    async def _answer(self, request: PortalRequest, patience: Patience) -> AsyncIterator[Answer]:
        """An answer that is no refusal, its body not read yet. Raises PortalUnreachable, PortalRefused."""
        target = API + request.path
        signature = self._signer.headers(request.method, self._origin + target, request.body) if request.signed else {}
        headers = {**request.headers, **signature}
        async with self._connection.ask(request.method, target, request.body, headers, patience) as answer:
            if not answer.is_success:
                await _refuse(answer)
            yield answer


async def _refuse(answer: Answer) -> NoReturn:
    """Turn an error answer into PortalRefused; another answer (a proxy's error page) counts as unreachable."""
    body = await answer.whole(ERROR_BYTES_MAX)
    try:
        code = Fields(read_json(body), "answer").child("error").text("code", 64, r"[a-z][a-z0-9-]*")
    except (CryptoError, PortalUnreachable):
        raise PortalUnreachable(f"the portal answered {answer.status}", "error") from None
    if code in TEMPORARY:
        raise PortalUnreachable(f"the portal is {code}", code)
    raise PortalRefused(code, answer.status)


def _read(read: Callable[[Any], T], body: bytes) -> T:
    value = read_json(body)
    try:
        return read(value)
    except CryptoError:
        raise PortalUnreachable("the portal's answer can't be read", "unreadable") from None
