# SPDX-License-Identifier: AGPL-3.0-or-later
"""Floods of what is kept for strangers: each fills its own share, and nothing else. The shares are small here."""

import asyncio
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from tortoise.transactions import in_transaction

from crypto.ids import SubmissionId
from crypto.submission import seal_submission
from portal.api.pressure import THRESHOLD
from portal.intake import counting
from portal.intake.shared_blobs import SharedBlobs
from portal.intake.uploads import Uploads
from portal.storage import local_blobs
from portal.storage.blobs import PART_BYTES, Room
from portal.storage.errors import BusyError
from portal.storage.local_blobs import LocalBlobs, LocalPartWriter
from portal.storage.records import SubmissionRecord
from portal.storage.shares import LONG, SMALL_ROW_BYTES, Kind, Shares
from portal.storage.weights import FOLLOW_UP_BYTES, MAILBOX_BYTES, PART_BYTES_MIN, ROW_BYTES, file_weight, row_weight
from tests.chance import fresh_bytes, fresh_id
from tests.people import NOW, TODAY
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
from tests.portal.kit.http_server import until
from tests.portal.office_api.test_office_api import collection_note
from tests.portal.threads import blind_change, blind_follow_up, shown_state, start_thread
from tests.portal.world import (
    API,
    BLOCKS,
    DIGITS,
    RunningPortal,
    attachments,
    bundle_without_attachments,
    cut,
    error_code,
    fresh_report,
    fresh_secrets,
    in_place,
    running_portal,
)


async def test_unfinished_uploads_give_way_to_new_ones_the_oldest_first(small: RunningPortal) -> None:
    flood = await fill_uploads(small, 30)
    assert in_use(small, Kind.UPLOADS) <= UPLOADS
    assert [await kept(small, submission) for submission in flood] == [0] * 18 + [1] * 12


async def test_an_upload_that_goes_on_outlasts_a_flood(small: RunningPortal) -> None:
    sealed = fresh_report(14_000_000)
    for index, part in in_place(cut(sealed.files[FILE])):
        assert (await small.put_part(sealed.manifest.submission, FILE, index, part)).status_code == 201
        await fill_uploads(small, 6)
    assert (await small.submit(bundle_without_attachments(sealed))).status_code == 201
    await fill_uploads(small, 20)
    fetched = await small.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_reports_and_their_files_find_room_while_uploads_are_full(small: RunningPortal) -> None:
    await fill_uploads(small, 20)
    assert (await small.submit(fresh_report(2_000_000).bundle())).status_code == 201
    assert (await small.submit(fresh_report().bundle())).status_code == 201


async def test_small_uploads_press_by_their_number_though_they_fill_next_to_nothing(small: RunningPortal) -> None:
    now, few = [0.0], 100
    shares = Shares(clock=lambda: now[0])
    shares.end_count(dict.fromkeys(Kind, 0), {}, 10**11, 10**11)
    uploads = Uploads(small.assembly.blobs, shares, small.assembly.counter.uploads.claims, small.assembly.commits, few)
    last, pressures = SubmissionId(fresh_id()), []
    with small.database.use():
        for _ in range(3 * few):
            last = SubmissionId(fresh_id())
            await uploads.take(last, PART_BYTES_MIN)
            uploads.keep(last, PART_BYTES_MIN, 0)
            pressures.append(uploads.pressure())
    assert shares.pressure() < 0.01
    assert pressures[few // 2 - 2] < THRESHOLD <= pressures[few // 2 - 1]
    assert min(pressures[few // 2 :]) >= THRESHOLD
    # An upload that goes on is no other one.
    uploads.keep(last, PART_BYTES_MIN, 0)
    assert uploads.pressure() == pressures[-1]
    now[0] = 86_400.0
    assert uploads.pressure() < 0.01


async def test_a_flood_of_small_uploads_is_asked_for_work_before_it_pushes_any_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.assembly.Uploads", partial(Uploads, uploads_max=20))
    # No time passes: what came is not forgotten.
    monkeypatch.setattr("portal.assembly.Shares", partial(Shares, clock=lambda: 0.0))
    sealed = fresh_report(10)
    async with running_portal(tmp_path, store_bytes=10**11) as portal:
        answers = [await portal.put_part(fresh_id(), FILE, 0, sealed.files[FILE]) for _ in range(30)]
        there = len(await portal.assembly.blobs.stored())
    assert there == 10
    assert [answer.status_code for answer in answers] == [201] * 10 + [503] * 20
    assert error_code(answers[-1]) == (503, "work-needed")


async def test_small_uploads_weigh_what_their_files_take(small: RunningPortal) -> None:
    sealed = fresh_report(10)
    for _ in range(900):
        assert (await small.put_part(fresh_id(), FILE, 0, sealed.files[FILE])).status_code == 201
    assert in_use(small, Kind.UPLOADS) <= UPLOADS
    assert len(list((small.data / "blobs" / "parts").iterdir())) <= UPLOADS // PART_BYTES_MIN


async def test_an_upload_that_is_alone_too_large_is_told_so(small: RunningPortal) -> None:
    """It can't make room for itself by its own end."""
    submission, answers = fresh_id(), []
    first = whole_part()
    for index in range(14):
        part = first if index == 0 else fresh_bytes(16) + bytes(PART_BYTES - 16)
        answers.append(await small.put_part(submission, FILE, index * BLOCKS, part))
    # While its part is written an upload is in use; it stays, and what does not fit is refused.
    assert [answer.status_code for answer in answers] == [201] * 12 + [507] * 2
    assert await kept(small, submission) == 12


async def test_attachments_that_were_accepted_fill_their_share_and_then_only_they_are_refused(
    small: RunningPortal,
) -> None:
    answers = [await small.submit(fresh_report(9_000_000).bundle()) for _ in range(8)]
    accepted = [answer.status_code for answer in answers].count(201)
    sealed = fresh_report(9_000_000)
    assert 0 < accepted * file_weight(len(sealed.files[FILE])) <= STORE_BYTES * 30 // 100
    assert error_code(answers[-1]) == FULL
    assert answers[-1].headers["retry-after"] == "3600"
    assert (await small.submit(fresh_report().bundle())).status_code == 201


async def test_a_refused_report_is_taken_when_there_is_room_again(small: RunningPortal) -> None:
    reports = [fresh_report(9_000_000) for _ in range(8)]
    answers = {sealed.manifest.submission: await small.submit(sealed.bundle()) for sealed in reports}
    for sealed in reports:
        if answers[sealed.manifest.submission].status_code == 201:
            path = f"/submissions/{sealed.manifest.submission}/collection"
            assert (await small.office("POST", path, collection_note(small, sealed))).status_code == 200
    assert error_code(answers[reports[-1].manifest.submission]) == FULL
    small.clock.pass_days(7)
    await small.sweep()
    assert (await small.submit(reports[-1].bundle())).status_code == 201


async def test_long_reports_leave_half_of_the_room_to_short_ones(small: RunningPortal) -> None:
    shares, size = small.assembly.shares, 2 * 1024 * 1024
    limit = STORE_BYTES * 20 // 100
    while shares.has_room(Kind.REPORTS, size, LONG):
        shares.take(Kind.REPORTS, size, LONG)
    assert limit // 2 - size < shares.used(Kind.REPORTS) <= limit // 2
    assert shares.has_room(Kind.REPORTS, limit // 2)
    assert (await small.submit(fresh_report().bundle())).status_code == 201


async def test_short_reports_leave_room_to_a_long_one_as_long_as_there_is_any(small: RunningPortal) -> None:
    shares, limit = small.assembly.shares, STORE_BYTES * 20 // 100
    shares.take(Kind.REPORTS, limit - 4 * 1024 * 1024)
    sealed = seal_submission(
        charter=small.world.charter,
        receipt_digits=DIGITS,
        language="en",
        answers={"story": "They took him at the border crossing. " * 10_000},
        sealed_by="command-line",
        today=TODAY,
    )
    assert (await small.submit(sealed.bundle())).status_code == 201
    weight = shares._portions[Kind.REPORTS, LONG].used
    assert weight > SMALL_ROW_BYTES
    await small.sweep()
    assert shares._portions[Kind.REPORTS, LONG].used == weight


async def test_replies_have_a_share_of_which_one_commission_fills_half(small: RunningPortal) -> None:
    """So it can't shut out reporters, nor another commission's letters."""
    thread = await start_thread(small)
    shares, slug = small.assembly.shares, small.world.slug
    half = STORE_BYTES * 5 // 100 // 2
    [first] = await thread.post_next()
    weight = shares.used(Kind.REPLIES)
    assert weight == row_weight(first)
    assert (await thread.post(1, first)).status_code == 200
    assert shares.used(Kind.REPLIES) == weight
    await small.sweep()
    assert shares.used(Kind.REPLIES) == weight
    shares.take(Kind.REPLIES, half - weight, slug)
    second = thread.reply("One more")
    assert error_code(await thread.post(2, second)) == FULL
    assert (await thread.post(1, first)).status_code == 200
    shares.take(Kind.REPLIES, half, "another-commission")
    assert (await small.submit(fresh_report().bundle())).status_code == 201
    assert shares.pressure() < 0.5
    await small.sweep()
    assert (await thread.post(2, second)).status_code == 201


async def test_a_letter_that_was_refused_takes_no_room(small: RunningPortal) -> None:
    thread = await start_thread(small)
    assert error_code(await thread.post(1, thread.reply(), last=7)) == (409, "reply-number")
    assert small.assembly.shares.used(Kind.REPLIES) == 0


async def test_a_repeat_is_acknowledged_while_everything_is_full(small: RunningPortal) -> None:
    sealed = fresh_report()
    first = await small.submit(sealed.bundle())
    shares = small.assembly.shares
    shares.take(Kind.REPORTS, 0)
    while shares.has_room(Kind.MAILBOXES, MAILBOX_BYTES):
        shares.take(Kind.MAILBOXES, MAILBOX_BYTES)
    assert error_code(await small.submit(fresh_report().bundle())) == FULL
    again = await small.submit(sealed.bundle())
    assert (again.status_code, again.json()) == (200, first.json())


async def test_follow_ups_have_a_share_and_everybody_is_told_the_same_when_it_is_full(small: RunningPortal) -> None:
    thread = await start_thread(small)
    shares = small.assembly.shares
    await thread.send()
    assert shares.used(Kind.FOLLOW_UPS) == FOLLOW_UP_BYTES
    while shares.has_room(Kind.FOLLOW_UPS, FOLLOW_UP_BYTES):
        shares.take(Kind.FOLLOW_UPS, FOLLOW_UP_BYTES)
    for secrets in (thread.secrets, fresh_secrets()):
        shown = await shown_state(small, secrets)
        change = blind_change(secrets, shown, blind_follow_up())
        assert error_code(await small.change(change)) == FULL


async def test_a_mailbox_that_is_closed_makes_room(small: RunningPortal) -> None:
    thread = await start_thread(small)
    await start_thread(small)
    assert in_use(small, Kind.MAILBOXES) == 2 * MAILBOX_BYTES
    await thread.command(close=True)
    await small.sweep()
    assert in_use(small, Kind.MAILBOXES) == MAILBOX_BYTES + ROW_BYTES


async def test_a_part_that_the_store_keeps_is_counted_though_its_request_has_ended(small: RunningPortal) -> None:
    submission = SubmissionId(fresh_id())
    writer = SharedBlobs(small.assembly.blobs, small.assembly.counter.uploads).new_part(submission)
    await writer.write(b"a")
    await writer.digest()
    with held_back(LocalPartWriter, "keep") as (began, go_on):
        keeping = asyncio.create_task(writer.keep(FILE, 0, small.clock().date()))
        await began.wait()
        keeping.cancel()
        discarding = asyncio.create_task(writer.discard())
        await asyncio.wait([keeping])
        go_on.set()
        await discarding
    assert await kept(small, submission) == 1
    # Twice, if it is counted at the start in this very moment.
    assert in_use(small, Kind.UPLOADS) >= PART_BYTES_MIN
    await fill_uploads(small, 13)
    assert await kept(small, submission) == 0


async def test_nobody_uses_what_gives_way_until_it_has_though_the_request_that_needed_the_room_has_ended(
    small: RunningPortal,
) -> None:
    uploads = small.assembly.counter.uploads
    first, *_ = await fill_uploads(small, 12)
    with held_back(LocalBlobs, "delete") as (began, go_on):
        with small.database.use():
            taking = asyncio.create_task(uploads.take(SubmissionId(fresh_id()), PART_BYTES))
        await began.wait()
        taking.cancel()
        await asyncio.wait([taking])
        with pytest.raises(BusyError):
            uploads.claims.use(SubmissionId(first))
        go_on.set()
        await until(lambda: in_use(small, Kind.UPLOADS) == 11 * PART_BYTES)
    assert await kept(small, first) == 0


async def test_what_is_held_is_known_after_a_restart(tmp_path: Path, database_url: str) -> None:
    held: list[dict[Kind, int]] = []
    sealed = fresh_report(100_000)
    for _ in range(2):
        async with running_portal(tmp_path, database_url, store_bytes=STORE_BYTES) as portal:
            portal.ask_for_no_work()
            if not held:
                await fill_uploads(portal, 3)
                await portal.submit(sealed.bundle())
                thread = await start_thread(portal)
                await thread.send()
            await portal.sweep()
            held.append({kind: in_use(portal, kind) for kind in Kind})
    assert held[0] == held[1]
    assert held[0][Kind.UPLOADS] == 3 * PART_BYTES
    assert held[0][Kind.ATTACHMENTS] == file_weight(len(attachments(sealed)[FILE]))


async def test_what_was_deleted_makes_no_share_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's file keeps its length: what is deleted of it is no room of the disk."""
    disk = 2 * STORE_BYTES

    def free(folder: Path) -> int:
        return disk - sum(path.stat().st_size for path in tmp_path.rglob("*.sqlite3"))

    monkeypatch.setattr(counting, "free_bytes", free)
    monkeypatch.setattr(local_blobs, "_room", lambda folder: Room(free(folder), folder.stat().st_dev, few_files=False))
    async with running_portal(tmp_path) as portal:
        await portal.sweep()
        before = {kind: share.limit for kind, share in portal.assembly.shares._shares.items()}
        with portal.database.use():
            filled = {"report": bytes(STORE_BYTES // 8), "row_bytes": STORE_BYTES // 8, "delete_from": NOW.date()}
            await portal.submit(fresh_report().bundle())
            await SubmissionRecord.all().update(**filled)
        await portal.sweep()
        await portal.sweep()
        after = {kind: share.limit for kind, share in portal.assembly.shares._shares.items()}
    assert free(tmp_path) < disk - STORE_BYTES // 8
    assert after == pytest.approx(before, rel=0.01)


async def test_submissions_of_before_are_weighed_by_the_migration(portal_on: RunningPortal) -> None:
    """Those had no urgency, which the migration of before does not weigh."""
    await portal_on.submit(fresh_report(100_000, 10).bundle())
    await portal_on.submit(fresh_report().bundle())
    weights = ("row_bytes", "attachment_bytes")
    later = len(fresh_report().files["urgency.age"])
    with portal_on.database.use():
        rows = SubmissionRecord.all().order_by("sequence")
        given = [{**row, "row_bytes": row["row_bytes"] - later} for row in await rows.values(*weights)]
        await SubmissionRecord.all().update(row_bytes=0, attachment_bytes=0)
        migration = import_module("portal.storage.migrations.0003_shares")
        async with in_transaction() as client:
            await migration.weigh(None, SimpleNamespace(client=client))
        assert await rows.values(*weights) == given
        assert all(row["row_bytes"] for row in given)


async def test_parts_that_an_accepted_submission_does_not_name_are_no_way_to_fill_the_disk(
    small: RunningPortal,
) -> None:
    sealed = fresh_report(10)
    submission = sealed.manifest.submission
    assert (await small.put_part(submission, "attachment-7.age", 0, whole_part())).status_code == 201
    assert (await small.submit(sealed.bundle())).status_code == 201
    await small.sweep()
    assert in_use(small, Kind.UPLOADS) == PART_BYTES
    await fill_uploads(small, 12)
    assert [part.file for part in await small.assembly.blobs.parts(submission)] == [FILE]
    fetched = await small.office("GET", f"/submissions/{submission}/files/{FILE}")
    assert fetched.content == sealed.files[FILE]


async def test_a_listing_shows_no_more_than_four_gibibytes_of_parts(
    small: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.intake.parts.LISTED_MAX", 2)
    sealed = fresh_report(14_000_000)
    await small.put_parts(sealed)
    listed = (await small.client.get(f"{API}/uploads/{sealed.manifest.submission}")).json()["parts"]
    assert [part["index"] for part in listed] == [0, BLOCKS]
