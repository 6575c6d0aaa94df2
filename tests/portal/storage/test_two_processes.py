# SPDX-License-Identifier: AGPL-3.0-or-later
"""Parts that another process lists, sweeps and deletes at the same moment."""

from datetime import timedelta
from pathlib import Path

import pytest

from crypto.ids import SubmissionId
from portal.storage import local_blobs
from portal.storage.blobs import BlobStore
from portal.storage.errors import BusyError
from portal.storage.local_blobs import LocalBlobs
from portal.storage.open_blobs import open_blobs
from tests.chance import fresh_id
from tests.people import TODAY
from tests.portal.storage.object_store import ObjectStore

FILE = "attachment-1.age"


async def put(blobs: BlobStore, submission: SubmissionId, index: int = 0) -> str:
    writer = blobs.new_part(submission)
    try:
        await writer.write(b"sealed")
        await writer.digest()
        return await writer.keep(FILE, index, TODAY)
    finally:
        await writer.discard()


async def test_what_another_has_deleted_is_deleted_and_listed_and_swept_without_a_word(tmp_path: Path) -> None:
    one, other = LocalBlobs(tmp_path / "blobs"), LocalBlobs(tmp_path / "blobs")
    submission = SubmissionId(fresh_id())
    for index in range(3):
        await put(one, submission, index)
    listed = await one.parts(submission)
    await other.delete(submission, listed)
    await one.delete(submission, listed)
    assert (await one.parts(submission), await one.stored()) == ([], {})
    await one.sweep(TODAY + timedelta(days=30))
    assert list(one.kept.iterdir()) == []
    for each in (one, other):
        await each.close()


async def test_a_part_that_another_deletes_before_its_folder_is_synced_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep on another machine, with which no claim is shared."""
    one, other = LocalBlobs(tmp_path / "blobs"), LocalBlobs(tmp_path / "blobs")
    submission = SubmissionId(fresh_id())
    real = local_blobs.sync_folder

    def sweep_first(folder: Path, modified: float | None = None) -> None:
        monkeypatch.setattr(local_blobs, "sync_folder", real)
        other._delete(submission, other._list(submission, None))
        real(folder, modified)

    monkeypatch.setattr(local_blobs, "sync_folder", sweep_first)
    with pytest.raises(BusyError):
        await put(one, submission)
    assert list(one.incoming.iterdir()) == []
    await put(one, submission)
    assert len(await one.parts(submission)) == 1
    for each in (one, other):
        await each.close()


async def test_an_unfinished_part_that_was_swept_is_sent_again(tmp_path: Path) -> None:
    """By a process whose clock is days ahead."""
    blobs = LocalBlobs(tmp_path / "blobs")
    writer = blobs.new_part(SubmissionId(fresh_id()))
    await writer.write(b"sealed")
    await writer.digest()
    for path in blobs.incoming.iterdir():
        path.unlink()
    with pytest.raises(BusyError):
        await writer.keep(FILE, 0, TODAY)
    await writer.discard()
    assert list(blobs.kept.iterdir()) == []
    await blobs.close()


async def test_objects_that_another_has_deleted_are_deleted_without_a_word(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    blobs, submission = open_blobs(f"s3://amparo/{fresh_id()}", 0), SubmissionId(fresh_id())
    for index in range(3):
        await put(blobs, submission, index)
    listed = await blobs.parts(submission)
    await blobs.delete(submission, listed[:1])
    await blobs.delete(submission, listed)
    await blobs.delete(submission, listed)
    assert await blobs.parts(submission) == []
