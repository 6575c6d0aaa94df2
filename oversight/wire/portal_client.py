# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's side of the wire: every request to the portal starts here (docs/protocol.md §10).

Answers are limited in size and in time. A file is checked against the manifest's size and hash while it streams in.
What goes wrong: ``portal_errors``.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, TypeVar

from crypto.document import Fields
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.ids import FindingId, SubmissionId
from crypto.manifest import SealedFile
from crypto.note import SigningKey
from oversight.wire.connection import Answer, Connection
from oversight.wire.json_answer import read_json
from oversight.wire.patience import Patience
from oversight.wire.portal_errors import DamagedFile, PortalRefused, PortalUnreachable
from oversight.wire.portal_responses import (
    Page,
    PortalInfo,
    PortalProblem,
    ThreadStanding,
    WaitingControl,
    WaitingFollowUp,
    WaitingSubmission,
    read_controls,
    read_follow_ups,
    read_info,
    read_next_finding,
    read_posting_answer,
    read_problems,
    read_refused_threads,
    read_submissions,
    read_thread_standing,
)
from oversight.wire.request_signature import RequestSigner

# A page of 100 follow-ups of the greatest size, in base64.
ANSWER_BYTES_MAX = 10 * 1024 * 1024
SMALL_ANSWER_BYTES_MAX = 64 * 1024
ERROR_BYTES_MAX = 16 * 1024
WRITE_BYTES = 256 * 1024
ANSWER_SECONDS_MAX = 120.0
API = "/api/v1"
AFTER_ALL = 10**15 - 1
# Codes of a portal that will do later what it can't do now.
TEMPORARY = frozenset({"busy", "unavailable"})
NOTE_TYPE = "text/plain; charset=utf-8"
T = TypeVar("T")


class Sink(Protocol):
    """Where a file's bytes go; called in a thread, because disks block."""

    def write(self, chunk: bytes, /) -> object: ...


@dataclass(frozen=True)
class SealedThreadNote:
    """A thread note on its way; ``number`` stands outside too, so that the portal keeps the newest."""

    submission: SubmissionId
    number: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class _Request:
    """What is asked, below the API's path; only what an office alone may ask is signed."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True


class PortalClient:
    """Requests of one office to one portal.

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

    async def portal_info(self) -> PortalInfo:
        """The portal's origin and verifier key, as it says itself."""
        return await self._json(read_info, _Request("GET", "/portal", signed=False))

    async def post_charter(self, note: bytes, invitation: str | None = None) -> None:
        """Publish a charter; the first one of a commission needs the operator's invitation."""
        headers = {"Content-Type": NOTE_TYPE}
        if invitation is not None:
            headers["Amparo-Invitation"] = invitation
        await self._body(_Request("POST", "/charters", note, headers, signed=False))

    async def submissions(self, after: int) -> Page[WaitingSubmission]:
        """At most 100 submissions with a sequence above ``after``."""
        return await self._json(read_submissions, _Request("GET", f"/office/submissions?after={after}"))

    async def fetch_file(self, submission: SubmissionId, file: SealedFile, sink: Sink, patience: Patience) -> None:
        """Stream a sealed file into ``sink`` and check it; ``patience`` may be that of several files together.

        Raises DamagedFile when size or hash differ; the sink then holds bytes that must be thrown away.
        """
        path = f"/office/submissions/{submission}/files/{file.name}"
        digest, received, kept = hashlib.sha256(), 0, bytearray()
        async with self._answer(_Request("GET", path), patience) as answer:
            async for piece in answer.pieces():
                received += len(piece)
                if received > file.size:
                    raise DamagedFile(file.name, "size")
                kept += piece
                if len(kept) >= WRITE_BYTES:
                    await asyncio.to_thread(_put, bytes(kept), digest, sink)
                    kept.clear()
        await asyncio.to_thread(_put, bytes(kept), digest, sink)
        if received != file.size:
            raise DamagedFile(file.name, "size")
        if digest.hexdigest() != file.sha256:
            raise DamagedFile(file.name, "hash")

    async def collect(self, submission: SubmissionId, note: bytes) -> None:
        """Confirm a collection by its signed note; from now on the portal may delete after the grace."""
        await self._post(f"/office/submissions/{submission}/collection", note)

    async def post_reply(self, posting: bytes, last: int, sealed: bytes, thread: SealedThreadNote) -> bytes:
        """Put a sealed reply and a thread note into the reporter's mailbox; the posting note that the portal has of it.

        ``last`` is the number of the reply that the portal should have before it. A repeat changes nothing, and gives
        the posting of the first time.
        """
        note = {"number": thread.number, "sealed": encode_base64(thread.sealed)}
        value = {"posting": posting.decode("utf-8"), "last": last, "sealed": encode_base64(sealed), "thread": note}
        return await self._post_json(read_posting_answer, f"/office/submissions/{thread.submission}/replies", value)

    async def thread(self, submission: SubmissionId) -> ThreadStanding:
        """What the portal has of a thread."""
        return await self._json(read_thread_standing, _Request("GET", f"/office/submissions/{submission}/thread"))

    async def post_threads(self, notes: Sequence[SealedThreadNote]) -> tuple[SubmissionId, ...]:
        """Hand over 1 to 32 thread notes; the threads of those that the portal did not take."""
        threads = [
            {"submission": note.submission, "number": note.number, "sealed": encode_base64(note.sealed)}
            for note in notes
        ]
        return await self._post_json(read_refused_threads, "/office/threads", {"threads": threads})

    async def follow_ups(self, after: int) -> Page[WaitingFollowUp]:
        """At most 100 follow-ups with a sequence above ``after``."""
        return await self._json(read_follow_ups, _Request("GET", f"/office/follow-ups?after={after}"))

    async def follow_ups_collected(self, receipt: bytes) -> None:
        """Confirm the follow-ups that a signed receipt names; the portal deletes them after the grace."""
        await self._post("/office/follow-ups/collection", receipt)

    async def controls(self, after: int) -> Page[WaitingControl]:
        """At most 100 control notes, which delete or close, with a sequence above ``after``."""
        return await self._json(read_controls, _Request("GET", f"/office/controls?after={after}"))

    async def post_control(self, submission: SubmissionId, note: bytes) -> None:
        """Bring a control note again, to a portal that was restored and lacks it."""
        await self._post(f"/office/submissions/{submission}/control", note)

    async def post_newest_charter(self, note: bytes) -> None:
        """Hand over the note that says which charter is the newest today."""
        await self._post("/office/newest-charter", note)

    async def publish_finding(self, note: bytes) -> None:
        """Hand a signed finding to the register; a repeat changes nothing."""
        await self._post("/office/findings", note)

    async def next_finding(self) -> FindingId:
        """The id that the commission's next finding must have, if it is published today."""
        return await self._json(read_next_finding, _Request("GET", f"/office/findings?after={AFTER_ALL}"))

    async def problems(self) -> tuple[PortalProblem, ...]:
        """What of this commission the portal can't show, by its own account; nothing, if it is too old to say so."""
        try:
            return await self._json(read_problems, _Request("GET", "/office/problems"))
        except PortalRefused as error:
            if error.code == "not-found":
                return ()
            raise

    async def _post(self, path: str, note: bytes) -> None:
        await self._body(_Request("POST", path, note, {"Content-Type": NOTE_TYPE}))

    async def _post_json(self, read: Callable[[Any], T], path: str, value: Any) -> T:
        body = json.dumps(value).encode("ascii")
        return await self._json(read, _Request("POST", path, body, {"Content-Type": "application/json"}))

    async def _json(self, read: Callable[[Any], T], request: _Request) -> T:
        """What ``read`` makes of the answer, off the loop."""
        return await asyncio.to_thread(_read, read, await self._body(request, ANSWER_BYTES_MAX))

    async def _body(self, request: _Request, bytes_max: int = SMALL_ANSWER_BYTES_MAX) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX), self._answer(request, Patience()) as answer:
                return await answer.whole(bytes_max)
        except TimeoutError:
            raise PortalUnreachable("the portal answers too slowly", "slow") from None

    @asynccontextmanager
    async def _answer(self, request: _Request, patience: Patience) -> AsyncIterator[Answer]:
        """An answer that is no refusal, its body not read yet. Raises PortalUnreachable, PortalRefused."""
        target = API + request.path
        signature = self._signer.headers(request.method, self._origin + target, request.body) if request.signed else {}
        headers = {**request.headers, **signature}
        async with self._connection.ask(request.method, target, request.body, headers, patience) as answer:
            if not answer.is_success:
                await _refuse(answer)
            yield answer


def _put(data: bytes, digest: "hashlib._Hash", sink: Sink) -> None:
    digest.update(data)
    sink.write(data)


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
