# SPDX-License-Identifier: AGPL-3.0-or-later
"""Builds the portal from its parts, and runs its background tasks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from portal.api.pressure import Pressure
from portal.api.turns import RequestTurns
from portal.api.work import StrangersWork
from portal.charters.known import Charters
from portal.charters.newest import NewestNotes
from portal.charters.views import CharterViews
from portal.intake.acceptance import Acceptance
from portal.intake.admission import Admission
from portal.intake.counting import Counter
from portal.intake.parts import Parts
from portal.intake.shared_blobs import SharedBlobs
from portal.intake.sweeper import Sweeper
from portal.intake.uploads import Uploads
from portal.intake.views import IntakeViews
from portal.kit.free_space import Ballast
from portal.kit.quiet_logging import describe_error
from portal.kit.stopping import keep_going, stop
from portal.mailbox.decoy import Decoys
from portal.mailbox.mailboxes import Mailboxes
from portal.mailbox.strangers import Strangers
from portal.mailbox.views import MailboxViews
from portal.office_api.announcements import Announcements
from portal.office_api.controls import Controls
from portal.office_api.follow_ups import FollowUps
from portal.office_api.holdings import Holdings
from portal.office_api.pickup import Pickup
from portal.office_api.request_signature import RequestVerifier
from portal.office_api.threads import Threads
from portal.office_api.views import NotShown, OfficeViews
from portal.office_api.visits import Visits
from portal.pages.live_pages import LivePages
from portal.register.findings import Findings
from portal.register.live import LiveRegister
from portal.register.views import FindingViews, Receipts
from portal.settings import Settings
from portal.storage.blobs import BlobStore
from portal.storage.claims import Claims
from portal.storage.clock_watch import ClockWatch
from portal.storage.database import Database
from portal.storage.group_commit import GroupCommit
from portal.storage.keys import load_decoy_key, load_realm, load_signing_key
from portal.storage.open_blobs import open_blobs
from portal.storage.shares import Shares

LOG = logging.getLogger("portal")
SWEEP_MINUTES = 60
MINUTE_SECONDS = 60
BALLAST_PART = 16
BALLAST_BYTES_MAX = 16 * 1024 * 1024
"""The ballast has this part of the bytes that stay free: a sixteenth."""
POLL_SECONDS = 10
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Assembly:
    """The objects that live as long as the program."""

    settings: Settings
    clock: Clock
    blobs: BlobStore
    turns: RequestTurns
    charters: Charters
    commits: GroupCommit
    sweeper: Sweeper
    shares: Shares
    counter: Counter
    ballast: Ballast
    pages: LivePages
    work: StrangersWork
    intake: IntakeViews
    mailbox: MailboxViews
    office: OfficeViews
    notes: CharterViews
    register: LiveRegister
    findings: FindingViews

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Database]:
        """Open the database and start the background tasks; close them in reverse order at the end."""
        async with AsyncExitStack() as stack:
            stack.callback(self.counter.uploads.claims.close)
            stack.push_async_callback(self.blobs.close)
            database = await Database.open(self.settings.database_url)
            stack.push_async_callback(database.close)
            with database.use():
                stack.push_async_callback(self.pages.close)
                await _quietly(self.counter.count())
                await self.charters.refresh()
                self.charters.check_realm()
                self.charters.on_change = self._renew_pages
                self.charters.can_show = self.pages.can_show
                self.charters.on_change()
                for work in (
                    self.commits.run,
                    self.register.run,
                    self._sweep_for_ever,
                    self._poll_for_ever,
                ):
                    stack.push_async_callback(stop, asyncio.create_task(keep_going(work)))
            yield database

    async def _sweep_for_ever(self) -> None:
        while True:
            done = await _quietly(self.sweep())
            for _ in range(SWEEP_MINUTES):
                await asyncio.sleep(MINUTE_SECONDS)
                # Sooner when something did not find room, or was not deleted: the disk may have been full.
                if not done or self.shares.has_refused:
                    break

    async def sweep(self) -> None:
        """Delete what has expired, on a full disk too, and count what is left."""
        # A disk that takes no ballast, as with a quota that is used up, needs the sweep most.
        ballast = await _quietly(self._adjust_ballast())
        try:
            await self.sweeper.sweep()
        except Exception:
            await self._count(ballast)
            raise
        await self._count(ballast)

    async def _count(self, with_ballast: bool) -> None:
        await self.counter.count()
        if with_ballast:
            await self._adjust_ballast()

    async def _adjust_ballast(self) -> None:
        await asyncio.to_thread(self.ballast.adjust)

    async def _poll_for_ever(self) -> None:
        # The reporters' pages come first.
        await self.pages.built()
        await _quietly(self.register.refresh())
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await _quietly(self.charters.refresh())
            if self.charters.closed(self.clock().date()) != self.pages.closed:
                self._renew_pages()
            await _quietly(self.register.refresh())

    def _renew_pages(self) -> None:
        self.pages.renew(self.charters.all(), self.charters.closed(self.clock().date()))


def assemble(
    settings: Settings, clock: Clock, blobs: BlobStore | None = None, monotonic: Callable[[], float] = monotonic
) -> Assembly:
    """Build the portal, making missing keys and folders. Raises OSError or ValueError."""
    key = load_signing_key(settings.data, settings.key_name)
    realm = load_realm(settings.data)
    blobs = blobs or open_blobs(settings.blobs_url, settings.free_bytes_min)
    charters = Charters(settings.origin, realm, key.verifier)
    turns = RequestTurns(settings.waiting_max)
    commits = GroupCommit(turns.writes_max())
    shares = Shares(settings.workers)
    uploads = Uploads(blobs, shares, Claims(settings.data / "uploads.lock"), commits)
    counter = Counter(blobs, shares, uploads, settings.data, settings.store_bytes, settings.free_bytes_min)
    shares.is_low = counter.is_low
    shared = SharedBlobs(blobs, uploads)
    parts = Parts(shared, clock)
    pressure = Pressure((turns.share_in_use, shares.pressure, uploads.pressure), clock)
    admission = Admission(shares, uploads)
    acceptance = Acceptance(realm, key, charters, shared, parts, admission, commits, pressure, clock)
    verifier = RequestVerifier(settings.origin, charters, commits, clock)
    newest = NewestNotes(realm, charters, commits, clock)
    secret = load_decoy_key(settings.data)
    strangers = Strangers(Decoys(secret))
    work = StrangersWork(secret, pressure, clock)
    pages = LivePages(settings, realm)
    register = LiveRegister(Findings(charters, commits, clock), pages, settings)
    return Assembly(
        settings=settings,
        clock=clock,
        blobs=blobs,
        turns=turns,
        charters=charters,
        commits=commits,
        sweeper=Sweeper(blobs, uploads, ClockWatch(clock, monotonic)),
        shares=shares,
        counter=counter,
        ballast=Ballast(settings.data, min(settings.free_bytes_min // BALLAST_PART, BALLAST_BYTES_MAX)),
        pages=pages,
        work=work,
        intake=IntakeViews(acceptance, parts, work, turns),
        mailbox=MailboxViews(Mailboxes(strangers, commits, shares, charters, clock), work, realm),
        office=OfficeViews(
            verifier,
            Pickup(realm, blobs, clock),
            Threads(realm, commits, shares, clock),
            FollowUps(realm, clock),
            Controls(realm, commits),
            newest,
            Visits(commits, clock),
            Holdings(),
            Announcements(realm, charters, commits, shares, clock),
            lambda slug: _not_shown(slug, pages, register),
            turns.downloads,
        ),
        notes=CharterViews(charters, newest, key.verifier),
        register=register,
        findings=FindingViews(verifier, register, Receipts(realm, key, charters)),
    )


def _not_shown(slug: str, pages: LivePages, register: LiveRegister) -> list[NotShown]:
    """What of a commission can't be shown on the pages of this process, for its offices."""
    charters = [pages.problems[slug]] if slug in pages.problems else []
    findings = sorted(name for name, whose in register.problems.items() if whose == slug)
    return [*(("charter", name) for name in charters), *(("finding", name) for name in findings)]


async def _quietly(work: Coroutine[Any, Any, None]) -> bool:
    """Run one step of a background task; a failure is logged and must not end the task, which tries again later.

    Returns whether it succeeded.
    """
    try:
        await work
    except Exception as error:
        LOG.error(describe_error(error))
        return False
    return True
