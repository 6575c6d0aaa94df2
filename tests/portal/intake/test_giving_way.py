# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which unfinished upload goes first when their share is full, and what holds one: nothing that trickles."""

import asyncio
import errno
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random

import httpx
import pytest

from crypto.ids import SubmissionId
from portal.intake import counting
from portal.intake.parts import Parts
from portal.intake.upload_order import MOVE_PART, ORDER_SPARE
from portal.intake.uploads import Uploads
from portal.storage import local_blobs
from portal.storage.blobs import PART_BYTES, Part
from portal.storage.claims import SHUT_SECONDS, Claims
from portal.storage.errors import BusyError, StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.local_blobs import LocalBlobs
from portal.storage.records import SubmissionRecord
from portal.storage.shares import Kind, Shares
from portal.storage.weights import PART_BYTES_MIN
from tests.chance import fresh_bytes, fresh_id
from tests.portal.intake.filling import (
    FILE,
    FULL,
    STORE_BYTES,
    UPLOADS,
    fill_uploads,
    held_back,
    in_use,
    kept,
    whole_part,
)
from tests.portal.world import (
    API,
    BLOCKS,
    DATABASE,
    RunningPortal,
    bundle_without_attachments,
    cut,
    digest_header,
    error_code,
    fresh_report,
    in_place,
    running_portal,
)

Send = Callable[[AsyncIterator[bytes]], Awaitable[httpx.Response]]
ROOM = UPLOADS // PART_BYTES


async def giant(portal: RunningPortal, parts: int) -> SubmissionId:
    """An upload of ``parts`` whole parts."""
    submission, first = SubmissionId(fresh_id()), whole_part()
    for index in range(parts):
        part = first if index == 0 else fresh_bytes(16) + bytes(PART_BYTES - 16)
        assert (await portal.put_part(submission, FILE, index * BLOCKS, part)).status_code == 201
    return submission


@asynccontextmanager
async def trickling(send: Send, data: bytes, left: int) -> AsyncIterator[Callable[[], Awaitable[httpx.Response]]]:
    """A request whose last bytes come when its answer is asked for, and not before."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[: len(data) - left]
        began.set()
        await go_on.wait()
        yield data[len(data) - left :]

    sent = asyncio.ensure_future(send(slow()))
    # A request that is refused at once never asks for its body.
    await asyncio.wait([sent, asyncio.ensure_future(began.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert began.is_set(), await sent

    async def answer() -> httpx.Response:
        go_on.set()
        return await sent

    yield answer
    go_on.set()
    await asyncio.wait([sent])


async def test_an_upload_that_trickles_does_not_hold_the_whole_share(small: RunningPortal) -> None:
    submission = await giant(small, ROOM - 1)
    part = fresh_bytes(16) + bytes(PART_BYTES - 16)
    put = partial(small.put_part, submission, FILE, (ROOM - 1) * BLOCKS, part)
    async with trickling(put, part, 10) as answer:
        await fill_uploads(small, 3)
        assert await kept(small, submission) == 0
        await answer()


async def test_a_bundle_that_comes_slowly_moves_its_upload(small: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    await small.put_parts(sealed)
    async with trickling(small.submit, bundle_without_attachments(sealed), 10) as answer:
        await fill_uploads(small, 2 * ROOM)
        for _ in range(4):
            await giant(small, 3)
        assert (await answer()).status_code == 201


@pytest.mark.parametrize("is_whole", [False, True])
async def test_a_bundle_that_trickles_does_not_hold_a_giant_and_is_told_when_it_has_gone(
    small: RunningPortal, *, is_whole: bool
) -> None:
    """Whether its parts came before it, or it brings them itself."""
    sealed = fresh_report(40_000_000)
    if not is_whole:
        await small.put_parts(sealed)
    bundle = sealed.bundle() if is_whole else bundle_without_attachments(sealed)
    async with trickling(small.submit, bundle, 10) as answer:
        assert await kept(small, sealed.manifest.submission) >= ROOM - 3
        others = await fill_uploads(small, 3)
        assert [await kept(small, each) for each in (sealed.manifest.submission, *others)] == [0, 1, 1, 1]
        assert error_code(await answer()) == (422, "file-missing")
    assert (await small.submit(sealed.bundle())).status_code == 201


async def test_an_upload_that_is_being_accepted_stays_whatever_comes(small: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    await small.put_parts(sealed)
    with held_back(Parts, "find") as (began, go_on):
        sent = asyncio.create_task(small.submit(bundle_without_attachments(sealed)))
        await asyncio.wait_for(began.wait(), 60)
        await fill_uploads(small, 2 * ROOM)
        go_on.set()
        assert (await sent).status_code == 201
    fetched = await small.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_a_bundle_whose_request_has_ended_keeps_its_parts_as_long_as_its_rows_may_come(
    small: RunningPortal,
) -> None:
    sealed = fresh_report(9_000_000)
    await small.put_parts(sealed)
    with held_back(GroupCommit, "insert") as (began, go_on):
        sent = asyncio.create_task(small.submit(bundle_without_attachments(sealed)))
        await asyncio.wait_for(began.wait(), 60)
        sent.cancel()
        await asyncio.wait([sent])
        await fill_uploads(small, 2 * ROOM)
        go_on.set()
        with small.database.use():
            async with asyncio.timeout(60):
                while not await SubmissionRecord.exists():  # noqa: ASYNC110
                    await asyncio.sleep(0)
    assert (await small.submit(bundle_without_attachments(sealed))).status_code == 200
    fetched = await small.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_giants_that_move_all_the_time_do_not_push_out_a_small_one(small: RunningPortal) -> None:
    """Each of three adds a file of one byte, which counts for 64 KiB, between two parts of an honest one."""
    giants = [await giant(small, 3) for _ in range(3)]
    honest = fresh_report(14_000_000)
    small_file = fresh_report(10).files[FILE]
    for index, part in in_place(cut(honest.files[FILE])):
        assert (await small.put_part(honest.manifest.submission, FILE, index, part)).status_code == 201
        for each in giants:
            await small.put_part(each, f"attachment-{index + 2}.age", 0, small_file)
        await fill_uploads(small, 2)
    assert await kept(small, honest.manifest.submission) == len(cut(honest.files[FILE]))
    assert (await small.submit(bundle_without_attachments(honest))).status_code == 201


async def nudge(portal: RunningPortal, submission: SubmissionId) -> None:
    """A part whose hash is another one's: it is refused once its byte has come."""
    path, headers = f"{API}/uploads/{submission}/attachment-9.age/0", {"content-digest": digest_header(b"another")}
    answer = await portal.client.put(path, content=b"1", headers=headers)
    assert error_code(answer) == (400, "digest-mismatch")


async def test_what_is_nudged_by_hardly_anything_gives_way_to_what_is_larger_and_comes(small: RunningPortal) -> None:
    crowd = [await giant(small, 2) for _ in range(ROOM // 2)]
    honest = fresh_report(6 * PART_BYTES)
    for index, part in in_place(cut(honest.files[FILE])):
        for each in crowd:
            await nudge(small, each)
        assert (await small.put_part(honest.manifest.submission, FILE, index, part)).status_code == 201
    assert (await small.submit(bundle_without_attachments(honest))).status_code == 201


async def test_one_that_cannot_be_deleted_is_not_in_the_way_of_the_others(
    small: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *others = await fill_uploads(small, ROOM)
    delete = LocalBlobs.delete

    async def failing(blobs: LocalBlobs, submission: SubmissionId, parts: Sequence[Part]) -> None:
        if submission == bad:
            raise OSError(errno.EIO, "")
        await delete(blobs, submission, parts)

    monkeypatch.setattr(LocalBlobs, "delete", failing)
    await fill_uploads(small, 3)
    assert [await kept(small, each) for each in (bad, *others)] == [1] + [0] * 3 + [1] * (ROOM - 4)
    monkeypatch.undo()
    await fill_uploads(small, 1)
    assert await kept(small, bad) == 0


async def test_who_comes_back_after_a_pause_is_let_in_before_a_newcomer(small: RunningPortal) -> None:
    first, *others = await fill_uploads(small, ROOM)
    part = fresh_bytes(16) + bytes(PART_BYTES - 16)
    assert (await small.put_part(first, FILE, BLOCKS, part)).status_code == 201
    assert [await kept(small, each) for each in (first, *others)] == [2, 0, *[1] * (ROOM - 2)]


async def test_a_listing_leaves_out_what_gives_way_meanwhile(
    small: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    [submission] = await fill_uploads(small, 1)
    entries = local_blobs._entries

    def gone_at_once(folder: Path) -> list[os.DirEntry[str]]:
        found = entries(folder)
        for entry in found:
            if entry.is_file():
                Path(entry.path).unlink()
        return found

    monkeypatch.setattr(local_blobs, "_entries", gone_at_once)
    assert (await small.client.get(f"{API}/uploads/{submission}")).json() == {"parts": []}
    with small.database.use():
        await small.assembly.counter.count()


async def test_what_goes_during_a_count_is_not_in_the_books_after_it(small: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    await small.put_parts(sealed)
    await fill_uploads(small, ROOM - 3)
    with held_back(counting.Counter, "_rooms") as (began, go_on), small.database.use():
        count = asyncio.create_task(small.assembly.counter.count())
        await asyncio.wait_for(began.wait(), 60)
        assert (await small.submit(bundle_without_attachments(sealed))).status_code == 201
        await fill_uploads(small, 6)
        go_on.set()
        await count
    stored = await small.assembly.blobs.stored()
    del stored[sealed.manifest.submission]
    assert in_use(small, Kind.UPLOADS) == sum(each.weight for each in stored.values())


async def test_a_large_upload_outlasts_what_was_left_behind_before_it(small: RunningPortal) -> None:
    flood = await fill_uploads(small, ROOM)
    submission = await giant(small, 5)
    assert await kept(small, submission) == 5
    assert [await kept(small, each) for each in flood] == [0] * 5 + [1] * (ROOM - 5)


async def test_what_is_used_again_and_again_is_shut_so_that_it_gives_way_in_the_end(tmp_path: Path) -> None:
    now = [0.0]
    claims = Claims(tmp_path / "lock", lambda: now[0])
    submission = SubmissionId(fresh_id())
    with claims.used(submission):
        with claims.alone(submission) as is_free:
            assert not is_free
        with pytest.raises(BusyError):
            claims.use(submission)
    with claims.alone(submission) as is_free:
        assert is_free
    now[0] = SHUT_SECONDS
    with claims.used(submission):
        pass
    claims.close()


@asynccontextmanager
async def second_process(portal: RunningPortal) -> AsyncIterator[Uploads]:
    """Another portal on the same folder, as far as uploads go; both have counted what is there."""
    shares, first = Shares(2), portal.assembly.counter
    uploads = Uploads(portal.assembly.blobs, shares, Claims(portal.data / "uploads.lock"), portal.assembly.commits)
    counter = counting.Counter(portal.assembly.blobs, shares, uploads, portal.data, STORE_BYTES, 0)
    with portal.database.use():
        await first.count()
        await counter.count()
        yield uploads
    uploads.claims.close()


async def take_whole(uploads: Uploads) -> None:
    submission = SubmissionId(fresh_id())
    uploads.order.come(submission, PART_BYTES)
    await uploads.take(submission, PART_BYTES)


async def test_what_two_processes_make_give_way_makes_room_once(small: RunningPortal) -> None:
    await fill_uploads(small, ROOM)
    async with second_process(small) as other:
        taken = 0
        for uploads in (small.assembly.counter.uploads, other):
            with pytest.raises(StorageFullError):
                while True:
                    await take_whole(uploads)
                    taken += 1
        assert taken == ROOM
        assert await small.assembly.blobs.stored() == {}


async def test_an_upload_that_goes_on_at_another_process_is_not_the_oldest(small: RunningPortal) -> None:
    first, *others = await fill_uploads(small, 3)
    async with second_process(small) as other:
        part = fresh_bytes(16) + bytes(PART_BYTES - 16)
        assert (await small.put_part(first, FILE, BLOCKS, part)).status_code == 201
        # Half of what was left is this one's: four parts. Two more make two give way.
        for _ in range((ROOM - 3) // 2 + 2):
            await take_whole(other)
        assert [await kept(small, each) for each in (first, *others)] == [2, 0, 0]


async def test_one_that_would_be_the_first_to_go_makes_no_room_for_itself(small: RunningPortal) -> None:
    submission = await giant(small, ROOM - 1)
    await fill_uploads(small, 1)
    part = fresh_bytes(16) + bytes(PART_BYTES - 16)
    assert error_code(await small.put_part(submission, FILE, (ROOM - 1) * BLOCKS, part)) == FULL
    assert await kept(small, submission) == ROOM - 1


async def test_the_one_goes_for_which_most_has_come_and_the_count_agrees_with_the_disk(
    tmp_path: Path, rng: Random
) -> None:
    """Uploads of all sizes come and go on, against the rule in its plainest words; counts come in between."""
    async with running_portal(tmp_path, store_bytes=STORE_BYTES // 8) as portal:
        portal.ask_for_no_work()
        limit, came = UPLOADS // 8, 0
        sizes, moved, since, files = Counter[str](), dict[str, int](), Counter[str](), Counter[str]()
        parts = {PART_BYTES_MIN: fresh_report(10).files[FILE], PART_BYTES: whole_part()}

        def come(submission: str, size: int) -> None:
            since[submission] += size
            if since[submission] >= max(PART_BYTES_MIN, sizes[submission] // MOVE_PART):
                moved[submission], since[submission] = came, 0

        for _ in range(200):
            if rng.random() < 0.1:
                with portal.database.use():
                    await portal.assembly.counter.count()
            submission = rng.choice([*sorted(sizes)[:20], fresh_id()])
            weight = PART_BYTES if rng.random() < 0.1 else PART_BYTES_MIN
            answer = await portal.put_part(submission, f"attachment-{files[submission] + 1}.age", 0, parts[weight])
            files[submission] += 1
            size = len(parts[weight])
            came += size
            if submission in sizes:
                come(submission, size)
            while sizes.total() + weight > limit:
                places = {each: (came if each == submission else moved[each]) - sizes[each] for each in sizes}
                first = min(places, key=lambda each: (places[each], each))
                if first == submission:
                    assert error_code(answer) == FULL
                    break
                del sizes[first]
            else:
                assert answer.status_code == 201
                rest = weight - size + 1
                came += rest
                if submission in sizes:
                    come(submission, rest)
                else:
                    moved[submission], since[submission] = came, 0
                sizes[submission] += weight
            stored = await portal.assembly.blobs.stored()
            assert {name: each.weight for name, each in stored.items()} == dict(sizes)
            assert in_use(portal, Kind.UPLOADS) == sizes.total()


async def test_a_part_that_comes_by_several_requests_at_once_counts_once(small: RunningPortal) -> None:
    submission, part = SubmissionId(fresh_id()), whole_part()
    async with AsyncExitStack() as stack:
        put = partial(small.put_part, submission, FILE, 0, part)
        answers = [await stack.enter_async_context(trickling(put, part, 10)) for _ in range(5)]
        assert [(await answer()).status_code for answer in answers] == [201, 200, 200, 200, 200]
    assert in_use(small, Kind.UPLOADS) == PART_BYTES


async def test_what_was_counted_twice_is_given_back_when_the_upload_has_gone(small: RunningPortal) -> None:
    """A bundle that brings its parts itself comes twice at once."""
    sealed = fresh_report(9_000_000)
    async with (
        trickling(small.submit, sealed.bundle(), 10) as first,
        trickling(small.submit, sealed.bundle(), 10) as second,
    ):
        assert {(await first()).status_code, (await second()).status_code} == {200, 201}
    counted = in_use(small, Kind.UPLOADS)
    await fill_uploads(small, 2 * ROOM)
    assert counted <= UPLOADS
    assert in_use(small, Kind.UPLOADS) == ROOM * PART_BYTES
    stored = await small.assembly.blobs.stored()
    del stored[sealed.manifest.submission]
    assert sum(each.weight for each in stored.values()) == ROOM * PART_BYTES


async def test_a_bundle_that_breaks_off_again_and_again_counts_once(small: RunningPortal) -> None:
    sealed = fresh_report(9_000_000)
    for _ in range(6):
        assert (await small.submit(sealed.bundle()[:-1])).status_code == 400
        stored = await small.assembly.blobs.stored()
        assert in_use(small, Kind.UPLOADS) == sum(each.weight for each in stored.values())
    assert (await small.submit(sealed.bundle())).status_code == 201
    assert in_use(small, Kind.UPLOADS) == 0


async def test_a_request_that_ends_while_it_waits_for_room_makes_no_other_give_way(small: RunningPortal) -> None:
    flood = await fill_uploads(small, ROOM)
    with held_back(LocalBlobs, "delete") as (began, go_on):
        ended = asyncio.create_task(small.put_part(fresh_id(), FILE, 0, whole_part()))
        await asyncio.wait_for(began.wait(), 60)
        ended.cancel()
        await asyncio.wait([ended])
        following = asyncio.create_task(small.put_part(fresh_id(), FILE, 0, whole_part()))
        for _ in range(100):
            await asyncio.sleep(0)
        go_on.set()
        assert (await following).status_code == 201
    assert [await kept(small, each) for each in flood] == [0] + [1] * (ROOM - 1)


async def test_rows_that_another_process_is_still_writing_keep_their_parts(small: RunningPortal) -> None:
    """It has committed at the database, and nobody knows: it was killed, or the answer was lost."""
    sealed = fresh_report(9_000_000)
    await small.put_parts(sealed)
    assert (await small.submit(bundle_without_attachments(sealed))).status_code == 201
    with sqlite3.connect(small.data / DATABASE, isolation_level=None) as other:
        columns = ", ".join(row[1] for row in other.execute("PRAGMA table_info(submission)"))
        rows = other.execute(f"SELECT {columns} FROM submission").fetchall()
        other.execute("DELETE FROM submission")
        with small.database.use():
            await small.assembly.counter.count()
        other.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" for _ in rows[0])
        other.executemany(f"INSERT INTO submission ({columns}) VALUES ({marks})", rows)
        with held_back(GroupCommit, "apply") as (asked, go_on):
            flood = asyncio.create_task(fill_uploads(small, 2 * ROOM))
            await asyncio.wait_for(asked.wait(), 60)
            go_on.set()
            # Now it waits for the other's transaction.
            for _ in range(100):
                await asyncio.sleep(0)
            other.execute("COMMIT")
            await flood
    assert (await small.submit(bundle_without_attachments(sealed))).status_code == 200
    fetched = await small.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_uploads_that_are_accepted_leave_nothing_in_the_order(small: RunningPortal) -> None:
    shares, claims = Shares(), small.assembly.counter.uploads.claims
    shares.end_count(dict.fromkeys(Kind, 0), {}, 10**11, 10**11)
    uploads = Uploads(small.assembly.blobs, shares, claims, small.assembly.commits)
    for _ in range(10 * ORDER_SPARE):
        submission = SubmissionId(fresh_id())
        await uploads.take(submission, PART_BYTES_MIN)
        uploads.keep(submission, PART_BYTES_MIN, 0)
        uploads.accept(submission, PART_BYTES_MIN)
    assert len(uploads.order._order) <= ORDER_SPARE + 2
