# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's clock is wrong, ahead or behind: nothing goes by it that would be missed (docs/protocol.md §10.1)."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from portal.check import check
from portal.storage.clock_watch import SETTLE_SECONDS
from portal.storage.office_days import SILENT_DAYS, SWEPT_ROW
from portal.storage.records import (
    FollowUpRecord,
    NonceRecord,
    OfficeDayRecord,
    ReplyRecord,
    SubmissionRecord,
    SweptDayRecord,
)
from tests.people import found_test_commission
from tests.portal.intake.test_sweeper import GRACE_DAYS, collect, kept_files
from tests.portal.office_api.test_follow_ups import confirm, sent
from tests.portal.office_api.test_office_api import collection_note
from tests.portal.threads import start_thread, waiting
from tests.portal.world import RunningPortal, fresh_report, publish, running_portal

REPLY_DAYS = 90


async def settle(portal: RunningPortal) -> None:
    """As long as a clock that was set is held back for."""
    for _ in range(2):
        await portal.sweep_alone()
        portal.clock.seconds += SETTLE_SECONDS
        portal.clock.now += timedelta(seconds=SETTLE_SECONDS)
    await portal.sweep_alone()


async def is_deleted(portal: RunningPortal, submission: str) -> bool:
    with portal.database.use():
        return bool((await SubmissionRecord.get(submission=submission)).deleted)


@pytest.mark.parametrize("long", [False, True], ids=["one sweep", "for days"])
async def test_a_clock_that_is_ahead_deletes_nothing_of_a_commission(portal_on: RunningPortal, long: bool) -> None:
    portal = portal_on
    thread = await start_thread(portal)
    await thread.post_next()
    message = sent(await thread.send())
    await confirm(portal, [message])
    await collect(portal, thread.sealed)
    await portal.sweep()
    portal.clock.jump(400)
    await (settle(portal) if long else portal.sweep_alone())
    assert not await is_deleted(portal, thread.sealed.manifest.submission)
    portal.clock.jump(-400)
    with portal.database.use():
        assert await ReplyRecord.all().count() == 1
    assert await waiting(portal) == [message]


async def test_what_is_confirmed_while_both_clocks_are_behind_has_its_grace_once_they_are_right(
    portal_on: RunningPortal,
) -> None:
    portal = portal_on
    await portal.sweep()
    portal.clock.jump(-400)
    thread = await start_thread(portal)
    await thread.post_next()
    message = sent(await thread.send())
    await confirm(portal, [message])
    await collect(portal, thread.sealed)
    portal.clock.jump(400)
    await portal.sweep()
    assert not await is_deleted(portal, thread.sealed.manifest.submission)
    with portal.database.use():
        assert await ReplyRecord.all().count() == 1
        assert await FollowUpRecord.all().count() == 1
    portal.clock.pass_days(GRACE_DAYS)
    await portal.sweep()
    assert await is_deleted(portal, thread.sealed.manifest.submission)


async def test_with_both_days_everything_goes_in_the_end(portal_on: RunningPortal) -> None:
    portal = portal_on
    thread = await start_thread(portal)
    await thread.post_next()
    await confirm(portal, [sent(await thread.send())])
    await collect(portal, thread.sealed)
    await portal.sweep()
    portal.clock.pass_days(GRACE_DAYS)
    await portal.sweep_alone()
    assert not await is_deleted(portal, thread.sealed.manifest.submission)
    await portal.sweep()
    assert await is_deleted(portal, thread.sealed.manifest.submission)
    assert await waiting(portal) == []
    portal.clock.pass_days(REPLY_DAYS - GRACE_DAYS)
    await portal.sweep()
    with portal.database.use():
        assert await ReplyRecord.all().count() == 0


async def test_another_commissions_day_counts_for_none_of_ours(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    await collect(portal, sealed)
    await portal.sign_day()
    portal.clock.pass_days(GRACE_DAYS)
    with portal.database.use():
        await OfficeDayRecord.create(slug=other.slug, day=portal.clock.now.date())
    await portal.sweep_alone()
    assert not await is_deleted(portal, sealed.manifest.submission)


async def test_what_an_office_that_is_gone_collected_goes_after_days_that_the_portal_lived(
    portal: RunningPortal,
) -> None:
    sealed = fresh_report()
    await portal.submit(sealed.bundle())
    await collect(portal, sealed)
    await portal.sweep()
    for _ in range(SILENT_DAYS + GRACE_DAYS - 1):
        portal.clock.pass_days(1)
        await portal.sweep_alone()
    assert not await is_deleted(portal, sealed.manifest.submission)
    portal.clock.pass_days(1)
    await portal.sweep_alone()
    assert await is_deleted(portal, sealed.manifest.submission)


async def test_no_jump_of_the_clock_is_more_than_one_day_that_the_portal_lived(portal: RunningPortal) -> None:
    await portal.sweep()
    for days in (400, -300, 50, 800):
        portal.clock.jump(days)
        await settle(portal)
        await portal.sweep_alone()
    with portal.database.use():
        assert (await OfficeDayRecord.get(slug=portal.world.slug)).silent <= 2 * 4


async def test_an_office_that_comes_back_has_its_whole_silence_again(portal: RunningPortal) -> None:
    await portal.sweep()
    for _ in range(3):
        portal.clock.pass_days(1)
        await portal.sweep_alone()
    await portal.sign_day()
    with portal.database.use():
        row = await OfficeDayRecord.get(slug=portal.world.slug)
    assert (row.day, row.silent) == (portal.clock.now.date(), 0)


async def test_a_day_that_is_still_to_come_gives_way_to_a_true_one(portal: RunningPortal) -> None:
    """Both clocks were ahead once."""
    portal.clock.jump(40)
    await portal.sign_day()
    portal.clock.jump(-40)
    await portal.sign_day()
    with portal.database.use():
        assert (await OfficeDayRecord.get(slug=portal.world.slug)).day == portal.clock.now.date()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_clock_that_was_set_ahead_deletes_no_upload_and_no_nonce(tmp_path: Path, restarted: bool) -> None:
    sealed = fresh_report(10)
    async with running_portal(tmp_path) as portal:
        await portal.sweep()
        await portal.put_parts(sealed)
        left = portal.data / "blobs" / "incoming" / "left"
        left.write_bytes(b"half a part")
        os.utime(left, (portal.clock.now.timestamp(),) * 2)
        portal.clock.jump(40)
        if not restarted:
            await portal.sweep_alone()
            await assert_kept(portal)
    if restarted:
        async with running_portal(tmp_path, clock=portal.clock) as again:
            await again.sweep_alone()
            await assert_kept(again)
            # And once the clock is back, everything goes on at once.
            again.clock.jump(-40)
            again.clock.pass_days(4)
            await again.sweep()
            assert kept_files(again) == []


async def assert_kept(portal: RunningPortal) -> None:
    assert len(kept_files(portal)) == 2
    with portal.database.use():
        assert await NonceRecord.all().count() > 0


async def test_after_a_long_standstill_uploads_wait_for_one_more_day(tmp_path: Path) -> None:
    async with running_portal(tmp_path) as portal:
        await portal.sweep()
        await portal.put_parts(fresh_report(10))
    portal.clock.now += timedelta(days=30)
    async with running_portal(tmp_path, clock=portal.clock) as again:
        await again.sweep_alone()
        assert len(kept_files(again)) == 1
        again.clock.pass_days(1)
        await again.sweep_alone()
        assert kept_files(again) == []


async def test_a_clock_that_is_set_again_and_again_is_held_back_each_time(portal: RunningPortal) -> None:
    await portal.put_parts(fresh_report(10))
    await portal.sweep_alone()
    for _ in range(4):
        portal.clock.jump(5)
        portal.clock.seconds += SETTLE_SECONDS - 1
        await portal.sweep_alone()
    assert len(kept_files(portal)) == 1


@pytest.mark.parametrize(("days", "words"), [(40, "40 days ahead of"), (-40, "40 days behind")])
async def test_a_jump_is_said_once_in_the_log(
    portal: RunningPortal, caplog: pytest.LogCaptureFixture, days: int, words: str
) -> None:
    await portal.sweep()
    portal.clock.jump(days)
    for _ in range(3):
        await portal.sweep_alone()
    said = [line for line in caplog.messages if "the clock is" in line]
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize(("last", "word"), [(date(2000, 1, 1), "ahead of"), (date(2999, 1, 1), "behind")])
async def test_the_check_says_that_the_clock_is_far_from_where_the_last_sweep_left_it(
    portal: RunningPortal, capsys: pytest.CaptureFixture[str], last: date, word: str
) -> None:
    with portal.database.use():
        await SweptDayRecord.all().delete()
    await check(portal.assembly.settings, portal.clock.now)
    assert "ok      clock" in capsys.readouterr().out
    with portal.database.use():
        await SweptDayRecord.create(id=SWEPT_ROW, day=last)
    await check(portal.assembly.settings, portal.clock.now)
    said = capsys.readouterr().out
    assert "soon    clock     the clock is" in said
    assert f"days {word} where the last sweep left it" in said


async def test_a_day_in_a_collection_note_shortens_no_grace_and_lengthens_it_by_a_day_at_most(
    portal: RunningPortal,
) -> None:
    today = portal.clock.now.date()
    for collected, expected in ((today - timedelta(9), 0), (today + timedelta(1), 1), (date(2999, 1, 1), 1)):
        sealed = fresh_report()
        await portal.submit(sealed.bundle())
        note = collection_note(portal, sealed, collected=collected)
        await portal.office("POST", f"/submissions/{sealed.manifest.submission}/collection", note)
        with portal.database.use():
            row = await SubmissionRecord.get(submission=sealed.manifest.submission)
        assert row.delete_from == today + timedelta(days=GRACE_DAYS + expected)
