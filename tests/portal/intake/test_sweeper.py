# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deletion: which data, when, and which data remains (docs/protocol.md §7.1, §10)."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from crypto.ids import SubmissionId
from portal.storage.blobs import Part
from portal.storage.group_commit import GroupCommit
from portal.storage.local_blobs import LocalBlobs
from portal.storage.records import SubmissionRecord
from tests.portal.intake.filling import held_back
from tests.portal.office_api.test_office_api import collection_note
from tests.portal.threads import start_thread
from tests.portal.world import (
    RunningPortal,
    bundle_without_attachments,
    collected_files,
    error_code,
    fresh_report,
    mailbox_secrets,
)

FILE = "attachment-1.age"
GRACE_DAYS = 7


async def collect(portal: RunningPortal, sealed: object) -> None:
    path = f"/submissions/{sealed.manifest.submission}/collection"  # type: ignore[attr-defined]
    answer = await portal.office("POST", path, collection_note(portal, sealed))  # type: ignore[arg-type]
    assert answer.status_code == 200


def kept_files(portal: RunningPortal) -> list[Path]:
    return [path for path in (portal.data / "blobs").rglob("*") if path.is_file()]


async def test_parts_that_nobody_named_are_deleted_after_their_days(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    await portal.put_parts(sealed)
    portal.clock.pass_days(3)
    await portal.sweep()
    assert len(kept_files(portal)) == 1
    portal.clock.pass_days(1)
    await portal.sweep()
    assert kept_files(portal) == []
    assert list((portal.data / "blobs" / "parts").iterdir()) == []


async def test_a_submission_may_count_on_its_parts_for_three_days(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    await portal.put_parts(sealed)
    portal.clock.pass_days(3)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    portal.clock.pass_days(30)
    await portal.sweep()
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_a_submission_can_not_count_on_parts_that_may_be_deleted_meanwhile(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    await portal.put_parts(sealed)
    portal.clock.pass_days(4)
    assert error_code(await portal.submit(bundle_without_attachments(sealed))) == (422, "file-missing")


async def test_a_part_that_comes_again_while_the_old_one_is_deleted_stays(portal: RunningPortal) -> None:
    """The sweeper has listed an expired part; before it deletes it, the client sends the part again and submits."""
    sealed = fresh_report(10)
    submission = sealed.manifest.submission
    await portal.put_parts(sealed)
    portal.clock.pass_days(4)
    expired = await portal.assembly.blobs.parts(submission)
    await portal.put_parts(sealed)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    await portal.assembly.blobs.delete(submission, expired)
    fetched = await portal.office("GET", f"/submissions/{submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_a_collected_submission_is_deleted_after_its_grace(portal_on: RunningPortal) -> None:
    portal = portal_on
    sealed = fresh_report(100_000)
    first = await portal.submit(sealed.bundle())
    await collect(portal, sealed)
    portal.clock.pass_days(GRACE_DAYS - 1)
    await portal.sweep()
    path = f"/submissions/{sealed.manifest.submission}/files/report.age"
    assert (await portal.office("GET", path)).content == sealed.files["report.age"]
    portal.clock.pass_days(1)
    await portal.sweep()
    assert error_code(await portal.office("GET", path)) == (404, "not-found")
    assert (await portal.office("GET", "/submissions?after=0")).json()["submissions"] == []
    assert kept_files(portal) == []
    with portal.database.use():
        row = await SubmissionRecord.get(submission=sealed.manifest.submission)
    assert (bytes(row.report), bytes(row.grant), bytes(row.urgency), bytes(row.manifest)) == (b"", b"", b"", b"")
    again = await portal.submit(sealed.bundle())
    assert again.status_code == 200
    assert again.json() == first.json()


async def test_the_acknowledgement_outlives_what_it_is_for(portal: RunningPortal) -> None:
    """The reporter's device compares it with the state at every return."""
    sealed = fresh_report()
    given = (await portal.submit(sealed.bundle())).json()["acknowledgement"]
    await collect(portal, sealed)
    portal.clock.pass_days(GRACE_DAYS)
    await portal.sweep()
    assert (await portal.read_mailbox(mailbox_secrets()))["acknowledgement"] == given


async def test_control_notes_are_never_deleted(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    await thread.post_next()
    await thread.command(delete=1)
    await collect(portal, thread.sealed)
    portal.clock.pass_days(4000)
    await portal.sweep()
    assert len((await portal.office("GET", "/controls?after=0")).json()["controls"]) == 1


async def test_the_mailbox_of_a_deleted_submission_still_opens(portal: RunningPortal) -> None:
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    await collect(portal, sealed)
    before = await portal.read_mailbox(mailbox_secrets())
    portal.clock.pass_days(GRACE_DAYS)
    await portal.sweep()
    assert await portal.read_mailbox(mailbox_secrets()) == before


async def test_a_submission_that_nobody_collected_is_never_deleted(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    await portal.submit(sealed.bundle())
    portal.clock.pass_days(3000)
    await portal.sweep()
    for name, data in collected_files(sealed).items():
        fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
        assert fetched.content == data


async def test_a_second_collection_does_not_prolong_the_grace(portal: RunningPortal) -> None:
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    await collect(portal, sealed)
    portal.clock.pass_days(GRACE_DAYS)
    await collect(portal, sealed)
    await portal.sweep()
    with portal.database.use():
        assert (await SubmissionRecord.get(submission=sealed.manifest.submission)).deleted


async def test_parts_of_a_report_that_is_being_accepted_outlast_their_days(portal: RunningPortal) -> None:
    """However long that takes, and whatever the clock does meanwhile."""
    sealed = fresh_report(10)
    await portal.put_parts(sealed)
    with held_back(GroupCommit, "insert") as (began, go_on):
        sent = asyncio.create_task(portal.submit(bundle_without_attachments(sealed)))
        await asyncio.wait_for(began.wait(), 60)
        portal.clock.pass_days(30)
        await portal.sweep_alone()
        portal.clock.pass_days(-30)
        go_on.set()
        assert (await sent).status_code == 201
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


@dataclass
class BreaksOff:
    """A store whose deletion breaks off after the first part."""

    real: LocalBlobs

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def delete(self, submission: str, parts: Sequence[Part]) -> None:
        await self.real.delete(submission, parts[:1])
        raise OSError("the power went")


async def test_a_deletion_that_broke_off_is_finished_by_the_next_sweep(portal: RunningPortal) -> None:
    sealed = fresh_report(5_000_000)
    await portal.submit(sealed.bundle())
    await collect(portal, sealed)
    portal.clock.pass_days(GRACE_DAYS)
    blobs = portal.assembly.blobs
    assert isinstance(blobs, LocalBlobs)
    await portal.sign_day()
    sweeper = replace(portal.assembly.sweeper, blobs=BreaksOff(blobs))  # type: ignore[arg-type]
    with portal.database.use(), pytest.raises(OSError, match="power"):
        await sweeper.sweep()
    assert len(kept_files(portal)) == 1
    await portal.sweep()
    assert kept_files(portal) == []


@dataclass
class KeepsOne:
    """A store that fails to delete what belongs to one submission."""

    real: LocalBlobs
    kept: str

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def delete(self, submission: SubmissionId, parts: Sequence[Part]) -> None:
        if submission == self.kept:
            raise OSError("a damaged folder")
        await self.real.delete(submission, parts)


async def test_what_can_not_be_deleted_keeps_nothing_else(portal: RunningPortal) -> None:
    reports = [fresh_report(10) for _ in range(3)]
    for sealed in reports:
        await portal.submit(sealed.bundle())
        await collect(portal, sealed)
    unfinished = fresh_report(10)
    await portal.put_parts(unfinished)
    portal.clock.pass_days(GRACE_DAYS)
    blobs = portal.assembly.blobs
    assert isinstance(blobs, LocalBlobs)
    broken = KeepsOne(blobs, reports[0].manifest.submission)
    await portal.sign_day()
    sweeper = replace(portal.assembly.sweeper, blobs=broken)  # type: ignore[arg-type]
    with portal.database.use(), pytest.raises(OSError, match="damaged"):
        await sweeper.sweep()
    assert list(await blobs.stored()) == [reports[0].manifest.submission]
    await portal.sweep()
    assert await blobs.stored() == {}


@dataclass
class NeverEnds:
    """A sweep that waits for a store, and a count that has none."""

    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def sweep(self) -> None:
        self.began.set()
        await asyncio.Event().wait()

    async def count(self) -> None:
        raise ConnectionError


async def test_a_sweep_that_is_told_to_end_ends_though_nothing_can_be_counted(portal: RunningPortal) -> None:
    """Or the program would not end while its database or its store is away."""
    endless = NeverEnds()
    broken = replace(portal.assembly, sweeper=endless, counter=endless)  # type: ignore[arg-type]
    sweeping = asyncio.create_task(broken.sweep())
    await endless.began.wait()
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping


async def test_what_a_crash_left_half_written_is_cleared_away(portal: RunningPortal) -> None:
    left = portal.data / "blobs" / "incoming" / "left"
    left.write_bytes(b"half a part")
    moment = portal.clock().timestamp()
    os.utime(left, (moment, moment))
    await portal.sweep()
    assert left.exists()
    portal.clock.pass_days(3)
    await portal.sweep()
    assert not left.exists()
