# SPDX-License-Identifier: AGPL-3.0-or-later
"""Control notes that delete or close, as an office keeps them and brings them again after a restore
(docs/protocol.md §9.3, §10)."""

from pathlib import Path
from shutil import copytree
from typing import Any

from crypto.control import Control
from crypto.note import SigningKey
from tests.people import REALM, found_test_commission
from tests.portal.threads import Thread, start_thread
from tests.portal.world import RunningPortal, error_code, publish, running_portal

MALFORMED = (400, "malformed-request")


async def listed(portal: RunningPortal) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await portal.office("GET", "/controls?after=0")).json()["controls"]
    return rows


def control(thread: Thread, key: SigningKey | None = None, realm: str = REALM, **what: Any) -> bytes:
    note = Control(realm, what.pop("mailbox", thread.secrets.mailbox_id), "00" * 32, "11" * 32, **what)
    return note.sign(key or thread.secrets.control_key).encode()


async def bring(portal: RunningPortal, thread: Thread, note: bytes) -> None:
    answer = await portal.office("POST", f"{thread.path}/control", note)
    assert answer.status_code == 200, answer.text


async def test_only_notes_that_delete_or_close_are_listed(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await thread.post_next(2)
    await thread.send()
    await thread.command()
    deleting = await thread.command(delete=2)
    closing = await thread.command(close=True)
    rows = await listed(portal_on)
    assert [row["control"] for row in rows] == [deleting.control, closing.control]
    assert {row["submission"] for row in rows} == {thread.sealed.manifest.submission}
    rest = await portal_on.office("GET", f"/controls?after={rows[0]['sequence']}")
    assert rest.json() == {"controls": rows[1:], "more": False}


async def test_a_restored_portal_honours_what_the_reporter_deleted_and_closed(tmp_path: Path) -> None:
    """A backup from before the reporter's visit: the office brings the notes, and posts its replies again."""
    async with running_portal(tmp_path / "now") as portal:
        thread, other = await start_thread(portal), await start_thread(portal)
        await thread.post_next(1)
        await other.post_next(1)
    copytree(tmp_path / "now" / "data", tmp_path / "then" / "data")
    async with running_portal(tmp_path / "now") as portal:
        thread, other = (Thread(portal, each.secrets, each.sealed) for each in (thread, other))
        second = thread.reply("second")
        await thread.post(2, second)
        await thread.command(delete=2)
        await other.command(close=True)
        kept = await listed(portal)
    async with running_portal(tmp_path / "then") as portal:
        thread, other = (Thread(portal, each.secrets, each.sealed) for each in (thread, other))
        assert len((await thread.read()).messages) == 1
        for row, each in zip(kept, (thread, other), strict=True):
            await bring(portal, each, row["control"].encode())
        assert (await thread.post(2, second)).status_code == 201
        assert (await thread.read()).messages == ()
        assert (await other.read()).acknowledgement is None
        assert [row["control"] for row in await listed(portal)] == [row["control"] for row in kept]
        third = await thread.post(3, thread.reply("third"))
        assert third.status_code == 201
        assert len((await thread.read()).messages) == 1


async def test_a_note_brought_again_changes_nothing_more(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await thread.post_next(1)
    await thread.command(delete=1)
    (row,) = await listed(portal_on)
    await thread.post(2, thread.reply("came later"))
    before = await thread.read()
    for _ in range(2):
        await bring(portal_on, thread, row["control"].encode())
    assert await thread.read() == before
    assert await listed(portal_on) == [row]
    # A later one is not undone by an earlier one.
    await thread.command(delete=2)
    await bring(portal_on, thread, row["control"].encode())
    assert (await thread.read()).messages == ()


async def test_an_office_can_bring_no_note_that_the_reporter_did_not_sign(portal: RunningPortal) -> None:
    thread, other = await start_thread(portal), await start_thread(portal)
    await thread.post_next(1)
    before = await thread.read()
    stranger = SigningKey.generate(thread.secrets.mailbox_id)
    wrong = [
        control(thread, stranger, close=True),
        control(thread, portal.world.office_key, close=True),
        control(other, close=True),
        control(thread, mailbox=other.secrets.mailbox_id, close=True),
        control(thread, realm="ab" * 16, close=True),
        control(thread),
        b"not a note",
    ]
    for note in wrong:
        assert error_code(await portal.office("POST", f"{thread.path}/control", note)) == MALFORMED
    assert await thread.read() == before
    assert await listed(portal) == []


async def test_another_commission_sees_no_notes_and_brings_none(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    thread = await start_thread(portal)
    await thread.post_next(1)
    await thread.command(delete=1)
    (row,) = await listed(portal)
    seen = await portal.office("GET", "/controls?after=0", key=other.office_key)
    assert seen.json() == {"controls": [], "more": False}
    brought = await portal.office("POST", f"{thread.path}/control", row["control"].encode(), other.office_key)
    assert error_code(brought) == (403, "not-your-commission")
