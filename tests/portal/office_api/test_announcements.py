# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes that a restored portal has lost, as an office brings them back (docs/protocol.md §10.2)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest

from crypto.collection import Collection
from crypto.encoding import decode_base64, encode_base64, encode_json
from crypto.note import SigningKey
from portal.storage import unclaimed
from portal.storage.records import MailboxRecord, SubmissionRecord, UnclaimedRecord
from tests.people import REALM, found_test_commission
from tests.portal.threads import TODAY, Thread, altered, announcement, follow_up_change, start_thread, waiting
from tests.portal.world import RunningPortal, error_code, publish, running_portal

MALFORMED = (400, "malformed-request")


async def announce(portal: RunningPortal, thread: Thread, body: dict[str, Any], **more: Any) -> httpx.Response:
    return await portal.office("POST", f"{thread.path}/announcement", encode_json(body), **more)


async def kept(thread: Thread, **changes: Any) -> dict[str, Any]:
    """What an office has of the mailbox, as the portal hands it out now."""
    shown = (await thread.portal.office("GET", f"{thread.path}/mailbox")).json()
    newest = {name: shown[name] for name in ("state", "control", "told")}
    return announcement(thread, shown["acknowledgement"], **newest, **changes)


@asynccontextmanager
async def restored(folder: Path) -> AsyncIterator[tuple[RunningPortal, Thread]]:
    """A portal that has lost a report which it had acknowledged, and the report."""
    async with running_portal(folder / "then"):
        pass
    copytree(folder / "then" / "data", folder / "now" / "data")
    async with running_portal(folder / "now") as before:
        thread = await start_thread(before)
        await thread.send("They came back.")
        (folder / "kept.json").write_bytes(encode_json(await kept(thread)))
    async with running_portal(folder / "then") as portal:
        yield portal, replace(thread, portal=portal)


def kept_before(folder: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((folder / "kept.json").read_bytes())
    return body


async def test_a_mailbox_comes_back_as_it_was_left(tmp_path: Path) -> None:
    async with restored(tmp_path) as (portal, thread):
        assert (await thread.read()).acknowledgement is None
        body = kept_before(tmp_path)
        assert (await announce(portal, thread, body)).status_code == 201
        shown = await thread.read()
        assert encode_base64(shown.state) == body["state"]
        assert (shown.acknowledgement, shown.collection) == (body["acknowledgement"], body["collection"])
        # The thread goes on, both ways.
        await thread.send("Once more.")
        assert len(await waiting(portal)) == 1
        assert (await thread.post(1, thread.reply())).status_code == 201
        assert len((await thread.read()).messages) == 1
        # The files are at the office alone, and nobody is shown any.
        listed = (await portal.office("GET", "/submissions?after=0")).json()
        assert listed["submissions"] == []


async def test_announcing_again_changes_nothing(tmp_path: Path) -> None:
    async with restored(tmp_path) as (portal, thread):
        body = kept_before(tmp_path)
        await announce(portal, thread, body)
        await thread.send("After the restore.")
        before = (await thread.read()).state
        for _ in range(2):
            assert (await announce(portal, thread, body)).status_code == 200
        assert (await thread.read()).state == before


async def test_a_state_that_counts_more_replaces_an_older_one_that_came_back(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    first = await kept(thread)
    await thread.send("first")
    second = await kept(thread)
    with portal_on.database.use():
        row = await MailboxRecord.get(submission=thread.sealed.manifest.submission)
        row.state, row.told, row.command = decode_base64(first["state"]), 0, None
        row.state_sha256 = "0" * 64
        await row.save()
    assert (await announce(portal_on, thread, second)).status_code == 200
    assert encode_base64((await thread.read()).state) == second["state"]
    # The first state has no signature of the reporter, and an older one never replaces a newer one.
    for older, status in ((first, 200), ({**first, "told": 5}, 400)):
        assert (await announce(portal_on, thread, older)).status_code == status
        assert encode_base64((await thread.read()).state) == second["state"]


async def test_what_the_reporter_closed_or_deleted_stays_so(tmp_path: Path) -> None:
    async with running_portal(tmp_path) as portal:
        thread = await start_thread(portal)
        await thread.post_next(2)
        body = await kept(thread)
        deleting, closing = await thread.command(delete=2), await thread.command(close=True)
        with portal.database.use():
            await MailboxRecord.all().delete()
            await SubmissionRecord.all().delete()
        commands = [deleting.control, closing.control]
        assert (await announce(portal, thread, {**body, "commands": commands})).status_code == 201
        assert (await thread.read()).acknowledgement is None
        assert (await announce(portal, thread, body)).status_code == 200
        assert (await thread.read()).acknowledgement is None
        refused = await thread.post(3, thread.reply("late"))
        assert error_code(refused) == (404, "mailbox-closed")


async def test_nothing_is_taken_that_the_portal_did_not_acknowledge(portal: RunningPortal) -> None:
    true, other = await start_thread(portal), await start_thread(portal)
    body, theirs = await kept(true), await kept(other)
    stranger = SigningKey.generate("portal.test")
    collected = Collection(REALM, true.sealed.manifest.submission, true.sealed.manifest_hash, TODAY)
    command = (await other.command(close=True)).control
    with portal.database.use():
        await MailboxRecord.all().delete()
        await SubmissionRecord.all().delete()
    wrong: list[dict[str, Any]] = [
        {"acknowledgement": theirs["acknowledgement"]},
        {"acknowledgement": body["acknowledgement"].replace("received 2026", "received 2025")},
        {"acknowledgement": collected.sign(stranger).encode().decode()},
        {"manifest": theirs["manifest"]},
        {"manifest": "AAAA"},
        {"collection": theirs["collection"]},
        {"collection": collected.sign(stranger).encode().decode()},
        {"commands": [command]},
        {"commands": ["amparo control v1\n"]},
        {"control": command},
        {"told": -1},
    ]
    for changes in wrong:
        assert error_code(await announce(portal, true, {**body, **changes})) == MALFORMED, changes
    for state in ("", "AAAA", encode_base64(bytes(100))):
        assert error_code(await announce(portal, true, {**body, "state": state})) == (400, "not-sealed"), state
    with portal.database.use():
        assert await SubmissionRecord.all().count() == await MailboxRecord.all().count() == 0


async def test_a_state_is_taken_only_with_the_note_that_made_it(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    await thread.send("first")
    body = await kept(thread)
    other = encode_base64(altered(decode_base64(body["state"])))
    assert error_code(await announce(portal, thread, {**body, "state": other, "told": 9})) == MALFORMED


async def test_another_commission_announces_nothing(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    thread = await start_thread(portal)
    collected = Collection(REALM, thread.sealed.manifest.submission, thread.sealed.manifest_hash, TODAY)
    body = await kept(thread, collection=collected.sign(other.office_key).encode().decode())
    refused = await announce(portal, thread, body, key=other.office_key)
    assert error_code(refused) == (403, "not-your-commission")
    seen = await portal.office("GET", f"{thread.path}/mailbox", key=other.office_key)
    assert error_code(seen) == (403, "not-your-commission")
    listed = await portal.office("GET", "/holdings?after=0", key=other.office_key)
    assert listed.json() == {"holdings": [], "more": False}


async def test_a_follow_up_to_a_lost_mailbox_is_kept_until_it_is_announced(tmp_path: Path) -> None:
    """The reporter's page was open while the portal was restored."""
    async with restored(tmp_path) as (portal, thread):
        body = kept_before(tmp_path)
        change = follow_up_change(thread.secrets, decode_base64(body["state"]), "Is anybody there?")
        stranger = follow_up_change(thread.secrets, decode_base64(body["state"]), "Not by the reporter.")
        forged = replace(stranger, control=stranger.control[:-12] + "AAAAAAAAAA=\n")
        assert error_code(await portal.change(change)) == (409, "state-conflict")
        assert (await portal.change(forged)).status_code in (400, 409)
        assert await waiting(portal) == []
        assert (await announce(portal, thread, body)).status_code == 201
        [message] = await waiting(portal)
        assert f"\nfollow-up {message}\n" in change.control
        # And the state that names it as sent.
        assert (await thread.read()).state == change.state
        with portal.database.use():
            assert await UnclaimedRecord.all().count() == 0


async def test_what_nobody_claims_goes_after_a_month_and_never_fills_the_disk(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unclaimed, "OF_ONE_MAILBOX_MAX", 2)
    monkeypatch.setattr(unclaimed, "UNCLAIMED_MAX", 3)
    known = await start_thread(portal)
    with portal.database.use():
        await MailboxRecord.all().delete()
    state = known.sealed.files["state.age"]
    for _ in range(4):
        answer = await portal.change(follow_up_change(known.secrets, state, "again"))
        assert answer.status_code == 409
    with portal.database.use():
        assert await UnclaimedRecord.all().count() == 2
    portal.clock.pass_days(unclaimed.DAYS_KEPT)
    await portal.sweep()
    with portal.database.use():
        assert await UnclaimedRecord.all().count() == 2
    portal.clock.pass_days(1)
    await portal.sweep()
    with portal.database.use():
        assert await UnclaimedRecord.all().count() == 0


async def test_holdings_tell_what_there_is_of_every_report(portal_on: RunningPortal) -> None:
    thread, other = await start_thread(portal_on), await start_thread(portal_on)
    await thread.post_next(2)
    await thread.send("first")
    await thread.read()
    await thread.command(delete=1)
    await thread.command()
    collected = Collection(REALM, other.sealed.manifest.submission, other.sealed.manifest_hash, TODAY)
    await portal_on.office("POST", f"{other.path}/collection", collected.sign(portal_on.world.office_key).encode())
    first, second = (await portal_on.office("GET", "/holdings?after=0")).json()["holdings"]
    assert first == {
        "sequence": first["sequence"],
        "submission": thread.sealed.manifest.submission,
        "manifest": thread.sealed.manifest_hash,
        "collected": False,
        "deleted": False,
        # The visits that brought and commanded nothing count for nothing: no office learns of them.
        "told": 2,
        "thread": 2,
        "last": 2,
    }
    assert (second["collected"], second["deleted"], second["told"], second["last"]) == (True, False, 0, 0)
    rest = await portal_on.office("GET", f"/holdings?after={first['sequence']}")
    assert rest.json() == {"holdings": [second], "more": False}
