# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's side of the wire: what it asks of the portal, by name (docs/protocol.md §10).

A file is checked against the manifest's size and hash while it streams in. How it is asked: ``requests``.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crypto.encoding import encode_base64
from crypto.ids import FindingId, SubmissionId
from crypto.manifest import SealedFile
from oversight.wire.comparison_requests import ComparisonRequests
from oversight.wire.patience import Patience
from oversight.wire.portal_errors import DamagedFile, PortalRefused
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
from oversight.wire.requests import NOTE_TYPE, PortalRequest

WRITE_BYTES = 256 * 1024
AFTER_ALL = 10**15 - 1


class Sink(Protocol):
    """Where a file's bytes go; called in a thread, because disks block."""

    def write(self, chunk: bytes, /) -> object: ...


@dataclass(frozen=True)
class SealedThreadNote:
    """A thread note on its way; ``number`` stands outside too, so that the portal keeps the newest."""

    submission: SubmissionId
    number: int
    sealed: bytes = field(repr=False)


class PortalClient(ComparisonRequests):
    """One method for each request of an office to its portal."""

    async def portal_info(self) -> PortalInfo:
        """The portal's origin and verifier key, as it says itself."""
        return await self._json(read_info, PortalRequest("GET", "/portal", signed=False))

    async def post_charter(self, note: bytes, invitation: str | None = None) -> None:
        """Publish a charter; the first one of a commission needs the operator's invitation."""
        headers = {"Content-Type": NOTE_TYPE}
        if invitation is not None:
            headers["Amparo-Invitation"] = invitation
        await self._body(PortalRequest("POST", "/charters", note, headers, signed=False))

    async def submissions(self, after: int) -> Page[WaitingSubmission]:
        """At most 100 submissions with a sequence above ``after``."""
        return await self._json(read_submissions, PortalRequest("GET", f"/office/submissions?after={after}"))

    async def fetch_file(self, submission: SubmissionId, file: SealedFile, sink: Sink, patience: Patience) -> None:
        """Stream a sealed file into ``sink`` and check it; ``patience`` may be that of several files together.

        Raises DamagedFile when size or hash differ; the sink then holds bytes that must be thrown away.
        """
        path = f"/office/submissions/{submission}/files/{file.name}"
        digest, received, kept = hashlib.sha256(), 0, bytearray()
        async with self._answer(PortalRequest("GET", path), patience) as answer:
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
        return await self._json(read_thread_standing, PortalRequest("GET", f"/office/submissions/{submission}/thread"))

    async def post_threads(self, notes: Sequence[SealedThreadNote]) -> tuple[SubmissionId, ...]:
        """Hand over 1 to 32 thread notes; the threads of those that the portal did not take."""
        threads = [
            {"submission": note.submission, "number": note.number, "sealed": encode_base64(note.sealed)}
            for note in notes
        ]
        return await self._post_json(read_refused_threads, "/office/threads", {"threads": threads})

    async def follow_ups(self, after: int) -> Page[WaitingFollowUp]:
        """At most 100 follow-ups with a sequence above ``after``."""
        return await self._json(read_follow_ups, PortalRequest("GET", f"/office/follow-ups?after={after}"))

    async def follow_ups_collected(self, receipt: bytes) -> None:
        """Confirm the follow-ups that a signed receipt names; the portal deletes them after the grace."""
        await self._post("/office/follow-ups/collection", receipt)

    async def controls(self, after: int) -> Page[WaitingControl]:
        """At most 100 control notes, which delete or close, with a sequence above ``after``."""
        return await self._json(read_controls, PortalRequest("GET", f"/office/controls?after={after}"))

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
        return await self._json(read_next_finding, PortalRequest("GET", f"/office/findings?after={AFTER_ALL}"))

    async def problems(self) -> tuple[PortalProblem, ...]:
        """What of this commission the portal can't show, by its own account; nothing, if it is too old to say so."""
        try:
            return await self._json(read_problems, PortalRequest("GET", "/office/problems"))
        except PortalRefused as error:
            if error.code == "not-found":
                return ()
            raise


def _put(data: bytes, digest: "hashlib._Hash", sink: Sink) -> None:
    digest.update(data)
    sink.write(data)
