# SPDX-License-Identifier: AGPL-3.0-or-later
"""Uploads, bundles, sweeps and restarts in any order, on a portal with little room: what holds after each."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from crypto.ids import SubmissionId
from crypto.submission import SealedSubmission
from portal.kit.quiet_logging import describe_error
from portal.storage.shares import PARTS, Kind
from portal.storage.weights import part_weight
from tests.portal.intake.test_sweeper import GRACE_DAYS, collect
from tests.portal.world import (
    BLOCKS,
    Clock,
    RunningPortal,
    attachments,
    bundle_without_attachments,
    cut,
    error_code,
    fresh_report,
    in_place,
    running_portal,
)

FILE = "attachment-1.age"
STORE_BYTES = 100 * 1024 * 1024
STEPS = 60
SEED_BYTES = 8


@dataclass
class Flooded:
    """A portal, and what has been done to it."""

    folder: Path
    rng: Random
    stack: AsyncExitStack
    clock: Clock = field(default_factory=Clock)
    unfinished: list[SealedSubmission] = field(default_factory=list)
    accepted: list[SealedSubmission] = field(default_factory=list)
    collected: list[SealedSubmission] = field(default_factory=list)
    deleted_from: dict[SubmissionId, datetime] = field(default_factory=dict)
    portal: RunningPortal = field(init=False)

    async def start(self) -> None:
        running = running_portal(self.folder, clock=self.clock, store_bytes=STORE_BYTES)
        self.portal = await self.stack.enter_async_context(running)
        self.portal.ask_for_no_work()

    async def restart(self) -> None:
        await self.stack.aclose()
        await self.start()

    async def crash(self) -> None:
        """The portal goes down while a bundle comes in."""
        sealed = fresh_report(5_000_000)
        sent = asyncio.create_task(self.portal.submit(sealed.bundle()))
        for _ in range(self.rng.randrange(40)):
            await asyncio.sleep(0)
        sent.cancel()
        with suppress(asyncio.CancelledError):
            await sent
        self.unfinished.append(sealed)
        await self.restart()

    async def put_a_part(self) -> None:
        if not self.unfinished or self.rng.random() < 0.5:
            self.unfinished.append(fresh_report(self.rng.choice([10, 5_000_000, 9_000_000])))
        sealed = self.rng.choice(self.unfinished)
        parts = cut(sealed.files[FILE])
        index = self.rng.randrange(len(parts))
        answer = await self.portal.put_part(sealed.manifest.submission, FILE, index * BLOCKS, parts[index])
        # Busy: it was in use when it was its turn to give way.
        assert answer.status_code in (200, 201, 507) or error_code(answer) == (503, "busy"), answer.text

    async def finish(self) -> None:
        """Send what is missing of an upload, and its bundle, beside other uploads."""
        if not self.unfinished:
            return
        sealed = self.unfinished.pop(self.rng.randrange(len(self.unfinished)))
        for index, part in in_place(cut(sealed.files[FILE])):
            await self.portal.put_part(sealed.manifest.submission, FILE, index, part)
        answer, *_ = await asyncio.gather(
            self.portal.submit(bundle_without_attachments(sealed)), self.put_a_part(), self.put_a_part()
        )
        if answer.status_code in (200, 201):
            self.accepted.append(sealed)
        else:
            assert error_code(answer) in ((507, "storage-full"), (422, "file-missing"), (503, "busy"))

    async def collect(self) -> None:
        if self.accepted:
            sealed = self.accepted.pop(self.rng.randrange(len(self.accepted)))
            await collect(self.portal, sealed)
            self.collected.append(sealed)
            self.deleted_from[sealed.manifest.submission] = self.clock.now + timedelta(days=GRACE_DAYS)

    async def pass_a_day(self, days: int = 1) -> None:
        self.clock.pass_days(days)
        await self.portal.sweep()
        due = self.deleted_from
        self.collected = [each for each in self.collected if self.clock.now < due[each.manifest.submission]]

    async def pass_the_grace(self) -> None:
        await self.pass_a_day(GRACE_DAYS)

    async def check(self) -> None:
        """No part of an accepted submission is gone, no share exceeded, and a small report finds room."""
        for sealed in self.accepted + self.collected:
            path = f"/submissions/{sealed.manifest.submission}/files/{FILE}"
            assert (await self.portal.office("GET", path)).content == sealed.files[FILE]
        named = {sealed.manifest.submission for sealed in self.accepted + self.collected}
        stored = await self.portal.assembly.blobs.stored()
        left = sum(each.weight for submission, each in stored.items() if submission not in named)
        assert left <= STORE_BYTES * PARTS[Kind.UPLOADS] // 100
        taken = sum(
            part_weight(len(part))
            for sealed in self.accepted + self.collected
            for part in cut(attachments(sealed)[FILE])
        )
        assert taken <= STORE_BYTES * PARTS[Kind.ATTACHMENTS] // 100
        assert (await self.portal.submit(fresh_report().bundle())).status_code == 201

    async def flood(self, steps: int) -> None:
        """So many of these, each drawn; it raises AssertionError when something does not hold after one."""
        every: list[Callable[[], Awaitable[None]]] = [
            *[self.put_a_part] * 6,
            *[self.finish] * 3,
            self.collect,
            self.pass_a_day,
            self.pass_the_grace,
            self.restart,
            self.crash,
        ]
        for number in range(steps):
            step = self.rng.choice(every)
            try:
                await step()
                await self.check()
            except Exception as error:
                raise AssertionError(f"step {number}, {step.__name__}: {error} {describe_error(error)}") from error


@dataclass(frozen=True)
class Floods:
    """One portal after the other, each flooded in a mix and an order of its own; ``folder`` is for what they store."""

    folder: Path
    steps: int = STEPS

    async def fault(self, chance: Random) -> tuple[bytes, str] | None:
        """A flood that comes of a seed; the seed, and what did not hold."""
        seed = chance.randbytes(SEED_BYTES)
        found = await self.again(seed)
        return found and (seed, found)

    async def again(self, seed: bytes) -> str | None:
        """The same flood once more, of the same reports; how threads take turns may differ."""
        random.seed(seed)
        with TemporaryDirectory(dir=self.folder) as folder:
            async with AsyncExitStack() as stack:
                flooded = Flooded(Path(folder), Random(seed), stack)
                await flooded.start()
                try:
                    await flooded.flood(self.steps)
                except AssertionError as error:
                    return str(error)
        return None
