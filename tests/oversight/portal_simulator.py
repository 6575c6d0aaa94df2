# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal in memory that does what a test wants: bytes swapped, connections cut, answers lost.

It speaks the office's part of docs/protocol.md §10 and checks no signature; the real portal does that in the journeys.
Its own acknowledgements are signed with the portal's key, and say whatever a test wants.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import httpx

from crypto import follow_up_receipt, posting
from crypto.acknowledgement import Acknowledgement
from crypto.age import PqIdentity
from crypto.charter import Charter
from crypto.control import Control
from crypto.encoding import decode_base64, encode_base64
from crypto.message import message_id
from crypto.note import Note
from crypto.submission import SealedSubmission
from crypto.thread_note import ThreadNote, open_thread_note
from tests.oversight.sealed_reports import mailbox
from tests.people import REALM, portal_key

Handler = Callable[[httpx.Request], httpx.Response | None]
RECEIVED = date(2026, 11, 20)


def acknowledge(sealed: SealedSubmission, **changes: Any) -> bytes:
    """What a true portal signed when it took this submission; ``changes`` replace members of it."""
    manifest = sealed.manifest
    true = Acknowledgement(REALM, manifest.submission, sealed.manifest_hash, sealed.commitment, RECEIVED)
    return replace(true, **changes).sign(portal_key()).encode()


@dataclass
class Waiting:
    """A submission that waits: what was sent, the files and the acknowledgement that the portal hands out."""

    sealed: SealedSubmission
    files: dict[str, bytes]
    acknowledgement: object


@dataclass
class Thread:
    """What the portal has of a thread: postings and sealed replies by number, thread notes by number."""

    replies: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    notes: dict[int, bytes] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return max(self.replies, default=0)

    @property
    def number(self) -> int:
        return max(self.notes, default=0)

    def posting_of(self, sealed: bytes) -> str | None:
        return next((posting for posting, there in self.replies.values() if there == sealed), None)

    def open(self, identity: PqIdentity, charters: list[Charter]) -> ThreadNote:
        """The newest thread note, as the reporter's device reads it."""
        return open_thread_note(self.notes[self.number], identity, charters)[0]


@dataclass
class PortalSimulator:
    """Waiting submissions and follow-ups, the messages of the office, and faults.

    ``faults`` are asked before each request: an answer or an exception replaces the portal's own.
    ``lost_answers`` are asked after it: the request has had its effect, the answer never comes.
    """

    submissions: list[Waiting] = field(default_factory=list)
    follow_ups: list[tuple[int, str, bytes]] = field(default_factory=list)
    controls: list[tuple[int, str, object]] = field(default_factory=list)
    collected: dict[str, bytes] = field(default_factory=dict)
    confirmed: list[bytes] = field(default_factory=list)
    brought: list[tuple[str, bytes]] = field(default_factory=list)
    newest: list[bytes] = field(default_factory=list)
    rounds: list[list[int]] = field(default_factory=list)
    threads: dict[str, Thread] = field(default_factory=dict)
    announced: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    faults: list[Handler] = field(default_factory=list)
    lost_answers: list[Handler] = field(default_factory=list)

    def add(self, sealed: SealedSubmission, acknowledgement: object = None, **changed: bytes) -> None:
        """A submission waits; ``changed`` puts other bytes in the place of a file (``report_age`` is report.age)."""
        files = {**sealed.files, **{name.replace("_age", ".age"): data for name, data in changed.items()}}
        note = acknowledge(sealed) if acknowledgement is None else acknowledgement
        self.submissions.append(Waiting(sealed, files, note.decode() if isinstance(note, bytes) else note))

    def add_follow_up(self, submission: str, sealed: bytes) -> None:
        self.follow_ups.append((len(self.follow_ups) + 1, submission, sealed))

    def add_control(self, submission: str, note: object) -> None:
        text = note.decode() if isinstance(note, bytes) else note
        self.controls.append((len(self.controls) + 1, submission, text))

    def thread(self, submission: str) -> Thread:
        return self.threads.setdefault(submission, Thread())

    @property
    def replies(self) -> dict[str, bytes]:
        """Every sealed reply by its message id."""
        return {message_id(sealed): sealed for thread in self.threads.values() for _, sealed in thread.replies.values()}

    @property
    def receipted(self) -> set[str]:
        """The messages that receipts have named."""
        return {
            message
            for data in self.confirmed
            for message in follow_up_receipt.read_text(Note.parse(data).text).messages
        }

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
        lists = {
            "/submissions": self._list,
            "/follow-ups": self._list_follow_ups,
            "/controls": self._list_controls,
            "/holdings": self._list_holdings,
            "/findings": lambda after: answer(200, {"findings": [], "more": False}),
        }
        accepted = {"status": "accepted"}
        fixed = {"/visits/end": accepted, "/api/v1/charters": accepted, "/problems": {"problems": []}}
        kept = {"/follow-ups/collection": self.confirmed, "/newest-charter": self.newest}
        if path in lists:
            return lists[path](int(request.url.params["after"]))
        if path in kept:
            kept[path].append(request.content)
            return answer(200, {"status": "accepted"})
        if path == "/visits":
            return self._begin_visit(json.loads(request.content))
        if path in fixed:
            return answer(200, fixed[path])
        if path == "/threads":
            return self._take_notes(json.loads(request.content)["threads"])
        found = re.fullmatch(r"/submissions/([0-9a-f]{32})/(files/([a-z0-9.-]+)|[a-z]+)", path)
        assert found, path
        return self._serve_submission(request, found[1], found[2].split("/")[0], found[3])

    def _serve_submission(self, request: httpx.Request, submission: str, what: str, name: str | None) -> httpx.Response:
        if what == "replies":
            return self._take_reply(submission, json.loads(request.content))
        if what == "thread":
            thread = self.thread(submission)
            postings = [posting for posting, _ in thread.replies.values()]
            return answer(200, {"number": thread.number, "last": thread.last, "postings": postings})
        if what in ("control", "announcement"):
            self._keep(what, submission, request.content)
            return answer(200, {"status": "accepted"})
        files = next((each.files for each in self.submissions if each.sealed.manifest.submission == submission), None)
        if files is None or (name is not None and name not in files):
            return refusal(404, "not-found")
        if what == "collection":
            self.collected[submission] = request.content
        return answer(200, self._file(submission, name, files))

    def _keep(self, what: str, submission: str, content: bytes) -> None:
        if what == "control":
            self.brought.append((submission, content))
        else:
            self.announced[submission] = json.loads(content)

    def _file(self, submission: str, name: str | None, files: dict[str, bytes]) -> object:
        """A file, or what there is beside the files: the mailbox."""
        if name is not None:
            return files[name]
        told, state = self._sent(submission), files["state.age"]
        control = _made_by_reporter(state) if told else None
        return {"told": told, "state": encode_base64(state), "control": control, "collection": None}

    def _sent(self, submission: str) -> int:
        return sum(each == submission for _, each, _ in self.follow_ups)

    def _begin_visit(self, body: dict[str, Any]) -> httpx.Response:
        known = body["mark"] in self.marks[-1:]
        self.marks.append(f"{len(self.marks) + 1:032x}")
        return answer(200, {"mark": self.marks[-1], "known": known})

    def _list_holdings(self, after: int) -> httpx.Response:
        entries = [
            {
                "sequence": sequence,
                "submission": waiting.sealed.manifest.submission,
                "manifest": waiting.sealed.manifest_hash,
                "collected": waiting.sealed.manifest.submission in self.collected,
                "deleted": False,
                "told": self._sent(waiting.sealed.manifest.submission),
                "thread": self.thread(waiting.sealed.manifest.submission).number,
                "last": self.thread(waiting.sealed.manifest.submission).last,
            }
            for sequence, waiting in enumerate(self.submissions, 1)
            if sequence > after
        ]
        return answer(200, {"holdings": entries[:1000], "more": len(entries) > 1000})

    def _take_reply(self, submission: str, body: dict[str, Any]) -> httpx.Response:
        thread, sealed = self.thread(submission), decode_base64(body["sealed"])
        there = thread.posting_of(sealed)
        if there is not None:
            return answer(200, {"posting": there})
        number = posting.read_text(Note.parse(body["posting"].encode()).text).number
        if body["last"] != thread.last or number <= thread.last:
            return refusal(409, "reply-number")
        if body["thread"]["number"] <= thread.number:
            return refusal(409, "thread-number")
        thread.replies[number] = (body["posting"], sealed)
        thread.notes[body["thread"]["number"]] = decode_base64(body["thread"]["sealed"])
        return answer(201, {"posting": body["posting"]})

    def _take_notes(self, notes: list[dict[str, Any]]) -> httpx.Response:
        refused = []
        self.rounds.append([len(note["sealed"]) for note in notes])
        for note in notes:
            thread = self.thread(note["submission"])
            if note["number"] <= thread.number:
                refused.append(note["submission"])
            else:
                thread.notes[note["number"]] = decode_base64(note["sealed"])
        return answer(200, {"refused": refused})

    def _list(self, after: int) -> httpx.Response:
        entries = [
            {
                "sequence": sequence,
                "submission": waiting.sealed.manifest.submission,
                "manifest": encode_base64(waiting.sealed.manifest_bytes),
                "acknowledgement": waiting.acknowledgement,
            }
            for sequence, waiting in enumerate(self.submissions, 1)
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

    def _list_controls(self, after: int) -> httpx.Response:
        entries = [
            {"sequence": sequence, "submission": submission, "control": note}
            for sequence, submission, note in self.controls
            if sequence > after
        ]
        return answer(200, {"controls": entries[:100], "more": len(entries) > 100})


def _made_by_reporter(state: bytes) -> str:
    """The control note by which the tests' reporter made a state."""
    control = Control(REALM, mailbox().mailbox_id, "0" * 64, hashlib.sha256(state).hexdigest())
    return control.sign(mailbox().control_key).encode().decode()


def answer(status: int, content: object) -> httpx.Response:
    """An answer that is streamed, as those of a network are; bytes as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return httpx.Response(status, stream=httpx.ByteStream(body))


def refusal(status: int, code: str) -> httpx.Response:
    return answer(status, {"error": {"code": code, "message": "…", "field": None}})


def nobody_answers(request: httpx.Request) -> httpx.Response | None:
    """A handler under which no connection is made."""
    raise httpx.ConnectError("nobody answers", request=request)


def cut_connection(*, path: str, method: str = "GET") -> Handler:
    """A handler under which requests to ``path`` (a regular expression) die."""

    def handler(request: httpx.Request) -> httpx.Response | None:
        if request.method == method and re.search(path, request.url.path):
            raise httpx.ReadError("the connection was cut", request=request)
        return None

    return handler
