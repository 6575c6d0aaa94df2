# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's side of the wire: every request to the portal starts here (docs/protocol.md §10).

Answers are limited in size and in time, and read as they came, never decompressed. A file is checked against the
manifest's size and hash while it streams in.

    PortalError
    ├── PortalUnreachable   no answer, or one that no portal would give: try again later
    ├── PortalRefused       the portal says no, with a code of docs/protocol.md §7.3
    └── DamagedFile         the bytes are not those that the manifest names
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, TypeVar

import httpx

from crypto.document import Fields
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.ids import FindingId, SubmissionId
from crypto.manifest import SealedFile
from crypto.note import SigningKey
from oversight.wire.portal_responses import (
    ControlPage,
    FollowUpPage,
    PortalInfo,
    SubmissionPage,
    ThreadStanding,
    read_controls,
    read_follow_ups,
    read_info,
    read_next_finding,
    read_posting_answer,
    read_refused_threads,
    read_submissions,
    read_thread_standing,
)
from oversight.wire.request_signature import RequestSigner

ANSWER_BYTES_MAX = 16 * 1024 * 1024
NOTE_BYTES_MAX = 1024 * 1024
ERROR_BYTES_MAX = 16 * 1024
CHUNK_BYTES = 1024 * 1024
ANSWER_SECONDS_MAX = 120.0
SLOWEST_BYTES_PER_SECOND = 8 * 1024
API = "/api/v1"
AFTER_ALL = 10**15 - 1
NOTE_TYPE = "text/plain; charset=utf-8"
T = TypeVar("T")


class PortalError(Exception):
    """Base of what can go wrong with a request to the portal."""


class PortalUnreachable(PortalError):
    """No answer in time, or an answer that no portal would give. The same request can be made again later."""


class PortalRefused(PortalError):
    """The portal refused; ``code`` is one of docs/protocol.md §7.3."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"the portal refused: {code}")
        self.code = code
        self.status = status


class DamagedFile(PortalError):
    """A file differs from its entry in the manifest; ``what`` is ``size`` or ``hash``."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file} has another {what} than the manifest says")
        self.file = file
        self.what = what


class Sink(Protocol):
    """Where a file's bytes go; called in a thread, because disks block."""

    def write(self, chunk: bytes, /) -> object: ...


@dataclass(frozen=True)
class SealedThreadNote:
    """A thread note on its way; ``number`` stands outside too, so that the portal keeps the newest."""

    submission: SubmissionId
    number: int
    sealed: bytes = field(repr=False)


class PortalClient:
    """Requests of one office to one portal.

    ``portal_url`` is where the portal is reached, ``origin`` the name it goes by, which is what signatures cover.
    ``office_key`` signs the requests, and the notes that travel in them.
    """

    def __init__(
        self,
        portal_url: str,
        origin: str,
        office_key: SigningKey,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.office_key = office_key
        self._origin = origin
        self._signer = RequestSigner(office_key, clock)
        self._http = httpx.AsyncClient(
            base_url=portal_url,
            transport=transport,
            timeout=httpx.Timeout(30, connect=15),
            trust_env=False,
            headers={"User-Agent": "amparo-office", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def portal_info(self) -> PortalInfo:
        """The portal's origin and verifier key, as it says itself."""
        value = await self._json(self._request("GET", "/portal", signed=False))
        return _read(read_info, value)

    async def post_charter(self, note: bytes, invitation: str | None = None) -> None:
        """Publish a charter; the first one of a commission needs the operator's invitation."""
        headers = {"Content-Type": NOTE_TYPE}
        if invitation is not None:
            headers["Amparo-Invitation"] = invitation
        await self._body(self._request("POST", "/charters", note, headers, signed=False), ANSWER_BYTES_MAX)

    async def submissions(self, after: int) -> SubmissionPage:
        """At most 100 submissions with a sequence above ``after``."""
        return _read(read_submissions, await self._json(self._request("GET", f"/office/submissions?after={after}")))

    async def fetch_file(self, submission: SubmissionId, file: SealedFile, sink: Sink) -> None:
        """Stream a sealed file into ``sink`` and check it.

        Raises DamagedFile when size or hash differ; the sink then holds bytes that must be thrown away.
        """
        path = f"/office/submissions/{submission}/files/{file.name}"
        digest, received = hashlib.sha256(), 0
        seconds_max = ANSWER_SECONDS_MAX + file.size / SLOWEST_BYTES_PER_SECOND
        async with self._answer(self._request("GET", path), seconds_max) as answer:
            async for chunk in answer.aiter_raw(CHUNK_BYTES):
                received += len(chunk)
                if received > file.size:
                    raise DamagedFile(file.name, "size")
                digest.update(chunk)
                await asyncio.to_thread(sink.write, chunk)
        if received != file.size:
            raise DamagedFile(file.name, "size")
        if digest.hexdigest() != file.sha256:
            raise DamagedFile(file.name, "hash")

    async def collect(self, submission: SubmissionId, note: bytes) -> None:
        """Confirm a collection by its signed note; from now on the portal may delete after the grace."""
        await self._post(f"/office/submissions/{submission}/collection", note, NOTE_TYPE)

    async def post_reply(self, posting: bytes, last: int, sealed: bytes, thread: SealedThreadNote) -> bytes:
        """Put a sealed reply and a thread note into the reporter's mailbox; the posting note that the portal has of it.

        ``last`` is the number of the reply that the portal should have before it. A repeat changes nothing, and gives
        the posting of the first time.
        """
        note = {"number": thread.number, "sealed": encode_base64(thread.sealed)}
        value = {"posting": posting.decode("utf-8"), "last": last, "sealed": encode_base64(sealed), "thread": note}
        answer = await self._post_json(f"/office/submissions/{thread.submission}/replies", value)
        return _read(read_posting_answer, answer)

    async def thread(self, submission: SubmissionId) -> ThreadStanding:
        """What the portal has of a thread."""
        return _read(
            read_thread_standing, await self._json(self._request("GET", f"/office/submissions/{submission}/thread"))
        )

    async def post_threads(self, notes: Sequence[SealedThreadNote]) -> tuple[SubmissionId, ...]:
        """Hand over 1 to 32 thread notes; the threads of those that the portal did not take."""
        threads = [
            {"submission": note.submission, "number": note.number, "sealed": encode_base64(note.sealed)}
            for note in notes
        ]
        return _read(read_refused_threads, await self._post_json("/office/threads", {"threads": threads}))

    async def follow_ups(self, after: int) -> FollowUpPage:
        """At most 100 follow-ups with a sequence above ``after``."""
        return _read(read_follow_ups, await self._json(self._request("GET", f"/office/follow-ups?after={after}")))

    async def follow_ups_collected(self, receipt: bytes) -> None:
        """Confirm the follow-ups that a signed receipt names; the portal deletes them after the grace."""
        await self._post("/office/follow-ups/collection", receipt, NOTE_TYPE)

    async def controls(self, after: int) -> ControlPage:
        """At most 100 control notes, which delete or close, with a sequence above ``after``."""
        return _read(read_controls, await self._json(self._request("GET", f"/office/controls?after={after}")))

    async def post_control(self, submission: SubmissionId, note: bytes) -> None:
        """Bring a control note again, to a portal that was restored and lacks it."""
        await self._post(f"/office/submissions/{submission}/control", note, NOTE_TYPE)

    async def post_newest_charter(self, note: bytes) -> None:
        """Hand over the note that says which charter is the newest today."""
        await self._post("/office/newest-charter", note, NOTE_TYPE)

    async def publish_finding(self, note: bytes) -> None:
        """Hand a signed finding to the register; a repeat changes nothing."""
        await self._post("/office/findings", note, NOTE_TYPE)

    async def next_finding(self) -> FindingId:
        """The id that the commission's next finding must have, if it is published today."""
        return _read(read_next_finding, await self._json(self._request("GET", f"/office/findings?after={AFTER_ALL}")))

    async def _post(self, path: str, body: bytes, content_type: str) -> None:
        await self._body(self._request("POST", path, body, {"Content-Type": content_type}), ANSWER_BYTES_MAX)

    async def _post_json(self, path: str, value: Any) -> Any:
        body = json.dumps(value).encode("ascii")
        return await self._json(self._request("POST", path, body, {"Content-Type": "application/json"}))

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        signed: bool = True,
    ) -> httpx.Request:
        target = API + path
        signature = self._signer.headers(method, self._origin + target, body) if signed else {}
        return self._http.build_request(method, target, content=body, headers={**(headers or {}), **signature})

    async def _json(self, request: httpx.Request) -> Any:
        body = await self._body(request, ANSWER_BYTES_MAX)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise PortalUnreachable("the portal's answer can't be read") from None

    async def _body(self, request: httpx.Request, bytes_max: int) -> bytes:
        async with self._answer(request, ANSWER_SECONDS_MAX) as answer:
            return await _read_body(answer, bytes_max)

    @asynccontextmanager
    async def _answer(self, request: httpx.Request, seconds_max: float) -> AsyncIterator[httpx.Response]:
        """The answer, its body not read yet; every failure on the way becomes a PortalError."""
        try:
            async with asyncio.timeout(seconds_max):
                answer = await self._http.send(request, stream=True)
                try:
                    if not answer.is_success:
                        await _refuse(answer)
                    yield answer
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise PortalUnreachable(f"no answer from the portal ({type(error).__name__})") from None


async def _read_body(answer: httpx.Response, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_raw(CHUNK_BYTES):
        body += chunk
        if len(body) > bytes_max:
            raise PortalUnreachable("the portal's answer is too long")
    return bytes(body)


async def _refuse(answer: httpx.Response) -> NoReturn:
    """Turn an error answer into PortalRefused; another answer (a proxy's error page) counts as unreachable."""
    body = await _read_body(answer, ERROR_BYTES_MAX)
    try:
        code = Fields(json.loads(body), "answer").child("error").text("code", 64, r"[a-z][a-z0-9-]*")
    except (CryptoError, ValueError, RecursionError):
        raise PortalUnreachable(f"the portal answered {answer.status_code}") from None
    if code == "busy":
        raise PortalUnreachable("the portal is busy")
    raise PortalRefused(code, answer.status_code)


def _read(read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except CryptoError:
        raise PortalUnreachable("the portal's answer can't be read") from None
