# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal and an office whose folders can be copied away and brought back, each on its own, as backups are."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from crypto.keyring import MINIMUM
from crypto.mailbox_reader import read_chain, read_mailbox
from crypto.mailbox_view import ReadMailbox
from crypto.submission import open_state
from oversight.app import create_app
from oversight.settings import Settings
from oversight.storage import Database
from tests.oversight.office import OFFICE_ORIGIN, Office
from tests.oversight.office import Clock as OfficeClock
from tests.oversight.sealed_reports import Wire, waiting_letter
from tests.people import PORTAL_ORIGIN, settle_office
from tests.portal.threads import Thread, start_thread
from tests.portal.world import Clock, RunningPortal, commission, running_portal


@dataclass
class Pair:
    """The two while they run."""

    portal: RunningPortal
    office: Office
    threads: dict[str, Thread]

    @property
    def wire(self) -> Wire:
        return Wire(self.office, httpx.ASGITransport(self.portal.app, raise_app_exceptions=False))

    async def collect(self, visits: int = 1) -> None:
        """Visits of one collector; a visit that fails fails the test."""
        collector = self.wire.collector()
        try:
            with self.office.database.use():
                for _ in range(visits):
                    await collector.run()
        finally:
            await collector.close()

    async def report(self, name: str) -> Thread:
        self.threads[name] = await start_thread(self.portal)
        return self.threads[name]

    async def letter(self, name: str, number: int, body: str) -> None:
        """A member's reply waits to be posted; ``number`` is its place among all letters."""
        thread = self.threads[name]
        with self.office.database.use():
            sealed = thread.reply(body)
            submission = thread.sealed.manifest.submission
            await waiting_letter(self.office.world, submission, number, author="amina", sealed=sealed)

    async def seen(self, name: str) -> ReadMailbox | None:
        """What the reporter's device makes of the mailbox; nothing if the code opens nothing there."""
        thread = self.threads[name]
        answer = await thread.read()
        try:
            state = open_state(answer.state, thread.secrets)
        except Exception:
            return None
        chain = read_chain(state, [self.office.world.charter.note])
        return read_mailbox(answer, state, thread.secrets, chain, None)


@dataclass
class Folders:
    """Where the two keep their data, and the copies that were taken of it. Reports have names here."""

    root: Path
    empty_database: Path
    static: Path
    clock: Clock = field(default_factory=Clock)
    threads: dict[str, Thread] = field(default_factory=dict)

    @asynccontextmanager
    async def running(self, portal: str = "now", office: str = "now") -> AsyncIterator[Pair]:
        """Both, on what was copied under these names; the copies themselves stay as they are."""
        folders = []
        for side, name in (("portal", portal), ("office", office)):
            folder = self.root / side / name
            if name != "now":
                folder = self.root / side / "restored"
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(self.root / side / name, folder)
            folder.mkdir(parents=True, exist_ok=True)
            folders.append(folder)
        async with running_portal(folders[0], clock=self.clock) as running, self._served(folders[1]) as served:
            here = {name: replace(thread, portal=running) for name, thread in self.threads.items()}
            yield Pair(running, served, here)
            self.threads |= here

    @asynccontextmanager
    async def running_office(self, name: str) -> AsyncIterator[Office]:
        """A second office, on a copy."""
        async with self._served(self.root / "office" / name) as served:
            yield served

    def copy(self, name: str) -> None:
        """Take a copy of both, under a name."""
        for side in ("portal", "office"):
            shutil.copytree(self.root / side / "now", self.root / side / name)

    @asynccontextmanager
    async def _served(self, folder: Path) -> AsyncIterator[Office]:
        is_new = not (folder / "office.sqlite3").exists()
        if is_new:
            shutil.copy(self.empty_database, folder)
        settings = Settings(data=folder, origin=OFFICE_ORIGIN, static=self.static, portal_url=PORTAL_ORIGIN)
        clock = OfficeClock(self.clock.now)
        app = create_app(settings, clock, parameters=MINIMUM)
        async with app.router.lifespan_context(app):
            database: Database = app.state.database
            if is_new:
                with database.use():
                    await settle_office(commission(), settings.secrets)
            yield Office(app, settings, clock, database, commission())


async def new_folders(root: Path) -> Folders:
    """Folders in an empty one, with all that an office needs before it starts."""
    static = root / "static"
    static.mkdir()
    (static / "office.css").write_text("/* stand-in */")
    empty = root / "empty" / "office.sqlite3"
    empty.parent.mkdir()
    await (await Database.open(f"sqlite://{empty}")).close()
    return Folders(root, empty, static)
