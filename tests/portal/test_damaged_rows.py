# SPDX-License-Identifier: AGPL-3.0-or-later
"""One value of one row is garbage, whichever it is: others' reports, messages and lists go on, and so do sweeps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from portal.kit import columns
from portal.kit.columns import UnreadableError
from portal.storage.records import ClosingRecord, ControlRecord, InvitationRecord, NonceRecord, UnclaimedRecord
from tests.damaged_values import NUMBERS, TEXTS, Value, damage, one_of_each_column, row_of, values_of
from tests.fuzz.asgi import put
from tests.fuzz.portal_surface import PortalSurface, portal_surface
from tests.people import NOW
from tests.portal.threads import Thread, blind_change, blind_follow_up, shown_state, start_thread
from tests.portal.world import DATABASE, RunningPortal, fresh_report, running_portal
from tests.waiting import SECONDS_MAX

# Each start of a portal takes a second or two.
RESTARTS = 5
NO_ANSWER = "an answer that nobody can read"


@pytest.fixture
async def surface(tmp_path: Path, rng: Random) -> AsyncIterator[PortalSurface]:
    """A portal with rows in every table, which was asked in every way."""
    async with portal_surface(tmp_path) as surface:
        portal = surface.portal
        portal.ask_for_no_work()
        for _ in range(3):
            assert (await portal.submit(fresh_report().bundle())).status_code == 201
        assert await failing(surface, rng) == []
        with portal.database.use():
            # Which makes the rows of its days.
            await portal.assembly.sweep()
            await InvitationRecord.create(token_sha256="1" * 64, slug="another")
            await ClosingRecord.create(mailbox="2" * 32)
            submission = surface.thread.sealed.manifest.submission
            sealed = {"note": "note", "state": b"x", "sealed": b"x"}
            await UnclaimedRecord.create(
                mailbox="4" * 32, token_sha256="5" * 64, message="6" * 32, day=NOW.date(), **sealed
            )
            await ControlRecord.create(slug=portal.world.slug, submission=submission, hash="3" * 64, note="note")
        yield surface


@pytest.fixture
async def other(surface: PortalSurface) -> Thread:
    """Another reporter's."""
    thread = await start_thread(surface.portal)
    await thread.send()
    await thread.post_next()
    return thread


async def failing(surface: PortalSurface, rng: Random) -> list[str]:
    """The ways to ask that fail."""
    found = []
    for name, way in surface.ways.items():
        call = way.make(rng)
        try:
            status = (await put(surface.portal.app, surface.sign(call) if way.is_signed else call)).status
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}")
        else:
            found += [f"{name}: {status}"] if status >= 500 else []
    return found


async def listed(portal: RunningPortal, what: str) -> list[dict[str, Any]]:
    """All that the office is shown, page by page."""
    found: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        page = (await portal.office("GET", f"/{what}?after={after}")).json()
        entries = page[what.replace("-", "_")]
        found += entries
        more, after = page["more"], entries[-1]["sequence"] if entries else 0
    return found


async def takes_reports(portal: RunningPortal) -> bool:
    """Whether a new report is taken, and its office told."""
    report = fresh_report()
    answer = await portal.submit(report.bundle())
    return answer.status_code == 201 and report.manifest.submission in {
        entry["submission"] for entry in await listed(portal, "submissions")
    }


async def sweeps(portal: RunningPortal, days: int) -> bool:
    """Whether a sweep after so many days ends. What is damaged it may leave, and say so."""
    portal.clock.pass_days(days)
    async with asyncio.timeout(SECONDS_MAX):
        with suppress(UnreadableError):
            await portal.sweep()
    portal.clock.pass_days(-days)
    return True


async def exchange(thread: Thread) -> list[str]:
    """What fails when a reporter writes a message that their office fetches, reads the office's, deletes it, and closes
    the mailbox."""
    try:
        return await _exchange(thread)
    except CryptoError:
        return [NO_ANSWER]


async def _exchange(thread: Thread) -> list[str]:
    portal, shown = thread.portal, await thread.read()
    message = blind_follow_up()
    answer = await portal.change(blind_change(thread.secrets, shown.state, message))
    if answer.status_code != 202:
        return [f"a message: {answer.status_code} {answer.json()['error']['code']}"]
    handed = {entry["sealed"] for entry in await listed(portal, "follow-ups")}
    answer = await portal.office("GET", f"{thread.path}/thread")
    if answer.status_code != 200:
        return [f"a thread: {answer.status_code} {answer.json()['error']['code']}"]
    number = answer.json()["last"] + 1
    reply = thread.reply()
    posted = await thread.post(number, reply, thread=number + 100)
    received = [message.sealed for message in (await thread.read(number - 1)).messages]
    commands = [await command(thread, delete=number)] if posted.status_code == 201 else []
    left = (await thread.read(number - 1)).messages if commands == [""] else ()
    commands.append(await command(thread, close=True))
    return [
        *(each for each in commands if each),
        *(["a reply that was deleted and is shown"] if left else []),
        *([] if encode_base64(message) in handed else ["a message that was taken and is not handed over"]),
        *([] if posted.status_code == 201 else [f"a reply: {posted.status_code} {posted.json()['error']['code']}"]),
        *([] if posted.status_code != 201 or reply in received else ["a reply that was taken and is not shown"]),
    ]


async def command(thread: Thread, **what: Any) -> str:
    """What a reporter's command is refused by, if it is."""
    change = blind_change(thread.secrets, await shown_state(thread.portal, thread.secrets), **what)
    answer = await thread.portal.change(change)
    return "" if answer.status_code == 202 else f"a command: {answer.status_code} {answer.json()['error']['code']}"


def is_about(row: list[Any], thread: Thread) -> bool:
    return not {thread.sealed.manifest.submission, thread.secrets.mailbox_id}.isdisjoint(row)


def is_known(value: Value, failed: str) -> bool:
    """Whether the refusal says what is so. Of a mailbox that nothing names there is nothing to be said, and a hash
    tells nobody that it is another."""
    if value.name == "submission.manifest_sha256" and failed.endswith("400 malformed-request"):
        return True
    is_lost = value.name in ("mailbox.mailbox", "mailbox.token_sha256")
    return is_lost or failed == NO_ANSWER or failed.endswith("409 damaged")


async def test_garbage_in_any_column_stops_nobody_elses_report_message_list_or_sweep(
    surface: PortalSurface, other: Thread, rng: Random
) -> None:
    found = []
    file = surface.portal.data / DATABASE
    for value in one_of_each_column(values_of(file, rng), rng):
        row = row_of(file, value)
        with damage(file, value):
            failed = await failing(surface, rng)
            for thread in (surface.thread, other):
                went = await exchange(thread)
                failed += [each for each in went if not (is_about(row, thread) and is_known(value, each))]
            failed += [] if await takes_reports(surface.portal) else ["a report"]
            failed += [] if await sweeps(surface.portal, rng.choice((0, 400))) else ["a sweep"]
        found += [f"{value}: {each}" for each in failed]
    assert not found, "\n".join(found)


async def test_the_log_names_the_column_once_and_nothing_of_what_stands_there(
    surface: PortalSurface, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_told", set())
    portal = surface.portal
    with damage(portal.data / DATABASE, Value("follow_up", "day", 1, NUMBERS[0])):
        for _ in range(2):
            page = (await portal.office("GET", "/follow-ups?after=0")).json()
            assert len(page["follow_ups"]) == 1
    assert [line for line in caplog.messages if "read" in line] == ["a value in a column day can't be read"]


async def test_a_portal_starts_with_garbage_in_any_column(surface: PortalSurface, tmp_path: Path, rng: Random) -> None:
    # Nobody reports to a commission whose charter is garbage.
    file = surface.portal.data / DATABASE
    values = [value for value in values_of(file, rng) if value.name != "charter.note"]
    weights = [value for value in values if value.column in {"row_bytes", "attachment_bytes"}]
    for value in (*weights, *rng.sample(values, RESTARTS)):
        with damage(file, value):
            async with running_portal(tmp_path) as portal:
                portal.ask_for_no_work()
                assert await takes_reports(portal), value
                assert (await portal.client.get("/en/")).status_code < 500, value


@pytest.mark.parametrize("column", ["nonce.nonce", "closing.mailbox"])
async def test_a_row_under_a_damaged_key_holds_no_sweep_for_ever_and_the_rows_beside_it_go(
    surface: PortalSurface, column: str
) -> None:
    portal = surface.portal
    await portal.office("GET", "/submissions?after=0")
    with portal.database.use():
        await ClosingRecord.create(mailbox="f" * 32)
        rows = ClosingRecord.all() if column == "closing.mailbox" else NonceRecord.all()
        before = await rows.count()
        assert before > 1
        table, _, name = column.partition(".")
        with damage(portal.data / DATABASE, Value(table, name, 1, TEXTS[0])):
            assert await sweeps(portal, 1)
            # The office's request of that day is there too.
            assert await rows.count() == (2 if table == "nonce" else 1)
