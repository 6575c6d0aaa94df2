# SPDX-License-Identifier: AGPL-3.0-or-later
"""Attachments uploaded in parts (docs/protocol.md §7.1), on a local folder and on an S3 store."""

import asyncio
import os
import random
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from crypto.age import PqIdentity, seal
from portal.storage.blobs import BLOCK_BYTES, PART_BYTES
from portal.storage.open_blobs import open_blobs
from tests.chance import fresh_id
from tests.portal.storage.object_store import ObjectStore
from tests.portal.world import (
    API,
    BLOCKS,
    RunningPortal,
    another,
    attachments,
    bundle_without_attachments,
    cut,
    digest_header,
    error_code,
    fresh_report,
    in_place,
    running_portal,
    sealed_report,
)

FILE = "attachment-1.age"
SIZES = (9_000_000, 10)


@pytest_asyncio.fixture(params=["folder", "s3"])
async def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningPortal]:
    """A portal that keeps its blobs in a folder, and one that keeps them in an object store."""
    blobs = None
    if request.param == "s3":
        store: ObjectStore = request.getfixturevalue("object_store")
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        blobs = open_blobs(f"s3://amparo/{fresh_id()}", 0)
    async with running_portal(tmp_path, blobs=blobs) as running:
        yield running


async def listing(portal: RunningPortal, submission: str) -> list[tuple[str, int, int]]:
    answer = await portal.client.get(f"{API}/uploads/{submission}")
    return [(part["file"], part["index"], part["size"]) for part in answer.json()["parts"]]


async def test_a_submission_whose_attachments_came_in_parts_is_accepted(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    await portal.put_parts(sealed)
    answer = await portal.submit(bundle_without_attachments(sealed))
    assert answer.status_code == 201, answer.text
    for name, data in attachments(sealed).items():
        fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
        assert fetched.content == data


async def test_the_parts_of_an_attachment_are_never_whole_in_memory(portal: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    bundle = bundle_without_attachments(sealed)
    tracemalloc.start()
    try:
        assert (await portal.submit(bundle)).status_code == 201
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < PART_BYTES


async def test_one_attachment_may_come_in_parts_and_the_other_in_the_bundle(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    first, *_ = attachments(sealed).values()
    for index, part in in_place(cut(first)):
        await portal.put_part(sealed.manifest.submission, FILE, index, part)
    files = {name: data for name, data in sealed.files.items() if name != FILE}
    assert (await portal.submit(replace(sealed, files=files).bundle())).status_code == 201
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == first


async def test_a_client_learns_which_parts_are_there(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    parts = cut(sealed.files[FILE])
    submission = sealed.manifest.submission
    assert await listing(portal, submission) == []
    for index in (2, 0):
        assert (await portal.put_part(submission, FILE, index * BLOCKS, parts[index])).status_code == 201
    assert await listing(portal, submission) == [(FILE, 0, PART_BYTES), (FILE, 2 * BLOCKS, len(parts[2]))]


async def test_a_repeated_part_is_taken_and_changes_nothing(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    part = cut(sealed.files[FILE])[0]
    answers = [await portal.put_part(sealed.manifest.submission, FILE, 0, part) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len(await listing(portal, sealed.manifest.submission)) == 1


async def test_another_part_under_a_used_index_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    first, second, _ = cut(sealed.files[FILE])
    await portal.put_part(sealed.manifest.submission, FILE, BLOCKS, second)
    conflict = await portal.put_part(sealed.manifest.submission, FILE, BLOCKS, first)
    assert error_code(conflict) == (409, "part-conflict")
    assert (await portal.put_part(sealed.manifest.submission, FILE, BLOCKS, second)).status_code == 200


async def test_a_missing_part_is_named_and_can_still_come(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    parts = cut(sealed.files[FILE])
    await portal.put_parts(replace(sealed, files={"attachment-2.age": sealed.files["attachment-2.age"]}))
    for index in (0, 2):
        await portal.put_part(sealed.manifest.submission, FILE, index * BLOCKS, parts[index])
    refused = await portal.submit(bundle_without_attachments(sealed))
    assert error_code(refused) == (422, "file-missing")
    assert refused.json()["error"]["field"] == FILE
    await portal.put_part(sealed.manifest.submission, FILE, BLOCKS, parts[1])
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


async def test_a_truncated_part_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    part = cut(sealed.files[FILE])[0]
    path = f"{API}/uploads/{sealed.manifest.submission}/{FILE}/0"
    headers = {"content-digest": digest_header(part)}
    assert error_code(await portal.client.put(path, content=part[:-1], headers=headers)) == (400, "digest-mismatch")
    assert await listing(portal, sealed.manifest.submission) == []


async def test_a_part_without_a_digest_is_refused(portal: RunningPortal) -> None:
    path = f"{API}/uploads/{fresh_id()}/{FILE}/0"
    for headers in ({}, {"content-digest": "md5=:AAAA:"}, {"content-digest": "sha-256=:AAAA:"}):
        assert error_code(await portal.client.put(path, content=b"x", headers=headers)) == (400, "digest-missing")


async def test_a_part_larger_than_4_mib_is_refused(portal: RunningPortal) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(1024 * 1024)

    path = f"{API}/uploads/{fresh_id()}/{FILE}/1"
    headers = {"content-digest": digest_header(bytes(5 * 1024 * 1024))}
    said = await portal.client.put(path, content=bytes(5 * 1024 * 1024), headers=headers)
    unsaid = await portal.client.put(path, content=chunks(), headers=headers)
    assert error_code(said) == error_code(unsaid) == (413, "too-large")


async def test_an_empty_part_is_refused(portal: RunningPortal) -> None:
    assert error_code(await portal.put_part(fresh_id(), FILE, 1, b"")) == (400, "malformed-request")


async def test_a_first_part_that_is_not_sealed_is_refused(portal: RunningPortal) -> None:
    answer = await portal.put_part(fresh_id(), FILE, 0, b"\xff\xd8\xff a photograph" * 1000)
    assert error_code(answer) == (400, "not-sealed")
    assert await portal.assembly.blobs.stored() == {}


@pytest.mark.parametrize(
    "path",
    [
        f"nothex/{FILE}/0",
        f"{'A' * 32}/{FILE}/0",
        f"{'a' * 32}/attachment-0.age/0",
        f"{'a' * 32}/attachment-33.age/0",
        f"{'a' * 32}/report.age/0",
        f"{'a' * 32}/..%2f..%2fx/0",
        f"{'a' * 32}/{FILE}/00",
        f"{'a' * 32}/{FILE}/-1",
        f"{'a' * 32}/{FILE}/32768",
    ],
)
async def test_a_part_of_nothing_that_can_be_is_refused(portal: RunningPortal, path: str) -> None:
    headers = {"content-digest": digest_header(b"x")}
    answer = await portal.client.put(f"{API}/uploads/{path}", content=b"x", headers=headers)
    assert error_code(answer) in ((400, "malformed-request"), (404, "not-found"))


async def test_reordered_parts_do_not_make_the_file(portal: RunningPortal) -> None:
    sealed = fresh_report(12_600_000)
    parts = cut(sealed.files[FILE])
    for index, part in in_place([parts[0], parts[2], parts[1], *parts[3:]]):
        await portal.put_part(sealed.manifest.submission, FILE, index, part)
    answer = await portal.submit(bundle_without_attachments(sealed))
    assert error_code(answer) == (422, "file-hash-mismatch")


@pytest.mark.parametrize(
    ("sizes", "index"),
    [
        # Behind the last part of a file, which alone ends within a block.
        ([5000], 1),
        ([5000], 99),
        ([PART_BYTES, 5000], BLOCKS + 1),
        # Over another one, from the front and from behind.
        ([PART_BYTES], 1),
        ([PART_BYTES], BLOCKS - 1),
        ([BLOCK_BYTES, PART_BYTES], 2),
    ],
)
async def test_no_part_lies_over_another_or_behind_the_last(
    portal: RunningPortal, sizes: list[int], index: int
) -> None:
    sealed = fresh_report(9_000_000)
    data, submission = sealed.files[FILE], sealed.manifest.submission
    for at, part in in_place([data[: sizes[0]], *(data[size : 2 * size] for size in sizes[1:])]):
        assert (await portal.put_part(submission, FILE, at, part)).status_code == 201
    for size in (5000, BLOCK_BYTES, PART_BYTES):
        start = index * BLOCK_BYTES
        answer = await portal.put_part(submission, FILE, index, data[start : start + size] or bytes(size))
        assert error_code(answer) == (409, "part-conflict")


async def test_a_part_that_would_reach_over_one_that_is_there_is_refused(portal: RunningPortal) -> None:
    data, submission = fresh_report(9_000_000).files[FILE], fresh_id()
    assert (await portal.put_part(submission, FILE, 2, data[2 * BLOCK_BYTES : 3 * BLOCK_BYTES])).status_code == 201
    assert error_code(await portal.put_part(submission, FILE, 0, data[:PART_BYTES])) == (409, "part-conflict")
    assert (await portal.put_part(submission, FILE, 0, data[: 2 * BLOCK_BYTES])).status_code == 201


async def test_a_file_may_come_in_parts_of_many_sizes_in_any_order(portal: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    data, chance = sealed.files[FILE], random.Random(7)
    parts, at = [], 0
    while at < len(data):
        size = BLOCK_BYTES * chance.choice((1, 1, 2, 3, 5, 8, 21, BLOCKS))
        parts.append((at // BLOCK_BYTES, data[at : at + size]))
        at += size
    chance.shuffle(parts)
    for index, part in parts[:-1]:
        assert (await portal.put_part(sealed.manifest.submission, FILE, index, part)).status_code == 201
    assert error_code(await portal.submit(bundle_without_attachments(sealed)))[1] in (
        "file-missing",
        "file-size-mismatch",
    )
    index, part = parts[-1]
    assert (await portal.put_part(sealed.manifest.submission, FILE, index, part)).status_code == 201
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == data


async def test_who_begins_anew_under_the_same_id_has_the_upload_deleted(portal: RunningPortal) -> None:
    """What was changed after a try that may have arrived must not become a second report."""
    sealed = fresh_report(100_000)
    submission = sealed.manifest.submission
    other = fresh_report(120_000).files[FILE]
    await portal.put_part(submission, FILE, 0, other[: 2 * BLOCK_BYTES])
    for _ in range(2):
        answer = await portal.client.delete(f"{API}/uploads/{submission}")
        assert (answer.status_code, answer.json()) == (200, {"status": "dropped"})
        assert await listing(portal, submission) == []
    await portal.put_parts(sealed)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


async def test_no_part_of_an_accepted_submission_is_deleted_by_its_sender(portal: RunningPortal) -> None:
    sealed = fresh_report(100_000)
    await portal.put_parts(sealed)
    await portal.submit(bundle_without_attachments(sealed))
    answer = await portal.client.delete(f"{API}/uploads/{sealed.manifest.submission}")
    assert error_code(answer) == (409, "already-accepted")
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_the_last_part_may_come_first(portal: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    parts = cut(sealed.files[FILE])
    for index, part in reversed(in_place(parts)):
        assert (await portal.put_part(sealed.manifest.submission, FILE, index, part)).status_code == 201
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


async def test_a_file_of_another_size_than_its_parts_is_refused(portal: RunningPortal) -> None:
    sealed = fresh_report(*SIZES)
    await portal.put_parts(replace(sealed, files={"attachment-2.age": sealed.files["attachment-2.age"]}))
    for index, part in in_place(cut(sealed.files[FILE][:-1000])):
        assert (await portal.put_part(sealed.manifest.submission, FILE, index, part)).status_code == 201
    answer = await portal.submit(bundle_without_attachments(sealed))
    assert error_code(answer) == (422, "file-size-mismatch")


async def test_swapped_attachments_are_refused(portal: RunningPortal) -> None:
    sealed = another(sealed_report((10, 11)))
    first, second = attachments(sealed).values()
    await portal.put_part(sealed.manifest.submission, "attachment-1.age", 0, second)
    await portal.put_part(sealed.manifest.submission, "attachment-2.age", 0, first)
    answer = await portal.submit(bundle_without_attachments(sealed))
    assert error_code(answer) == (422, "file-hash-mismatch")


async def test_parts_for_an_accepted_submission_are_refused_but_repeats(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    await portal.put_parts(sealed)
    await portal.submit(bundle_without_attachments(sealed))
    data = seal(b"more", [PqIdentity.generate().recipient()])
    more = await portal.put_part(sealed.manifest.submission, "attachment-2.age", 0, data)
    assert error_code(more) == (409, "already-accepted")
    again = await portal.put_part(sealed.manifest.submission, FILE, 0, sealed.files[FILE])
    assert again.status_code == 200


async def test_a_wrong_bundle_does_not_spoil_the_right_one(portal: RunningPortal) -> None:
    """The parts that a broken bundle left under the same id do no harm."""
    sealed = fresh_report(100_000)
    right = sealed.bundle()
    wrong = bytearray(right)
    wrong[right.index(sealed.files[FILE]) + 50_000] ^= 1
    assert error_code(await portal.submit(bytes(wrong)))[0] in (400, 422)
    assert (await portal.submit(right)).status_code == 201
    fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_the_same_part_sent_twice_at_once_is_stored_once(portal: RunningPortal) -> None:
    sealed = fresh_report(10)
    part = sealed.files[FILE]
    answers = await asyncio.gather(*(portal.put_part(sealed.manifest.submission, FILE, 0, part) for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert await listing(portal, sealed.manifest.submission) == [(FILE, 0, len(part))]
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


async def test_an_upload_that_died_leaves_no_half_part(tmp_path: Path) -> None:
    async with running_portal(tmp_path) as portal:
        part = cut(fresh_report(*SIZES).files[FILE])[0]

        async def dies() -> AsyncIterator[bytes]:
            yield part[: 2 * 1024 * 1024]

        path = f"{API}/uploads/{fresh_id()}/{FILE}/0"
        answer = await portal.client.put(path, content=dies(), headers={"content-digest": digest_header(part)})
        assert error_code(answer) == (400, "digest-mismatch")
        assert list((portal.data / "blobs" / "incoming").iterdir()) == []
        assert list((portal.data / "blobs" / "parts").iterdir()) == []


async def test_a_part_is_synced_and_then_its_folders_before_it_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real_sync, real_rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        order.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_sync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        order.append("rename")
        return real_rename(self, target)

    async with running_portal(tmp_path) as portal:
        monkeypatch.setattr(os, "fsync", sync)
        monkeypatch.setattr(Path, "rename", rename)
        sealed = fresh_report(10)
        assert (await portal.put_part(sealed.manifest.submission, FILE, 0, sealed.files[FILE])).status_code == 201
        monkeypatch.undo()
    assert order[0].startswith("sync ")
    assert order[1:] == ["rename", f"sync {FILE}", f"sync {sealed.manifest.submission}", "sync parts"]
