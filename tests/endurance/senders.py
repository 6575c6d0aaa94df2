# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reporters who write without a pause to a portal that fails them, and write down what it acknowledged.

What is not answered is sent again, the very same bytes, until it is: whatever became of the first time.
"""

import hashlib
import http.client
import json
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from crypto.bundle import MEDIA_TYPE
from crypto.ids import MessageId, SubmissionId
from crypto.mailbox_answer import read_mailbox_answer
from crypto.mailbox_change import add_follow_up, make_change
from crypto.message import message_id
from crypto.receipt_code import MailboxSecrets, new_code
from crypto.state import open_state
from crypto.submission import SealedSubmission, seal_submission
from crypto.work import HEADER, AskedWork, do_work
from portal.storage.blobs import PART_BYTES
from tests.chance import fresh_bytes
from tests.portal.world import (
    API,
    attachments,
    bundle_without_attachments,
    commission,
    cut,
    digest_header,
    fresh_report,
    fresh_secrets,
    in_mailbox,
    in_place,
    sealed_report,
)
from tests.waiting import SECONDS_MAX

REPORTERS = 4
PAUSE_SECONDS = 0.05
REST_SECONDS_MAX = 0.4
WEIGHTS = (6, 3, 1, 4, 1)
WORKS_MAX = 4
FILE_MISSING = b'"file-missing"'
TRY_AGAIN = frozenset({503, 507})


class EndedError(Exception):
    """The reporters are to end."""


@dataclass(frozen=True)
class Question:
    """A request to the portal."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Acknowledged:
    """What the portal acknowledged, appended by threads, which lists allow."""

    reports: list[tuple[SealedSubmission, bytes, str]] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    follow_ups: list[MessageId] = field(default_factory=list)
    readable: list[SubmissionId] = field(default_factory=list)
    """Of reports that a member can open; the others are the same sealed files under other ids."""
    mailboxes: list[tuple[MailboxSecrets, bytes]] = field(default_factory=list)


@dataclass
class Senders:
    """``today`` is the day of their devices. A fault that one of them meets is raised by ``check``."""

    port: int
    today: date
    seed: int
    seconds_max: float = SECONDS_MAX
    may_miss_parts: bool = False
    """Whether the portal may forget parts of what is not finished: when its clock is wrong."""
    known: Acknowledged = field(default_factory=Acknowledged)
    answers: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    sent_again: int = 0
    refused: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _faults: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._threads = [
            threading.Thread(target=self._write, args=(random.Random(self.seed + number), number), daemon=True)
            for number in range(REPORTERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers: int) -> None:
        """Return after so many further answers. By answers and not by a clock: a busy machine gets as far."""
        self.answers = threading.Semaphore(0)
        for _ in range(answers):
            assert self.answers.acquire(timeout=SECONDS_MAX), self._faults
        self.check()

    def check(self) -> None:
        if self._faults:
            raise AssertionError("what a reporter met") from self._faults[0]

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            if thread.ident:
                thread.join(SECONDS_MAX)
                assert not thread.is_alive()
        self.check()

    def _write(self, chance: random.Random, number: int) -> None:
        kinds = (self._send_text, self._send_with_file, self._send_in_parts, self._send_follow_up, self._send_readable)
        try:
            # Whatever chance brings, each kind comes once.
            kinds[-1 - number](chance)
            while not self._ended.is_set():
                chance.choices(kinds, WEIGHTS)[0](chance)
                # What takes the time is to be the trouble, not the work.
                self._ended.wait(chance.uniform(0, REST_SECONDS_MAX))
        except EndedError:
            return
        except BaseException as error:
            self._faults.append(error)

    def _send_text(self, _: random.Random) -> None:
        sealed = fresh_report()
        self._send(sealed, sealed.bundle())

    def _send_with_file(self, _: random.Random) -> None:
        sealed = fresh_report(300_000)
        self._send(sealed, sealed.bundle())

    def _send_in_parts(self, _: random.Random) -> None:
        sealed, is_taken = fresh_report(PART_BYTES, 1000), False
        while not is_taken:
            for file, data in attachments(sealed).items():
                for index, part in in_place(cut(data)):
                    path = f"{API}/uploads/{sealed.manifest.submission}/{file}/{index}"
                    self._ask(Question("PUT", path, part, {"content-digest": digest_header(part)}))
                    self.known.parts.append(path)
            # The days of parts are those of a clock that was wrong: they go up again, as a device does it.
            is_taken = self._send(sealed, bundle_without_attachments(sealed))

    def _send_follow_up(self, _: random.Random) -> None:
        secrets = fresh_secrets()
        mine = in_mailbox(sealed_report(), secrets)
        self._send(mine, mine.bundle())
        there = read_mailbox_answer(self._ask(reading(secrets))).state
        assert there == mine.files["state.age"], "a mailbox that was acknowledged is not there"
        sealed, state = add_follow_up(open_state(there, secrets), self.today, "message", "They came back.")
        change = make_change(secrets, there, state, follow_up=sealed)
        self._ask(Question("POST", f"{API}/mailbox/changes", change.encode()))
        self.known.follow_ups.append(message_id(sealed))
        self.known.mailboxes.append((secrets, change.state))

    def _send_readable(self, chance: random.Random) -> None:
        sealed = seal_submission(
            charter=commission().charter,
            receipt_digits=new_code(chance.randbytes),
            language="en",
            answers={"story": "They took him at the border crossing."},
            sealed_by="command-line",
            today=self.today,
        )
        self._send(sealed, sealed.bundle())
        self.known.readable.append(sealed.manifest.submission)

    def _send(self, sealed: SealedSubmission, bundle: bytes) -> bool:
        """Whether it was taken; not, when its parts have to come again."""
        body = self._ask(sending(bundle))
        if FILE_MISSING in body:
            return False
        self.known.reports.append((sealed, bundle, json.loads(body)["acknowledgement"]))
        return True

    def _ask(self, question: Question) -> bytes:
        """The answer, of however many attempts. Raises EndedError, and AssertionError for an answer that is wrong."""
        while not self._ended.is_set():
            try:
                status, answer = ask(self.port, question, self.seconds_max)
            except (OSError, http.client.HTTPException):
                self.sent_again += 1
                self._ended.wait(PAUSE_SECONDS)
                continue
            if status < 300 or (self.may_miss_parts and FILE_MISSING in answer):
                self.answers.release()
                return answer
            # Under pressure files come in parts only; it goes by.
            assert status in TRY_AGAIN or b"parts-needed" in answer, f"{question.path}: {status} {answer[:300]!r}"
            self.refused += 1
            self.answers.release()
            self._ended.wait(PAUSE_SECONDS)
        raise EndedError


def ask(port: int, question: Question, seconds_max: float = SECONDS_MAX) -> tuple[int, bytes]:
    """Status and body of one request, with the work that a portal under pressure asks for (docs/protocol.md §7.4).

    Raises OSError and HTTPException.
    """
    status, answer = _exchange(port, question, seconds_max)
    for _ in range(WORKS_MAX):
        work = json.loads(answer).get("work") if status == 503 else None
        if work is None or question.body is None:
            break
        body = hashlib.sha256(question.body).digest()
        asked = AskedWork(bytes.fromhex(work["challenge"]), work["bits"])
        done = do_work(asked, question.path.removeprefix(f"{API}/"), body, fresh_bytes)
        headers = {**question.headers, HEADER: done.encode(), "content-digest": digest_header(question.body)}
        status, answer = _exchange(port, replace(question, headers=headers), seconds_max)
    return status, answer


def _exchange(port: int, question: Question, seconds_max: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds_max)
    try:
        connection.request(question.method, question.path, question.body, dict(question.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def sending(bundle: bytes) -> Question:
    return Question("POST", f"{API}/submissions", bundle, {"content-type": MEDIA_TYPE})


def reading(secrets: MailboxSecrets) -> Question:
    return Question(
        "POST", f"{API}/mailbox", json.dumps({"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}).encode()
    )
