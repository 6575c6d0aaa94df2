# SPDX-License-Identifier: AGPL-3.0-or-later
"""A full disk: a clear answer, nothing acknowledged that is not there, and the portal goes on."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.storage.records import SubmissionRecord
from tests.chance import fresh_id
from tests.portal.world import (
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
    """A disk of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
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
    assert error_code(await portal.put_part(submission, FILE, 1, parts[1])) == FULL
    monkeypatch.undo()
    assert [part.index for part in await portal.assembly.blobs.parts(submission)] == [0]
    assert list((portal.data / "blobs" / "incoming").iterdir()) == []
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
        for sealed in [*refused, with_file]:
            assert (await portal.submit(sealed.bundle())).status_code == 201
        for sealed in [*accepted, with_file]:
            for name, data in collected_files(sealed).items():
                fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
                assert fetched.content == data


async def test_attachments_leave_room_for_reports(tmp_path: Path) -> None:
    async with running_portal(tmp_path, free_bytes_min=2**60) as portal:
        part = cut(fresh_report(10).files[FILE])[0]
        assert error_code(await portal.put_part(fresh_id(), FILE, 0, part)) == FULL
        assert (await portal.submit(fresh_report().bundle())).status_code == 201
