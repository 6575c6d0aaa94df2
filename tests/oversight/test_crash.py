# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office is killed without warning at random moments, while it collects and while a member answers.

The portal is a real one that stays up. After every kill, whatever the office confirmed to it, so that it may be deleted
there, is in the office's files; in the end every reply that a member sent is at the portal, once.
"""

import asyncio
import hashlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from crypto.age import PqIdentity
from crypto.bundle import MEDIA_TYPE
from crypto.ids import MessageId
from crypto.mailbox_answer import read_mailbox_answer
from crypto.mailbox_change import add_follow_up, make_change
from crypto.manifest import read_manifest
from crypto.message import message_id
from crypto.receipt_code import MailboxSecrets, derive, new_code
from crypto.state import open_state
from crypto.submission import SealedSubmission, seal_submission
from oversight.commission.keys import OfficeSafe
from oversight.storage import Database
from portal.kit.files import write_secret_file
from tests.oversight.sealed_reports import ANSWERS, attachment, under_new_id
from tests.people import World, settle_office
from tests.servers import ROOT, Program, free_port, is_open, portal_program, post_test_charter
from tests.waiting import SECONDS_MAX, wait_until

KILLS = 12
ANSWERED = 8
PAUSE_SECONDS_MAX = 0.3
MEMBER = "amina"
CONFIRMED = "FROM submission WHERE collection IS NOT NULL"


def today() -> date:
    return datetime.now(UTC).date()


@dataclass
class CrashingOffice:
    """An office that starts quickly and dies without warning, and the portal that it collects from."""

    folder: Path
    portal: Program
    static: Path
    port: int = field(default_factory=free_port)
    pid: int = 0

    def __post_init__(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "OVERSIGHT_DATA": str(self.folder),
            "OVERSIGHT_STATIC": str(self.static),
            "OVERSIGHT_PORTAL_URL": self.portal.origin,
            "OVERSIGHT_ORIGIN": self.url,
            "OVERSIGHT_PORT": str(self.port),
            "OVERSIGHT_COLLECT_SECONDS": "1",
            "OVERSIGHT_START_KEY": str(self.folder.parent / "start.key"),
        }
        self._log = (self.folder.parent / "office.log").open("wb")
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.oversight.crash_server"],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(b"start\n")
        self._forks.stdin.flush()
        self.pid = int(self._forks.stdout.readline())

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{self.pid}").exists(), "the office is gone")
        self.pid = 0

    def close(self) -> None:
        if self.pid:
            self.kill()
        self._forks.communicate(timeout=SECONDS_MAX)
        self._log.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return _rows(self.folder / "office.sqlite3", query)

    def portal_rows(self, query: str) -> list[tuple[Any, ...]]:
        return _rows(Path(self.portal.settings["PORTAL_DATA"]) / "portal.sqlite3", query)


@dataclass
class Device:
    """The reporter's device, which writes again and again with one code."""

    portal: Program
    secrets: MailboxSecrets

    def write(self, body: str) -> MessageId:
        """Send a follow-up; its message id."""
        asked = {"mailbox": self.secrets.mailbox_id, "token": self.secrets.token.hex()}
        shown = read_mailbox_answer(_post(self.portal, "/api/v1/mailbox", json=asked)).state
        message, state = add_follow_up(open_state(shown, self.secrets), today(), "message", body)
        change = make_change(self.secrets, shown, state, follow_up=message)
        _post(self.portal, "/api/v1/mailbox/changes", content=change.encode())
        return message_id(message)


@dataclass
class Member:
    """Answers reports as a member does whose office keeps dying: looks again what became of it, and goes on."""

    office: CrashingOffice
    world: World
    due: list[str]
    sent: list[str] = field(default_factory=list)
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ended.is_set() and len(self.sent) < len(self.due):
            try:
                with httpx.Client(base_url=self.office.url, cookies=self.cookies, timeout=SECONDS_MAX) as browser:
                    browser.headers["sec-fetch-site"] = "same-origin"
                    self._go_on(browser)
            except httpx.HTTPError:
                self.ended.wait(0.02)

    def _go_on(self, browser: httpx.Client) -> None:
        if not self.cookies:
            self._log_in(browser)
        page = f"/reports/{self.due[len(self.sent)]}"
        if browser.get(page).status_code != 200:
            # Not collected yet.
            self.ended.wait(0.02)
            return
        preview = browser.get(f"{page}/reply/preview")
        if preview.status_code != 200 and "The answer." not in browser.get(page).text:
            browser.post(f"{page}/reply", data={"language": "en", "body": "The answer."})
            preview = browser.get(f"{page}/reply/preview")
        if preview.status_code == 200:
            [token] = re.findall(r'name="draft" value="([0-9a-f]{32})"', preview.text)
            browser.post(f"{page}/reply/send", data={"draft": token})
        if "The answer." in browser.get(page).text:
            self.sent.append(self.due[len(self.sent)])

    def _log_in(self, browser: httpx.Client) -> None:
        person = self.world[MEMBER]
        code = pyotp.TOTP(person.totp_secret).now()
        form = {"username": person.username, "passphrase": person.passphrase, "code": code}
        if browser.post("/login", data=form).status_code == 303:
            self.cookies = browser.cookies


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Program]:
    program = portal_program(tmp_path, PORTAL_STATIC=str(tmp_path / "nothing"))
    program.start()
    yield program
    program.kill()


@pytest.fixture
def world(portal: Program) -> World:
    return post_test_charter(portal)


@pytest.fixture
def crashing(tmp_path: Path, portal: Program, world: World, static_folder: Path) -> Iterator[CrashingOffice]:
    folder = tmp_path / "office"
    folder.mkdir()
    asyncio.run(_settle(folder, world))
    office = CrashingOffice(folder, portal, static_folder)
    yield office
    office.close()


def test_what_was_confirmed_is_here_and_what_was_sent_went_out_once(
    crashing: CrashingOffice, world: World, rng: random.Random
) -> None:
    digits = new_code(rng.randbytes)
    secrets = derive(digits, world.charter.realm)
    device = Device(crashing.portal, secrets)
    first = [_seal(world, digits, number) for number in range(ANSWERED)]
    member = Member(crashing, world, [sealed.manifest.submission for sealed in first])
    answering = threading.Thread(target=member.run)
    answering.start()
    follow_ups, posted = [], 0
    try:
        for kill in range(KILLS):
            step = _a_step(crashing, rng)
            crashing.start()
            sealed = first[kill] if kill < ANSWERED else under_new_id(first[rng.randrange(ANSWERED)])
            _post(crashing.portal, "/api/v1/submissions", content=sealed.bundle(), headers={"content-type": MEDIA_TYPE})
            posted += 1
            follow_ups.append(device.write(f"And also {kill}"))
            # By the office's progress and not by the clock: a busy machine gets as far as an idle one.
            wait_until(step, "the office gets on")
            time.sleep(rng.uniform(0.0, PAUSE_SECONDS_MAX))
            crashing.kill()
            _check_confirmed(crashing, follow_ups)
        assert _collected(crashing)
        crashing.start()
        wait_until(
            lambda: len(member.sent) == ANSWERED and len(_collected(crashing)) == posted and _all_out(crashing),
            "the office catches up",
            # Among the rest the member may have to wait before the next attempt to log in.
            2 * SECONDS_MAX,
        )
    finally:
        member.ended.set()
        answering.join(SECONDS_MAX)
    crashing.kill()
    _check_confirmed(crashing, follow_ups)
    assert sorted(crashing.rows("SELECT id FROM follow_up")) == sorted((each,) for each in follow_ups)
    written = crashing.rows("SELECT submission, id FROM reply ORDER BY submission")
    assert [submission for submission, _ in written] == sorted(member.due)
    assert crashing.portal_rows("SELECT submission, message FROM reply ORDER BY submission") == written


async def _settle(folder: Path, world: World) -> None:
    database = await Database.open(f"sqlite://{folder / 'office.sqlite3'}")
    try:
        with database.use():
            await settle_office(world, folder / "secrets")
            # The office opens by itself after each kill, and collects whether its member has work or not.
            start = PqIdentity.from_seed(bytes(32))
            write_secret_file(folder.parent / "start.key", f"{start}\n".encode())
            safe = OfficeSafe(folder / "secrets", start)
            safe.write(safe.read_with(world[MEMBER].identity), [person.identity.recipient() for person in world.people])
    finally:
        await database.close()


def _seal(world: World, digits: str, number: int) -> SealedSubmission:
    return seal_submission(
        charter=world.charter,
        receipt_digits=digits,
        language="ar",
        answers=ANSWERS,
        attachments=[attachment(bytes([number]) * 100_000)] if number % 2 else [],
        sealed_by="browser",
        today=today(),
    )


def _post(portal: Program, path: str, **request: Any) -> bytes:
    answer = httpx.post(portal.origin + path, timeout=SECONDS_MAX, **request)
    assert answer.is_success, answer.text
    return answer.content


def _check_confirmed(office: CrashingOffice, follow_ups: list[str]) -> None:
    """Whatever the portal may delete, or has deleted, is whole in the files that the dead office left."""
    stored = dict(office.rows("SELECT id, manifest FROM submission"))
    kept = office.rows("SELECT submission_id, name, sealed FROM sealed_file")
    small = {(submission, name): sealed for submission, name, sealed in kept}
    for submission, manifest in office.portal_rows(f"SELECT submission, manifest {CONFIRMED}"):
        assert stored.get(submission) == manifest
        for file in read_manifest(manifest).files:
            sealed = small[submission, file.name]
            if sealed is None:
                sealed = (office.folder / "blobs" / submission / file.name).read_bytes()
            assert hashlib.sha256(sealed).hexdigest() == file.sha256
    waiting = {message for (message,) in office.portal_rows("SELECT message FROM follow_up WHERE delete_from IS NULL")}
    here = {identifier for (identifier,) in office.rows("SELECT id FROM follow_up")}
    assert set(follow_ups) <= waiting | here


def _a_step(office: CrashingOffice, rng: random.Random) -> Callable[[], bool]:
    """Whether an office that is started now has come up, or stored something, or confirmed something."""
    look = rng.choice((_answers, _stored, _collected))
    before = look(office)
    return lambda: look(office) != before


def _answers(office: CrashingOffice) -> bool:
    return is_open(office.port)


def _stored(office: CrashingOffice) -> list[tuple[Any, ...]]:
    return office.rows("SELECT id FROM submission")


def _collected(office: CrashingOffice) -> list[tuple[Any, ...]]:
    return office.portal_rows(f"SELECT submission {CONFIRMED}")


def _all_out(office: CrashingOffice) -> bool:
    waiting = office.portal_rows("SELECT message FROM follow_up WHERE delete_from IS NULL")
    return not waiting and not office.rows("SELECT id FROM reply WHERE posted_on IS NULL")


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path, timeout=SECONDS_MAX)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
