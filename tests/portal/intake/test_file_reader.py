# SPDX-License-Identifier: AGPL-3.0-or-later
"""What bundles name is read as often as it was sent, and nobody else waits for it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from crypto.ids import SubmissionId
from portal.intake.file_reader import AT_ONCE, WAITING_MAX, FileReader
from portal.intake.parts import Parts
from portal.storage.blobs import PART_BYTES
from portal.storage.errors import BlobMissingError
from portal.storage.local_blobs import LocalBlobs
from portal.storage.shares import Kind
from portal.storage.weights import MAILBOX_BYTES
from tests.portal.intake.filling import FILE, FULL, held_back, kept
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


async def test_an_upload_that_is_not_what_its_bundle_says_goes_once_it_was_read(
    portal: RunningPortal, reads: Counter[str]
) -> None:
    """Otherwise a bundle of 50 KB has hundreds of megabytes read, again and again."""
    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    assert error_code(await portal.submit(bundle_that_misnames(sealed, FILE))) == (422, "file-hash-mismatch")
    assert await kept(portal, sealed.manifest.submission) == 0
    assert list(reads.values()) == [1] * len(cut(sealed.files[FILE]))
    assert error_code(await portal.submit(bundle_without_attachments(sealed))) == (422, "file-missing")
    assert (await portal.submit(sealed.bundle())).status_code == 201


async def test_bundles_that_name_a_large_file_all_at_once_have_it_read_once(
    portal: RunningPortal, reads: Counter[str]
) -> None:
    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    wrong = [bundle_that_misnames(sealed, FILE) for _ in range(WRONG)]
    answers = {error_code(each) for each in await asyncio.gather(*map(portal.submit, wrong))}
    assert answers <= {(422, "file-hash-mismatch"), (503, "busy")}
    assert list(reads.values()) == [1] * len(cut(sealed.files[FILE]))
    assert await kept(portal, sealed.manifest.submission) == 0


async def test_an_accepted_report_keeps_its_files_whatever_is_said_of_them(portal: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    with held_back(Parts, "check_hash") as (began, go_on):
        wrong = asyncio.create_task(portal.submit(bundle_that_misnames(sealed, FILE)))
        await asyncio.wait_for(began.wait(), 60)
        right = asyncio.create_task(portal.submit(bundle_without_attachments(sealed)))
        go_on.set()
        assert (await right).status_code == 201
        assert error_code(await wrong) == (422, "file-hash-mismatch")
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


@pytest.mark.parametrize("change", [-1, 1])
async def test_nothing_is_read_of_a_file_that_has_other_parts_than_it_should(
    portal: RunningPortal, reads: Counter[str], change: int
) -> None:
    """The beginning of what is there, or more than is there: a part less, or more, each time."""
    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    files = [
        replace(each, size=each.size + change * PART_BYTES) if each.name == FILE else each
        for each in sealed.manifest.files
    ]
    manifest = replace(sealed.manifest, files=tuple(files))
    bundle = bundle_without_attachments(replace(sealed, manifest=manifest, manifest_bytes=manifest.encode()))
    assert error_code(await portal.submit(bundle)) == (422, "file-size-mismatch")
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    assert list(reads.values()) == [1] * len(cut(sealed.files[FILE]))


async def test_nothing_is_read_before_all_files_are_there(portal: RunningPortal, reads: Counter[str]) -> None:
    sealed = fresh_report(10, 10)
    await portal.put_part(sealed.manifest.submission, FILE, 0, sealed.files[FILE])
    assert error_code(await portal.submit(bundle_without_attachments(sealed))) == (422, "file-missing")
    assert not reads


async def test_nothing_is_read_for_a_report_that_finds_no_room(small: RunningPortal, reads: Counter[str]) -> None:
    sealed, shares = fresh_report(10), small.assembly.shares
    await small.put_parts(sealed)
    while shares.has_room(Kind.MAILBOXES, MAILBOX_BYTES):
        shares.take(Kind.MAILBOXES, MAILBOX_BYTES)
    assert error_code(await small.submit(bundle_without_attachments(sealed))) == FULL
    assert not reads
    await small.sweep()
    assert (await small.submit(bundle_without_attachments(sealed))).status_code == 201


async def test_reports_without_files_are_taken_while_others_wait_for_theirs_to_be_read(portal: RunningPortal) -> None:
    sealed, busy = fresh_report(10), 5
    await portal.put_parts(sealed)
    portal.ask_for_no_work()
    with held_back(FileReader, "_read") as (began, go_on):
        bundle = bundle_without_attachments(sealed)
        sent = [asyncio.create_task(portal.submit(bundle)) for _ in range(AT_ONCE + WAITING_MAX + busy)]
        await asyncio.wait_for(began.wait(), 60)
        refused, _ = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        assert {error_code(each.result()) for each in refused} == {(503, "busy")}
        assert (await portal.submit(fresh_report().bundle())).status_code == 201
        go_on.set()
        answers = Counter([(await each).status_code for each in sent])
    assert answers == {201: 1, 200: AT_ONCE + WAITING_MAX - 1, 503: busy}


async def test_a_file_that_could_not_be_read_is_read_again(portal: RunningPortal, reads: Counter[str]) -> None:
    sealed, blobs = fresh_report(10), portal.assembly.blobs
    reader, submission = FileReader(blobs), SubmissionId(sealed.manifest.submission)
    await portal.put_parts(sealed)
    [part] = await blobs.parts(submission)
    with pytest.raises(BlobMissingError):
        await reader.hash_of(submission, "attachment-2.age", [part.name])
    for _ in range(2):
        assert await reader.hash_of(submission, FILE, [part.name]) == part.sha256
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
    assert await second == expected
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
