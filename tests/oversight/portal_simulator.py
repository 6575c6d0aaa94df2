# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal in memory that does what a test wants: bytes swapped, connections cut, answers lost.

It speaks the office's part of docs/protocol.md §10 and checks no signature; the real portal does that in the journeys.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import httpx

from crypto.encoding import encode_base64
from crypto.message import message_id
from crypto.submission import SealedSubmission

Handler = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class PortalSimulator:
    """Waiting submissions and follow-ups, the messages of the office, and faults.

    ``faults`` are asked before each request: an answer or an exception replaces the portal's own.
    ``lost_answers`` are asked after it: the request has had its effect, the answer never comes.
    """

    submissions: list[tuple[SealedSubmission, dict[str, bytes]]] = field(default_factory=list)
    follow_ups: list[tuple[int, str, bytes]] = field(default_factory=list)
    collected: dict[str, bytes] = field(default_factory=dict)
    replies: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    faults: list[Handler] = field(default_factory=list)
    lost_answers: list[Handler] = field(default_factory=list)

    def add(self, sealed: SealedSubmission, **changed: bytes) -> None:
        """A submission waits; ``changed`` puts other bytes in the place of a file (``report_age`` is report.age)."""
        files = {**sealed.files, **{name.replace("_age", ".age"): data for name, data in changed.items()}}
        self.submissions.append((sealed, files))

    def add_follow_up(self, submission: str, sealed: bytes) -> None:
        self.follow_ups.append((len(self.follow_ups) + 1, submission, sealed))

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        for fault in list(self.faults):
            if (fault_answer := fault(request)) is not None:
                return fault_answer
        served = self._serve(request)
        for loss in list(self.lost_answers):
            loss(request)
        return served

    def _serve(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/office")
        if path == "/submissions":
            return self._list(int(request.url.params["after"]))
        if path == "/follow-ups":
            return self._list_follow_ups(int(request.url.params["after"]))
        if path == "/follow-ups/collection":
            up_to = json.loads(request.content)["up_to"]
            self.follow_ups = [entry for entry in self.follow_ups if entry[0] > up_to]
            return answer(200, {"status": "accepted"})
        found = re.fullmatch(r"/submissions/([0-9a-f]{32})/(files/(?P<name>[a-z0-9.-]+)|collection|replies)", path)
        assert found, path
        return self._serve_submission(request, found[1], found["name"])

    def _serve_submission(self, request: httpx.Request, submission: str, name: str | None) -> httpx.Response:
        files = next((files for sealed, files in self.submissions if sealed.manifest.submission == submission), None)
        if request.url.path.endswith("/replies"):
            repeat = message_id(request.content) in self.replies
            self.replies[message_id(request.content)] = request.content
            return answer(200 if repeat else 201, {"status": "accepted"})
        if files is None or (name is not None and name not in files):
            return refusal(404, "not-found")
        if name is not None:
            return answer(200, files[name])
        self.collected[submission] = request.content
        return answer(200, {"status": "accepted"})

    def _list(self, after: int) -> httpx.Response:
        entries = [
            {
                "sequence": sequence,
                "submission": sealed.manifest.submission,
                "manifest": encode_base64(sealed.manifest_bytes),
                "received": date(2026, 11, 20).isoformat(),
            }
            for sequence, (sealed, _) in enumerate(self.submissions, 1)
            if sequence > after
        ]
        return answer(200, {"submissions": entries[:100], "more": len(entries) > 100})

    def _list_follow_ups(self, after: int) -> httpx.Response:
        entries = [
            {"sequence": sequence, "submission": submission, "sealed": encode_base64(sealed), "day": "2026-11-21"}
            for sequence, submission, sealed in self.follow_ups
            if sequence > after
        ]
        return answer(200, {"follow_ups": entries[:100], "more": len(entries) > 100})


def answer(status: int, content: object) -> httpx.Response:
    """An answer that is streamed, as those of a network are; bytes as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return httpx.Response(status, stream=httpx.ByteStream(body))


def refusal(status: int, code: str) -> httpx.Response:
    return answer(status, {"error": {"code": code, "message": "…", "field": None}})


def cut_connection(*, path: str, method: str = "GET") -> Handler:
    """A handler under which requests to ``path`` (a regular expression) die."""

    def handler(request: httpx.Request) -> httpx.Response | None:
        if request.method == method and re.search(path, request.url.path):
            raise httpx.ReadError("the connection was cut", request=request)
        return None

    return handler
