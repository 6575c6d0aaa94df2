# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal is killed without warning at random moments, and whatever it acknowledged is there afterwards.

Clients send bundles with and without attachments, parts and follow-ups to a real server on real files. After every kill
it restarts on its data, and is asked for everything that it had acknowledged.
"""

import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto.bundle import MEDIA_TYPE
from crypto.encoding import decode_base64
from crypto.mailbox_answer import read_mailbox_answer
from crypto.mailbox_change import add_follow_up, make_change
from crypto.message import message_id
from crypto.receipt_code import MailboxSecrets
from crypto.state import open_state
from crypto.submission import SealedSubmission
from portal.storage.blobs import PART_BYTES
from tests.people import NOW, PORTAL_ORIGIN, REALM, portal_key
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.world import (
    API,
    attachments,
    bundle_without_attachments,
    collected_files,
    commission,
    cut,
    digest_header,
    fresh_report,
    fresh_secrets,
    in_mailbox,
    sealed_report,
)
from tests.servers import ROOT, free_port, is_open
from tests.waiting import SECONDS_MAX, wait_until

KILLS = 24
CLIENTS = 4
ANSWERS_MAX = 25
PAUSE_SECONDS_MAX = 0.02
SAMPLE = 60


@dataclass
class Acknowledged:
    """The portal's acknowledgements, appended by threads, which lists allow. ``answers`` counts its answers."""

    submissions: list[tuple[SealedSubmission, bytes, str]] = field(default_factory=list)
    parts: list[tuple[str, str, int, str]] = field(default_factory=list)
    follow_ups: list[str] = field(default_factory=list)
    states: list[tuple[MailboxSecrets, bytes]] = field(default_factory=list)
    unanswered: list[bytes] = field(default_factory=list)
    answers: threading.Semaphore = field(default_factory=threading.Semaphore)


class CrashingPortal:
    """A portal that starts quickly and dies without warning."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "log"
        data = folder / "data"
        (data / "secrets").mkdir(parents=True)
        (data / "secrets" / "signing.key").write_bytes(portal_key().seed)
        (data / "secrets" / "realm").write_bytes(bytes.fromhex(REALM))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PORTAL_ORIGIN": PORTAL_ORIGIN,
            "PORTAL_DATA": str(data),
            "PORTAL_PORT": str(self.port),
            "PORTAL_STATIC": str(folder / "nothing"),
        }
        self.environment = environment
        self._log_file = self.log.open("wb")
        command = [sys.executable, "-m", "tests.portal.crash_server"]
        self._forks = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log_file
        )
        self.pid = 0

    def start(self) -> None:
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(b"start\n")
        self._forks.stdin.flush()
        self.pid = int(self._forks.stdout.readline())
        wait_until(self._is_up, "the portal comes back")

    def _is_up(self) -> bool:
        assert self._is_alive(), f"the portal did not come back: {self.log.read_text()[-2000:]}"
        return is_open(self.port)

    def _is_alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self._is_alive(), "the portal is gone")
        self.pid = 0

    def close(self) -> None:
        if self.pid:
            self.kill()
        # Ends its input, reads what is left of its output, and waits for it.
        self._forks.communicate(timeout=SECONDS_MAX)
        self._log_file.close()

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_MAX)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def office(self, path: str) -> bytes:
        signer = RequestSigner(commission().office_key, lambda: datetime.now(UTC))
        path = f"{API}/office{path}"
        status, body = self.request("GET", path, None, signer.headers("GET", PORTAL_ORIGIN + path, None))
        assert status == 200, body
        return body

    def office_pages(self, path: str, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        more = True
        while more:
            page = json.loads(self.office(f"{path}?after={rows[-1]['sequence'] if rows else 0}"))
            rows += page[name]
            more = page["more"]
        return rows

    def submit(self, bundle: bytes) -> tuple[int, bytes]:
        return self.request("POST", f"{API}/submissions", bundle, {"content-type": MEDIA_TYPE})


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[CrashingPortal]:
    running = CrashingPortal(tmp_path)
    invited = subprocess.run(
        [sys.executable, "-m", "portal", "invite", commission().slug],
        env=running.environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=SECONDS_MAX,
    )
    running.start()
    headers = {"amparo-invitation": invited.stdout.decode().strip()}
    status, body = running.request("POST", f"{API}/charters", commission().charter.note, headers)
    assert status == 201, body
    yield running
    running.close()


def client(portal: CrashingPortal, seed: int, known: Acknowledged) -> None:
    """Send until the portal is gone."""
    chance = random.Random(seed)
    while True:
        try:
            chance.choice((send_text, send_text, send_with_attachment, send_in_parts, send_follow_up))(portal, known)
            known.answers.release()
        except (OSError, http.client.HTTPException):
            return


def send(portal: CrashingPortal, sealed: SealedSubmission, bundle: bytes, known: Acknowledged) -> None:
    known.unanswered.append(bundle)
    status, body = portal.submit(bundle)
    assert status == 201, body
    known.submissions.append((sealed, bundle, json.loads(body)["acknowledgement"]))
    known.unanswered.remove(bundle)


def send_text(portal: CrashingPortal, known: Acknowledged) -> None:
    sealed = fresh_report()
    send(portal, sealed, sealed.bundle(), known)


def send_with_attachment(portal: CrashingPortal, known: Acknowledged) -> None:
    sealed = fresh_report(300_000)
    send(portal, sealed, sealed.bundle(), known)


def send_in_parts(portal: CrashingPortal, known: Acknowledged) -> None:
    sealed = fresh_report(PART_BYTES, 1000)
    submission = sealed.manifest.submission
    for file, data in attachments(sealed).items():
        for index, part in enumerate(cut(data)):
            path = f"{API}/uploads/{submission}/{file}/{index}"
            status, body = portal.request("PUT", path, part, {"content-digest": digest_header(part)})
            assert status in (200, 201), body
            known.parts.append((submission, file, index, hashlib.sha256(part).hexdigest()))
    send(portal, sealed, bundle_without_attachments(sealed), known)


def send_follow_up(portal: CrashingPortal, known: Acknowledged) -> None:
    secrets = fresh_secrets()
    mine = in_mailbox(sealed_report(), secrets)
    send(portal, mine, mine.bundle(), known)
    there = mine.files["state.age"]
    sealed, state = add_follow_up(open_state(there, secrets), NOW.date(), "message", "They came back.")
    change = make_change(secrets, there, state, follow_up=sealed)
    status, body = portal.request("POST", f"{API}/mailbox/changes", change.encode(), {})
    assert status == 202, body
    known.follow_ups.append(message_id(sealed))
    known.states.append((secrets, change.state))


def check_submissions(portal: CrashingPortal, submissions: list[tuple[SealedSubmission, bytes, str]]) -> None:
    for _, bundle, acknowledgement in submissions:
        status, body = portal.submit(bundle)
        assert (status, json.loads(body)["acknowledgement"]) == (200, acknowledgement)


def check_parts(portal: CrashingPortal, parts: list[tuple[str, str, int, str]]) -> None:
    for submission in {part[0] for part in parts}:
        _, body = portal.request("GET", f"{API}/uploads/{submission}", None, {})
        there = {(submission, part["file"], part["index"], part["sha256"]) for part in json.loads(body)["parts"]}
        assert {part for part in parts if part[0] == submission} <= there


def run_until_killed(portal: CrashingPortal, chance: random.Random, known: Acknowledged) -> None:
    known.answers = threading.Semaphore(0)
    threads = [
        threading.Thread(target=client, args=(portal, chance.getrandbits(32), known), daemon=True)
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    # By its answers and not by the clock: a busy machine does as much between two kills as an idle one.
    for _ in range(chance.randrange(ANSWERS_MAX)):
        assert known.answers.acquire(timeout=SECONDS_MAX)
    time.sleep(chance.uniform(0.0, PAUSE_SECONDS_MAX))
    portal.kill()
    for thread in threads:
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()


def check_everything(portal: CrashingPortal, known: Acknowledged, chance: random.Random) -> None:
    listed = [row["submission"] for row in portal.office_pages("/submissions", "submissions")]
    assert len(listed) == len(set(listed))
    assert {sealed.manifest.submission for sealed, _, _ in known.submissions} <= set(listed)
    waiting = {message_id(decode_base64(row["sealed"])) for row in portal.office_pages("/follow-ups", "follow_ups")}
    assert set(known.follow_ups) <= waiting
    for secrets, state in chance.sample(known.states, min(SAMPLE, len(known.states))):
        ask = json.dumps({"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}).encode()
        status, body = portal.request("POST", f"{API}/mailbox", ask, {})
        assert (status, read_mailbox_answer(body).state) == (200, state)
    for sealed, _, _ in chance.sample(known.submissions, min(SAMPLE, len(known.submissions))):
        for name, data in collected_files(sealed).items():
            assert portal.office(f"/submissions/{sealed.manifest.submission}/files/{name}") == data


def test_nothing_that_was_acknowledged_is_lost_when_the_portal_is_killed(
    portal: CrashingPortal, rng: random.Random
) -> None:
    known = Acknowledged()
    checked_submissions = checked_parts = kills = resent = 0
    for _ in range(KILLS):
        run_until_killed(portal, rng, known)
        kills += 1
        portal.start()
        check_submissions(portal, known.submissions[checked_submissions:])
        check_parts(portal, known.parts[checked_parts:])
        checked_submissions, checked_parts = len(known.submissions), len(known.parts)
        for bundle in known.unanswered:
            status, body = portal.submit(bundle)
            assert status in (200, 201), body
            resent += 1
        known.unanswered.clear()
    check_everything(portal, known, rng)
    # The test must have tested something: of each kind, many, and some that died under way.
    assert kills == KILLS
    assert len(known.submissions) > KILLS // 2
    assert min(len(known.follow_ups), len(known.parts), resent) > KILLS // 20
    counts = f"{len(known.submissions)} submissions, {len(known.parts)} parts, {len(known.follow_ups)} follow-ups"
    print(f"{kills} kills, {resent} sent again; {counts}")
