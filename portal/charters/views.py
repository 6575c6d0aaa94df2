# SPDX-License-Identifier: AGPL-3.0-or-later
"""The open part of docs/protocol.md §10: the portal's key, and reading and adding charters."""

from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from crypto.charter import Charter
from crypto.ids import CharterHash
from crypto.note import NOTE_BYTES_MAX, VerifierKey
from portal.api.responses import json_response
from portal.charters.known import Charters
from portal.charters.newest import NewestNotes
from portal.kit.body import read_body


class CharterViews:
    """Requests without a signature: the notes are signed."""

    def __init__(self, charters: Charters, newest: NewestNotes, verifier: VerifierKey) -> None:
        self._charters = charters
        self._newest = newest
        self._verifier = verifier

    def routes(self) -> list[Route]:
        return [
            Route("/portal", self.portal),
            Route("/charters", self.take, methods=["POST"]),
            Route("/charters/{hash}", self.by_hash),
            Route("/charters/{hash}/chain", self.chain),
            Route("/charters/{hash}/successors", self.successors),
            Route("/commissions/{slug}/charter", self.newest),
        ]

    async def portal(self, request: Request) -> Response:
        charters = self._charters
        return json_response(
            {
                "origin": charters.origin,
                "realm": charters.realm,
                "verifier": str(self._verifier),
                "charters": [charter.hash for charter in charters.all_newest()],
            }
        )

    async def by_hash(self, request: Request) -> Response:
        return _note(await self._charters.get(CharterHash(request.path_params["hash"])))

    async def newest(self, request: Request) -> Response:
        return _note(self._charters.newest(request.path_params["slug"]))

    async def chain(self, request: Request) -> Response:
        """The whole chain: the same bytes for whichever charter of it is named."""
        charter = await self._charters.get(CharterHash(request.path_params["hash"]))
        return await self._tell(charter.slug, self._charters.chain(charter.slug))

    async def successors(self, request: Request) -> Response:
        charter = await self._charters.get(CharterHash(request.path_params["hash"]))
        return await self._tell(charter.slug, await self._charters.successors(charter.hash))

    async def _tell(self, slug: str, charters: list[Charter]) -> Response:
        newest = msgspec.json.encode(await self._newest.latest(slug))
        pieces = list(_pieces([self._charters.as_json(each) for each in charters], newest))
        length = {"content-length": str(sum(map(len, pieces)))}
        return StreamingResponse(_one_by_one(pieces), headers=length, media_type="application/json")

    async def take(self, request: Request) -> Response:
        note = await read_body(request, NOTE_BYTES_MAX)
        new = await self._charters.take(note, request.headers.get("amparo-invitation"))
        return json_response({"status": "accepted"}, 201 if new else 200)


def _pieces(notes: Sequence[bytes], newest: bytes) -> Iterator[bytes]:
    yield b'{"charters":['
    for number, note in enumerate(notes):
        if number:
            yield b","
        yield note
    yield b'],"newest":' + newest + b"}"


async def _one_by_one(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _note(charter: Charter) -> Response:
    return Response(charter.note, media_type="text/plain; charset=utf-8")
