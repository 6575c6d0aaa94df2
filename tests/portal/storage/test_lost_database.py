# SPDX-License-Identifier: AGPL-3.0-or-later
"""A database that goes away under a running portal, or can only be read: who sends is asked to come back, pages are
served, nothing acknowledged is lost, and all goes on by itself."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from crypto.finding import read_finding
from crypto.submission import SealedSubmission
from portal import assembly
from portal.kit.database import SQLITE_PRAGMAS
from portal.storage.records import FindingRecord
from tests.chance import fresh_id
from tests.findings import draft_finding, sign_finding
from tests.portal.register.test_register import portal_with_styles, put_one, until_manifest
from tests.portal.world import (
    API,
    DATABASE,
    RunningPortal,
    collected_files,
    cut,
    error_code,
    fresh_report,
    mailbox_secrets,
    running_portal,
)
from tests.postgres import Postgres
from tests.waiting import SECONDS_MAX

AWAY = (503, "unavailable")
FILE = "attachment-1.age"
PAGES = ("/en/", "/en/findings/", "/manifest.json")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes on beside the requests is due many times a second."""
    monkeypatch.setattr(assembly, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(assembly, "MINUTE_SECONDS", 0.05)


async def until(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            if await condition():
                return
            await asyncio.sleep(0)


async def read_mailbox(portal: RunningPortal) -> httpx.Response:
    secrets = mailbox_secrets()
    return await portal.client.post(
        f"{API}/mailbox", json={"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}
    )


async def is_handed_over(portal: RunningPortal, sealed: SealedSubmission) -> bool:
    for name, data in collected_files(sealed).items():
        fetched = await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{name}")
        if fetched.content != data:
            return False
    return True


async def test_a_file_that_somebody_else_has_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that is being made, or whoever looks into it by hand."""
    monkeypatch.setitem(SQLITE_PRAGMAS, "busy_timeout", 10)
    sealed = fresh_report()
    async with running_portal(tmp_path) as portal:
        with sqlite3.connect(portal.data / DATABASE, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = await portal.submit(sealed.bundle())
            assert error_code(answer) == AWAY
            assert int(answer.headers["retry-after"]) > 0
            other.execute("ROLLBACK")
        assert (await portal.submit(sealed.bundle())).status_code == 201


@pytest.mark.parametrize("setting", ["lock_timeout = 100", "statement_timeout = 3000"])
async def test_a_table_that_somebody_else_has_locked_on_a_server_that_lets_nobody_wait_long(
    tmp_path: Path, postgres: Postgres, setting: str
) -> None:
    sealed = fresh_report()
    with postgres.database() as url:
        other = await asyncpg.connect(url.replace("asyncpg", "postgresql"))
        await other.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET {setting}")
        async with running_portal(tmp_path, url) as portal:
            async with other.transaction():
                await other.execute("LOCK TABLE submission IN EXCLUSIVE MODE")
                answer = await portal.submit(sealed.bundle())
                assert error_code(answer) == AWAY
                assert int(answer.headers["retry-after"]) > 0
            assert (await portal.submit(sealed.bundle())).status_code == 201
        await other.close()


async def test_a_server_that_ends_and_comes_back(tmp_path: Path, own_postgres: Postgres) -> None:
    with own_postgres.database() as url:
        async with portal_with_styles(tmp_path, url) as portal:
            await put_one(portal)
            before = fresh_report(1000)
            assert (await portal.submit(before.bundle())).status_code == 201
            await until_manifest(portal)
            served = {path: (await portal.client.get(path)).content for path in PAGES}
            # Some are on their way in when the server ends.
            sent = [fresh_report(100) for _ in range(8)]
            running = [asyncio.create_task(portal.submit(sealed.bundle())) for sealed in sent]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            own_postgres.pause()
            met = [(await task).status_code for task in running]
            assert set(met) <= {201, 503}
            for _ in range(6):
                # More often than the pool has connections.
                for answer in (
                    await portal.submit(before.bundle()),
                    await portal.submit(fresh_report().bundle()),
                    await portal.office("GET", "/submissions?after=0"),
                    await read_mailbox(portal),
                ):
                    assert error_code(answer) == AWAY
                    assert int(answer.headers["retry-after"]) > 0
                for path, body in served.items():
                    answer = await portal.client.get(path)
                    assert (answer.status_code, answer.content) == (200, body)
            own_postgres.serve()
            again = await portal.submit(before.bundle())
            assert again.status_code == 200
            # What was acknowledged is there; what was not can be sent again.
            for status, sealed in zip(met, sent, strict=True):
                repeated = await portal.submit(sealed.bundle())
                assert repeated.status_code == 200 if status == 201 else repeated.status_code in (200, 201)
            for sealed in (before, *sent):
                assert await is_handed_over(portal, sealed)
            assert (await read_mailbox(portal)).status_code == 200
            await what_goes_on_beside_goes_on(portal, before)


async def test_one_that_can_only_be_read(portal: RunningPortal) -> None:
    before, after = fresh_report(), fresh_report()
    assert (await portal.submit(before.bundle())).status_code == 201
    client = portal.database._client()
    await client.execute_script("PRAGMA query_only = ON")
    for _ in range(3):
        assert error_code(await portal.submit(after.bundle())) == AWAY
        assert (await read_mailbox(portal)).status_code == 200
        assert await is_handed_over(portal, before)
    await client.execute_script("PRAGMA query_only = OFF")
    assert (await portal.submit(after.bundle())).status_code == 201


async def what_goes_on_beside_goes_on(portal: RunningPortal, before: SealedSubmission) -> None:
    """Another process' finding is shown, and what has expired is deleted, by tasks that nobody started again."""
    note = sign_finding(portal.world, draft_finding(portal.world, 2))
    finding = read_finding(note, portal.world.charter)
    about = {"slug": finding.slug, "revision": 1, "hash": finding.hash, "day": finding.day, "kind": finding.kind}
    with portal.database.use():
        await FindingRecord.create(identifier=finding.id, note=note.decode("utf-8"), **about)

    async def is_shown() -> bool:
        return (await portal.client.get("/en/findings/xfi-zz-demo-commission-2026-f-0002")).status_code == 200

    await until(is_shown)
    unfinished = fresh_id()
    assert (await portal.put_part(unfinished, FILE, 0, cut(before.files[FILE])[0])).status_code == 201
    portal.clock.pass_days(30)

    async def is_swept() -> bool:
        return not await portal.assembly.blobs.parts(unfinished)

    await until(is_swept)
