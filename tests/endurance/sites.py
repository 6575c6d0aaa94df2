# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal and an office on machines of their own, those who use them, and what both hold in their files."""

import asyncio
import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crypto.age import PqIdentity
from crypto.manifest import read_manifest
from oversight.commission.keys import OfficeSafe
from oversight.storage import Database
from portal.kit.files import write_secret_file
from tests.endurance.answerer import Member
from tests.endurance.machine import Machine
from tests.endurance.senders import Question, Senders, ask
from tests.people import PORTAL_ORIGIN, REALM, World, portal_key, settle_office
from tests.portal.world import API, commission
from tests.servers import ROOT
from tests.waiting import SECONDS_MAX

MEMBER = "amina"
START_KEY = "start.key"
FREEZE_SECONDS_MAX = 4.0
PORTAL_DISK_BYTES = 512 * 1024 * 1024
OFFICE_DISK_BYTES = 1024 * 1024 * 1024
PORTAL_FREE_BYTES_MIN = 16 * 1024 * 1024
Rows = list[tuple[Any, ...]]


@dataclass
class Sites:
    """Both machines, and who uses them."""

    portal: Machine
    office: Machine
    senders: Senders
    member: Member

    @property
    def machines(self) -> tuple[Machine, Machine]:
        return self.portal, self.office

    def portal_rows(self, query: str) -> Rows:
        return _rows(self.portal.data / "portal.sqlite3", query)

    def office_rows(self, query: str) -> Rows:
        return _rows(self.office.data / "office.sqlite3", query)

    def check_confirmed(self) -> None:
        """Fail unless whatever the office confirmed, so that the portal may delete it, is whole in its files."""
        confirmed = self.portal_rows("SELECT submission, manifest FROM submission WHERE collection IS NOT NULL")
        stored = dict(self.office_rows("SELECT id, manifest FROM submission"))
        for submission, manifest in confirmed:
            assert manifest, f"{submission} is deleted at the portal, in its grace"
            assert stored.get(submission) == manifest, f"{submission} is confirmed and not there"
        done = self.portal_rows("SELECT message FROM follow_up WHERE delete_from IS NOT NULL")
        assert set(done) <= set(self.office_rows("SELECT id FROM follow_up")), "a follow-up is confirmed and not there"

    def check_all(self) -> None:
        """Fail unless the office has whatever was acknowledged, whole, and its letters are at the portal, once."""
        known = self.senders.known
        rows = self.office_rows("SELECT submission_id, name, sealed FROM sealed_file")
        kept = {(submission, name): sealed for submission, name, sealed in rows}
        for sealed, _, _ in known.reports:
            submission = sealed.manifest.submission
            for file in read_manifest(sealed.manifest_bytes).files:
                data = kept[submission, file.name]
                if data is None:
                    data = (self.office.data / "blobs" / submission / file.name).read_bytes()
                assert hashlib.sha256(data).hexdigest() == file.sha256, f"{submission}: {file.name}"
        here = [row[0] for row in self.office_rows("SELECT id FROM follow_up")]
        assert len(here) == len(set(here))
        assert set(known.follow_ups) <= set(here)
        written = self.office_rows("SELECT submission, id FROM reply ORDER BY submission")
        assert {submission for submission, _ in written} >= set(self.member.answered)
        assert len({submission for submission, _ in written}) == len(written), "a member's answer went out twice"
        assert self.portal_rows("SELECT submission, message FROM reply ORDER BY submission") == written

    def left(self) -> str:
        """What the office has still to do; empty when it has caught up."""
        due = {sealed.manifest.submission for sealed, _, _ in self.senders.known.reports}
        rows = self.portal_rows("SELECT submission FROM submission WHERE collection IS NOT NULL")
        left: dict[str, Rows] = {
            "not confirmed": [(submission,) for submission in sorted(due - {submission for (submission,) in rows})],
            # A change that comes twice is answered over a row of nobody, which stays: it is no commission's.
            "messages": self.portal_rows("SELECT message FROM follow_up WHERE delete_from IS NULL AND slug != ''"),
            "letters": self.office_rows("SELECT * FROM reply WHERE posted_on IS NULL"),
        }
        if not any(left.values()):
            return ""
        left["held, and confirmed"] = self.office_rows(
            "SELECT id, confirmed FROM follow_up ORDER BY rowid DESC LIMIT 9"
        )
        left["visits"] = self.office_rows("SELECT * FROM collector_state")
        left["stuck"] = self.office_rows("SELECT * FROM stuck_arrival")
        return str({what: rows[:5] for what, rows in left.items() if rows})


@contextmanager
def built(folder: Path, seed: int, troubles: Collection[str]) -> Iterator[Sites]:
    """Both programs, running, and everybody at work, as it has to be for these troubles. Raises NoSmallDiskError."""
    with ExitStack() as stack:
        portal = _portal(folder, PORTAL_DISK_BYTES if "disk" in troubles else 0)
        stack.callback(portal.close)
        _settle_portal(portal, commission())
        office = _office(folder, portal, OFFICE_DISK_BYTES if "disk" in troubles else 0)
        stack.callback(office.close)
        asyncio.run(_settle_office(office.data, folder / START_KEY, commission()))
        office.start()
        senders = Senders(
            portal.port,
            datetime.now(UTC).date(),
            seed,
            seconds_max=FREEZE_SECONDS_MAX / 2 if "freeze" in troubles else SECONDS_MAX,
            may_miss_parts="clock" in troubles,
        )
        member = Member(commission()[MEMBER], office.url, senders.known.readable)
        senders.start()
        member.start()
        try:
            yield Sites(portal, office, senders, member)
        finally:
            member.end()
            with suppress(AssertionError):
                senders.end()


def _portal(folder: Path, disk_bytes: int) -> Machine:
    settings = {
        "PORTAL_ORIGIN": PORTAL_ORIGIN,
        "PORTAL_STATIC": str(folder / "nothing"),
        "PORTAL_FREE_BYTES_MIN": str(PORTAL_FREE_BYTES_MIN),
    }
    return Machine("portal", folder / "portal", settings, disk_bytes)


def _office(folder: Path, portal: Machine, disk_bytes: int) -> Machine:
    static = folder / "static"
    static.mkdir()
    (static / "office.css").write_text("/* stand-in */")
    settings = {
        "OVERSIGHT_STATIC": str(static),
        "OVERSIGHT_PORTAL_URL": portal.url,
        "OVERSIGHT_COLLECT_SECONDS": "1",
        "OVERSIGHT_START_KEY": str(folder / START_KEY),
    }
    return Machine("oversight", folder / "office", settings, disk_bytes)


def _settle_portal(portal: Machine, world: World) -> None:
    invited = subprocess.run(
        [sys.executable, "-m", "portal", "invite", world.slug],
        env=portal.environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=SECONDS_MAX,
    )
    # Once there is a database: keys without one are a portal that has lost it.
    secrets = portal.data / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "signing.key").write_bytes(portal_key().seed)
    (secrets / "realm").write_bytes(bytes.fromhex(REALM))
    portal.start()
    headers = {"amparo-invitation": invited.stdout.decode().split()[-1]}
    status, body = ask(portal.port, Question("POST", f"{API}/charters", world.charter.note, headers))
    assert status == 201, body


async def _settle_office(data: Path, start_key: Path, world: World) -> None:
    database = await Database.open(f"sqlite://{data / 'office.sqlite3'}")
    try:
        with database.use():
            await settle_office(world, data / "secrets")
            # The office opens by itself after each start, and collects whether its member has work or not.
            start = PqIdentity.from_seed(bytes(32))
            write_secret_file(start_key, f"{start}\n".encode())
            safe = OfficeSafe(data / "secrets", start)
            safe.write(safe.read_with(world[MEMBER].identity), [person.identity.recipient() for person in world.people])
    finally:
        await database.close()


def _rows(path: Path, query: str) -> Rows:
    with closing(sqlite3.connect(path, timeout=SECONDS_MAX)) as connection:
        return connection.execute(query).fetchall()
