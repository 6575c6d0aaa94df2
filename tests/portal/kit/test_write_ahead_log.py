# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was deleted from a database of SQLite, and the log that it had been written to."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from oversight.members.records import FailedLoginRecord
from oversight.storage import Database
from portal.kit.database import forget_deleted, transaction
from portal.kit.write_ahead_log import WriteAheadLog
from tests.memory import forms, in_files
from tests.people import NOW
from tests.waiting import wait_until

CANARY = "rare-wombat-word" * 4


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(f"sqlite://{tmp_path / 'a' / 'test.sqlite3'}")
    yield database
    await database.close()


def seen(folder: Path) -> int:
    return in_files(folder, {"canary": forms(CANARY)})["canary"]


async def write_and_delete(database: Database) -> None:
    with database.use():
        await FailedLoginRecord.create(username_hash=CANARY, failures=1, retry_at=NOW)
        await FailedLoginRecord.all().delete()


async def test_what_was_deleted_is_in_no_file_once_it_is_forgotten(database: Database, tmp_path: Path) -> None:
    await write_and_delete(database)
    assert seen(tmp_path) > 0
    with database.use():
        await forget_deleted()
    assert seen(tmp_path) == 0
    assert (tmp_path / "a" / "test.sqlite3-wal").stat().st_size == 0


async def test_rows_that_are_kept_are_there_afterwards(database: Database) -> None:
    with database.use():
        await FailedLoginRecord.create(username_hash="kept", failures=1, retry_at=NOW)
        await forget_deleted()
        assert (await FailedLoginRecord.all().get()).username_hash == "kept"


async def test_while_somebody_reads_the_log_is_kept_and_is_emptied_as_soon_as_they_are_done(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "a" / "test.sqlite3"
    log = WriteAheadLog(str(file), retry_seconds=0.01)
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM failed_login").fetchall()
        await write_and_delete(database)
        await log.empty()
        await log.empty()
        assert seen(tmp_path) > 0
        assert (await rows(database)) == [], "the office works on meanwhile"
    await asyncio.to_thread(wait_until, lambda: not seen(tmp_path), "the log is empty")
    await log.close()


async def rows(database: Database) -> list[FailedLoginRecord]:
    with database.use():
        return await FailedLoginRecord.all()


async def test_who_reads_and_then_writes_is_not_disturbed_by_others(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "a" / "test.sqlite3"
    statements = ["PRAGMA wal_checkpoint(TRUNCATE)", f"INSERT INTO failed_login VALUES ('b', 1, '{NOW.isoformat()}')"]
    for statement in statements:
        with database.use():
            await forget_deleted()
            async with transaction():
                assert not await FailedLoginRecord.filter(username_hash=statement[:6]).exists()
                with closing(sqlite3.connect(file)) as other, suppress(sqlite3.OperationalError):
                    other.execute("PRAGMA busy_timeout = 0")
                    other.execute(statement)
                    other.commit()
                await FailedLoginRecord.create(username_hash=statement[:6], failures=1, retry_at=NOW)
    assert {row.username_hash for row in await rows(database)} == {"PRAGMA", "INSERT"}


async def test_within_a_transaction_the_log_is_emptied_when_that_has_ended(database: Database) -> None:
    with database.use():
        async with transaction():
            await FailedLoginRecord.create(username_hash="kept", failures=1, retry_at=NOW)
            await forget_deleted()
        assert await FailedLoginRecord.all().count() == 1
        await forget_deleted()


async def test_what_a_crash_left_is_gone_after_the_next_start(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'test.sqlite3'}"
    await (await Database.open(url)).close()
    with closing(sqlite3.connect(tmp_path / "test.sqlite3")) as crashed:
        crashed.execute("PRAGMA wal_autocheckpoint = 0")
        crashed.execute("INSERT INTO failed_login VALUES (?, 1, ?)", [CANARY, NOW.isoformat()])
        crashed.commit()
        crashed.execute("DELETE FROM failed_login")
        crashed.commit()
        assert seen(tmp_path) > 0
        database = await Database.open(url)
        assert seen(tmp_path) == 0
        await database.close()


async def test_a_log_that_cannot_be_emptied_is_tried_again(tmp_path: Path) -> None:
    made, wanted = tmp_path / "made", tmp_path / "wanted"
    await (await Database.open(f"sqlite://{made / 'test.sqlite3'}")).close()
    log = WriteAheadLog(str(wanted / "test.sqlite3"), retry_seconds=0.01)
    with closing(sqlite3.connect(made / "test.sqlite3")) as other:
        other.execute("INSERT INTO failed_login VALUES (?, 1, ?)", [CANARY, NOW.isoformat()])
        other.execute("DELETE FROM failed_login")
        other.commit()
        await log.empty()
        assert (made / "test.sqlite3-wal").stat().st_size > 0
        made.rename(wanted)
        await asyncio.to_thread(wait_until, lambda: not (wanted / "test.sqlite3-wal").stat().st_size, "it is emptied")
    await log.close()
    assert not seen(tmp_path)
