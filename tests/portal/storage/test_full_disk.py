# SPDX-License-Identifier: AGPL-3.0-or-later
"""A full disk: a clear answer, nothing acknowledged that is not there, and the portal goes on."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.kit.free_space import BALLAST, Ballast, free_bytes
from portal.storage.records import SubmissionRecord
from tests.chance import fresh_id
from tests.people import PORTAL_ORIGIN
from tests.portal.intake.test_sweeper import GRACE_DAYS, collect, kept_files
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.world import (
    API,
    BLOCKS,
    RunningPortal,
    bundle_without_attachments,
    collected_files,
    cut,
    error_code,
    fresh_report,
    running_portal,
)

FILE = "attachment-1.age"
FULL = (507, "storage-full")
REAL_WRITE = os.write


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class FullAfter:
    """``os.write`` of a disk that is full after some bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def __call__(self, descriptor: int, data: bytes) -> int:
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return REAL_WRITE(descriptor, data)


async def test_a_disk_that_fills_up_while_a_part_is_written(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = fresh_report(9_000_000)
    submission, parts = sealed.manifest.submission, cut(sealed.files[FILE])
    assert (await portal.put_part(submission, FILE, 0, parts[0])).status_code == 201
    monkeypatch.setattr("portal.kit.files.os.write", FullAfter(1_000_000))
    assert error_code(await portal.put_part(submission, FILE, BLOCKS, parts[1])) == FULL
    monkeypatch.undo()
    assert [part.index for part in await portal.assembly.blobs.parts(submission)] == [0]
    assert list((portal.data / "blobs" / "incoming").iterdir()) == []
    await portal.put_parts(sealed)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


@pytest.mark.parametrize("of", ["upload", "file"])
async def test_a_part_whose_folder_can_not_be_made_leaves_nothing(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    sealed, mkdir = fresh_report(10), os.mkdir
    upload = portal.data / "blobs" / "parts" / sealed.manifest.submission
    refused = upload if of == "upload" else upload / FILE

    def no_inode_left(folder: Path, *given: Any, **options: Any) -> None:
        if Path(folder) == refused and refused.parent.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        mkdir(folder, *given, **options)

    monkeypatch.setattr("os.mkdir", no_inode_left)
    assert error_code(await portal.put_part(sealed.manifest.submission, FILE, 0, sealed.files[FILE])) == FULL
    assert [path for name in ("incoming", "parts") for path in (portal.data / "blobs" / name).iterdir()] == []
    monkeypatch.undo()
    await portal.put_parts(sealed)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


async def test_a_disk_that_fills_up_while_a_bundle_is_taken(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = fresh_report(9_000_000)
    monkeypatch.setattr("portal.kit.files.os.write", FullAfter(6_000_000))
    assert error_code(await portal.submit(sealed.bundle())) == FULL
    monkeypatch.undo()
    with portal.database.use():
        assert await SubmissionRecord.all().count() == 0
    assert (await portal.submit(sealed.bundle())).status_code == 201
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_a_really_full_disk_loses_nothing_and_the_portal_goes_on(small_disk: Path) -> None:
    """Database and blobs are on one small disk; a filler takes the remaining space, and frees it again."""
    async with running_portal(small_disk) as portal:
        portal.ask_for_no_work()
        before = fresh_report()
        first = await portal.submit(before.bundle())
        assert first.status_code == 201
        filler = small_disk / "filler"
        with filler.open("wb") as file, pytest.raises(OSError, match="No space"):
            while True:
                REAL_WRITE(file.fileno(), bytes(4096))
        accepted = [before]
        refused = []
        for _ in range(60):
            sealed = fresh_report()
            answer = await portal.submit(sealed.bundle())
            (accepted if answer.status_code == 201 else refused).append(sealed)
            if answer.status_code != 201:
                assert error_code(answer) == FULL
        assert refused
        with_file = fresh_report(2_000_000)
        assert error_code(await portal.submit(with_file.bundle())) == FULL
        again = await portal.submit(before.bundle())
        assert (again.status_code, again.json()) == (200, first.json())
        filler.unlink()
        await portal.sweep()
        for sealed in [*refused, with_file]:
            assert (await portal.submit(sealed.bundle())).status_code == 201
        for sealed in [*accepted, with_file]:
            for name, data in collected_files(sealed).items():
                fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
                assert fetched.content == data


def fill(disk: Path) -> Path:
    """Take every block that the disk has left, as another program would."""
    filler = disk / "filler"
    with filler.open("ab") as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    REAL_WRITE(file.fileno(), bytes(size))
            except OSError:
                continue
    return filler


async def test_a_full_portal_hands_over_its_reports_and_heals_itself(small_disk: Path) -> None:
    """Nothing can be written any more: the office lists, fetches and confirms; the sweep makes room by itself."""
    async with running_portal(small_disk, free_bytes_min=16 * 1024 * 1024) as portal:
        portal.ask_for_no_work()
        sealed = fresh_report(100_000)
        assert (await portal.submit(sealed.bundle())).status_code == 201
        await portal.sweep()
        assert (portal.data / BALLAST).stat().st_size == 1024 * 1024
        fill(small_disk)
        assert error_code(await portal.submit(fresh_report().bundle())) == FULL
        listed = await portal.office("GET", "/submissions?after=0")
        assert [row["submission"] for row in listed.json()["submissions"]] == [sealed.manifest.submission]
        for name, data in collected_files(sealed).items():
            fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
            assert fetched.content == data
        # The ballast gives room for what frees room.
        await portal.sweep()
        assert not (portal.data / BALLAST).exists()
        await collect(portal, sealed)
        portal.clock.pass_days(GRACE_DAYS)
        await portal.sweep()
        assert [path for path in kept_files(portal) if path.suffix != ".lock"] == []
        assert (await portal.office("GET", "/submissions?after=0")).json()["submissions"] == []
        (small_disk / "filler").unlink()
        await portal.sweep()
        assert (portal.data / BALLAST).exists()
        assert (await portal.submit(fresh_report().bundle())).status_code == 201


async def test_a_disk_that_takes_no_ballast_is_swept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota that is used up does not show in what the disk has left."""

    def full(_: Ballast) -> bool:
        raise OSError(errno.EDQUOT, "quota")

    monkeypatch.setattr(Ballast, "adjust", full)
    async with running_portal(tmp_path) as portal:
        sealed = fresh_report(100)
        assert (await portal.submit(sealed.bundle())).status_code == 201
        await collect(portal, sealed)
        portal.clock.pass_days(GRACE_DAYS)
        await portal.sweep()
        assert (await portal.office("GET", "/submissions?after=0")).json()["submissions"] == []


async def test_a_nonce_is_taken_once_on_a_full_disk_too(small_disk: Path) -> None:
    async with running_portal(small_disk) as portal:
        portal.ask_for_no_work()
        path = f"{API}/office/submissions?after=0"
        fill(small_disk)
        while (await portal.submit(fresh_report().bundle())).status_code == 201:
            continue
        answers = []
        # As many as the log of the database may still have room for, and more.
        for _ in range(40):
            headers = RequestSigner(portal.world.office_key, portal.clock).headers("GET", PORTAL_ORIGIN + path, None)
            answers += [await portal.client.get(path, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 401] * 40


async def test_attachments_leave_room_for_reports(tmp_path: Path) -> None:
    async with running_portal(tmp_path, free_bytes_min=2 * free_bytes(tmp_path)) as portal:
        portal.ask_for_no_work()
        part = cut(fresh_report(10).files[FILE])[0]
        assert error_code(await portal.put_part(fresh_id(), FILE, 0, part)) == FULL
        assert (await portal.submit(fresh_report().bundle())).status_code == 201


async def test_a_disk_that_fails_is_told_from_a_fault_of_the_program(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is answered so asks again, and the log says what it was."""

    def failing(*_: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")

    sealed = fresh_report(10)
    submission = sealed.manifest.submission
    with monkeypatch.context() as broken:
        broken.setattr("portal.kit.files.os.write", failing)
        answer = await portal.put_part(submission, FILE, 0, sealed.files[FILE])
        assert error_code(answer) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert (await portal.submit(sealed.bundle())).status_code == 201
    with monkeypatch.context() as broken:
        broken.setattr("portal.storage.local_blobs._read_piece", failing)
        file = await portal.office("GET", f"/submissions/{submission}/files/{FILE}")
        assert error_code(file) == (503, "unavailable")
    assert (await portal.office("GET", f"/submissions/{submission}/files/{FILE}")).content == sealed.files[FILE]
