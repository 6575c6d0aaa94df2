# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a bundle names is read once, however many bundles name it."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from crypto.ids import SubmissionId
from portal.api.sealed_form import PREFIX_BYTES
from portal.intake.file_reader import FileHash, FileReader
from portal.storage.blobs import PART_BYTES
from portal.storage.errors import BlobMissingError
from portal.storage.local_blobs import LocalBlobs
from tests.portal.intake.filling import FILE
from tests.portal.world import (
    RunningPortal,
    bundle_that_misnames,
    bundle_without_attachments,
    cut,
    error_code,
    fresh_report,
)

WRONG = 20


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each part was begun to be read."""
    begun, read = Counter[str](), LocalBlobs.read

    async def counted(store: LocalBlobs, submission: SubmissionId, file: str, name: str) -> AsyncIterator[bytes]:
        begun[name] += 1
        async for piece in read(store, submission, file, name):
            yield piece

    monkeypatch.setattr(LocalBlobs, "read", counted)
    return begun


async def test_bundles_that_name_a_large_file_again_and_again_have_it_read_once(
    portal: RunningPortal, reads: Counter[str]
) -> None:
    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    wrong = [bundle_that_misnames(sealed, FILE) for _ in range(WRONG)]
    answers = await asyncio.gather(*map(portal.submit, wrong))
    assert [error_code(answer) for answer in answers] == [(422, "file-hash-mismatch")] * WRONG
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    assert list(reads.values()) == [1] * len(cut(sealed.files[FILE]))


async def test_a_file_that_is_named_a_part_longer_each_time_is_read_once(
    portal: RunningPortal, reads: Counter[str]
) -> None:
    sealed = fresh_report(14_000_000)
    reader, submission = FileReader(portal.assembly.blobs), SubmissionId(sealed.manifest.submission)
    await portal.put_parts(sealed)
    names = [part.name for part in await portal.assembly.blobs.parts(submission)]
    for count in range(len(names) + 1):
        begin = sealed.files[FILE][: count * PART_BYTES]
        found = await reader.hash_of(submission, FILE, names[:count])
        assert found == FileHash(hashlib.sha256(begin).hexdigest(), begin[:PREFIX_BYTES])
    assert [reads[name] for name in names] == [1] * len(names)


async def test_a_file_that_could_not_be_read_is_read_again(portal: RunningPortal, reads: Counter[str]) -> None:
    sealed, blobs = fresh_report(10), portal.assembly.blobs
    reader, submission = FileReader(blobs), SubmissionId(sealed.manifest.submission)
    await portal.put_parts(sealed)
    [part] = await blobs.parts(submission)
    with pytest.raises(BlobMissingError):
        await reader.hash_of(submission, "attachment-2.age", [part.name])
    for _ in range(2):
        assert (await reader.hash_of(submission, FILE, [part.name])).sha256 == part.sha256
    assert reads[part.name] == 2


async def test_whoever_has_gone_does_not_end_what_another_waits_for(portal: RunningPortal) -> None:
    sealed, blobs = fresh_report(9_000_000), portal.assembly.blobs
    reader, submission = FileReader(blobs), SubmissionId(sealed.manifest.submission)
    await portal.put_parts(sealed)
    names = [part.name for part in await blobs.parts(submission)]
    first, second = (asyncio.create_task(reader.hash_of(submission, FILE, names)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    [expected] = [file.sha256 for file in sealed.manifest.files if file.name == FILE]
    assert (await second).sha256 == expected
    assert first.cancelled()


async def test_no_more_hashes_are_kept_than_there_is_room_for(portal: RunningPortal, reads: Counter[str]) -> None:
    reader, kept = FileReader(portal.assembly.blobs, known_max=2), []
    for _ in range(3):
        sealed = fresh_report(10)
        await portal.put_parts(sealed)
        submission = SubmissionId(sealed.manifest.submission)
        kept.append((submission, FILE, [part.name for part in await portal.assembly.blobs.parts(submission)]))
    for each in (*kept, kept[-1], kept[0]):
        await reader.hash_of(*each)
    assert len(reader._known) == 2
    assert sum(reads.values()) == 4
