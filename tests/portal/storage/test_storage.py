# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commits that are shared, and what a database promises."""

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tortoise.transactions import in_transaction

from portal.kit import stopping
from portal.kit.columns import UnreadableError
from portal.kit.database import DatabaseError, pending_migrations
from portal.storage import group_commit
from portal.storage.database import SCHEMA, Database, transaction
from portal.storage.errors import BusyError, DuplicateError, StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FollowUpRecord, NonceRecord
from tests.chance import fresh_id
from tests.people import NOW
from tests.portal.world import RunningPortal, error_code, fresh_report
from tests.servers import free_port
from tests.waiting import SECONDS_MAX


@contextlib.asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url)
    try:
        with database.use():
            yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def committing(waiting_max: int = 1000) -> AsyncIterator[GroupCommit]:
    commits = GroupCommit(waiting_max)
    task = asyncio.create_task(commits.run())
    yield commits
    await stop(task)


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def nonce(value: str = "") -> NonceRecord:
    return NonceRecord(nonce=value or fresh_id()[:24], expires=1)


def follow_up(number: int) -> FollowUpRecord:
    return FollowUpRecord(slug="slug", submission="ab" * 16, message=f"{number:032x}", day=NOW.date(), sealed=b"sealed")


def vars_of(row: FollowUpRecord) -> dict[str, object]:
    names = ("slug", "submission", "message", "day", "sealed")
    return {name: getattr(row, name) for name in names}


async def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    async with open_database(f"sqlite://{tmp_path / 'test.sqlite3'}"), in_transaction() as client:
        pragmas = {
            name: (await client.execute_query_dict(f"PRAGMA {name}"))[0][name]
            for name in ("synchronous", "journal_mode", "secure_delete")
        }
    full = 2
    assert pragmas == {"synchronous": full, "journal_mode": "wal", "secure_delete": 1}


async def test_postgresql_syncs_every_commit(postgres: object) -> None:
    with postgres.database() as url:  # type: ignore[attr-defined]
        async with open_database(url), in_transaction() as client:
            assert (await client.execute_query_dict("SHOW synchronous_commit"))[0]["synchronous_commit"] == "on"


async def test_the_migrations_hold_all_that_the_models_say() -> None:
    assert await pending_migrations(SCHEMA) == []


async def test_a_database_that_can_not_be_opened_says_so() -> None:
    with pytest.raises(DatabaseError):
        await Database.open(f"asyncpg://nobody@127.0.0.1:{free_port()}/nothing")


async def test_rows_that_wait_together_share_transactions(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    real = group_commit.transaction

    def counting() -> object:
        nonlocal count
        count += 1
        return real()

    monkeypatch.setattr(group_commit, "transaction", counting)
    async with open_database(database_url), committing() as commits:
        await asyncio.gather(*(commits.insert(nonce()) for _ in range(200)))
        assert await NonceRecord.all().count() == 200
    assert count <= 8


async def test_a_taken_key_does_not_hurt_the_neighbours(database_url: str) -> None:
    async with open_database(database_url), committing() as commits:
        await commits.insert(nonce("taken"))
        rows = [nonce(), nonce("taken"), nonce("twice"), nonce("twice"), nonce()]
        outcomes = await asyncio.gather(*(commits.insert(row) for row in rows), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [
            type(None),
            DuplicateError,
            type(None),
            DuplicateError,
            type(None),
        ]
        assert await NonceRecord.all().count() == 4


async def test_rows_of_one_insert_are_written_together_or_not_at_all(database_url: str) -> None:
    async with open_database(database_url), committing() as commits:
        await commits.insert(nonce("taken"), follow_up(1))
        with pytest.raises(DuplicateError):
            await commits.insert(follow_up(2), nonce("taken"))
        assert await FollowUpRecord.all().count() == 1


async def test_changes_come_one_after_the_other_and_each_gets_its_result(database_url: str) -> None:
    async def count_up() -> int:
        count = await FollowUpRecord.all().count()
        await FollowUpRecord.create(**vars_of(follow_up(count)))
        return count

    async def write(database: Database) -> list[int]:
        with database.use():
            async with committing() as commits:
                return list(await asyncio.gather(*(commits.apply(count_up) for _ in range(20))))

    async with open_database(database_url), open_database(database_url) as one, open_database(database_url) as two:
        results = await asyncio.gather(write(one), write(two))
    assert sorted(results[0] + results[1]) == list(range(40))


async def test_a_change_beside_a_taken_key_is_made_once(database_url: str) -> None:
    async def add() -> str:
        await FollowUpRecord.create(**vars_of(follow_up(1)))
        return "made"

    async with open_database(database_url), committing() as commits:
        await commits.insert(nonce("taken"))
        writes = (commits.apply(add), commits.insert(nonce("taken")), commits.insert(nonce()))
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [str, DuplicateError, type(None)]
        assert await FollowUpRecord.all().count() == 1
        assert await NonceRecord.all().count() == 2


async def test_a_change_that_the_disk_has_no_room_for_was_not_made(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit fails after the change has run: its result must not go out."""
    real = group_commit.transaction

    @contextlib.asynccontextmanager
    async def failing() -> AsyncIterator[object]:
        async with real() as client:
            yield client
            raise StorageFullError

    async def add() -> None:
        await FollowUpRecord.create(**vars_of(follow_up(1)))

    async with open_database(database_url), committing() as commits:
        monkeypatch.setattr(group_commit, "transaction", failing)
        with pytest.raises(StorageFullError):
            await commits.apply(add)
        monkeypatch.undo()
        assert await FollowUpRecord.all().count() == 0


async def test_two_processes_never_show_a_row_after_one_with_a_higher_sequence(database_url: str) -> None:
    """Two writers and a reader that asks for the rows after the last one, as an office does."""
    seen: list[int] = []

    async def write(database: Database, first: int) -> None:
        with database.use():
            async with committing() as commits:
                for start in range(first, first + 100, 10):
                    await asyncio.gather(*(commits.insert(follow_up(number)) for number in range(start, start + 10)))

    async def read(until: int) -> None:
        while len(seen) < until:
            last = seen[-1] if seen else 0
            seen.extend(
                await FollowUpRecord.filter(sequence__gt=last).order_by("sequence").values_list("sequence", flat=True)
            )  # type: ignore[arg-type]
            await asyncio.sleep(0)

    async with open_database(database_url), open_database(database_url) as one, open_database(database_url) as two:
        async with asyncio.timeout(SECONDS_MAX):
            await asyncio.gather(write(one, 0), write(two, 1000), read(200))
        assert len(set(seen)) == await FollowUpRecord.all().count() == 200


@pytest.mark.parametrize(
    "error",
    [
        UnreadableError(),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "no"),
        OSError(errno.EIO, "Input/output error"),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_change_that_fails_fails_alone_whatever_it_raises(database_url: str, error: Exception) -> None:
    async def fails() -> None:
        await nonce("written before").save(force_create=True)
        raise error

    async with open_database(database_url), committing() as commits:
        rows = [commits.insert(nonce()) for _ in range(3)]
        outcomes = await asyncio.gather(*rows, commits.apply(fails), commits.insert(nonce()), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [type(None)] * 3 + [type(error), type(None)]
        assert outcomes[3].__cause__ is error  # type: ignore[union-attr]
        await commits.insert(nonce())
        assert await NonceRecord.all().count() == 5
        assert not await NonceRecord.filter(nonce="written before").exists()


async def test_too_many_that_wait_are_told_so(tmp_path: Path) -> None:
    async with open_database(f"sqlite://{tmp_path / 'test.sqlite3'}"):
        commits = GroupCommit(waiting_max=1)
        first = asyncio.create_task(commits.insert(nonce()))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await commits.insert(nonce())
        writing = asyncio.create_task(commits.run())
        await first
        await commits.insert(nonce())
        await stop(writing)


@pytest.mark.parametrize("is_one_by_one", [False, True])
async def test_a_database_that_does_not_answer_is_waited_for_once_for_all_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_one_by_one: bool
) -> None:
    tries = 0

    @contextlib.asynccontextmanager
    async def silent() -> AsyncIterator[object]:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        if is_one_by_one and tries == 1:
            raise DuplicateError
        raise TimeoutError
        yield

    async with open_database(f"sqlite://{tmp_path}/silent.sqlite3"), committing() as commits:
        monkeypatch.setattr(group_commit, "transaction", silent)
        count = 3 * group_commit.WRITES_MAX
        outcomes = await asyncio.gather(*(commits.insert(nonce()) for _ in range(count)), return_exceptions=True)
        assert {type(each) for each in outcomes} == {TimeoutError}
        assert tries == 1 + is_one_by_one
        monkeypatch.undo()
        await commits.insert(nonce())


async def test_who_still_waits_at_the_end_is_told_that_nothing_was_written(tmp_path: Path) -> None:
    async with open_database(f"sqlite://{tmp_path / 'test.sqlite3'}"):
        commits = GroupCommit(waiting_max=10)
        writing = asyncio.create_task(commits.run())
        waiting = [asyncio.create_task(commits.insert(nonce())) for _ in range(3)]
        await asyncio.sleep(0)
        await stop(writing)
        with pytest.raises(BusyError):
            await commits.insert(nonce())
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        written = sum(outcome is None for outcome in outcomes)
        assert {type(outcome) for outcome in outcomes} <= {type(None), BusyError}
        assert await NonceRecord.all().count() >= written


async def test_a_transaction_that_fails_leaves_nothing(database_url: str) -> None:
    async with open_database(database_url):
        with pytest.raises(ZeroDivisionError):
            async with transaction() as client:
                await nonce().save(using_db=client, force_create=True)
                raise ZeroDivisionError
        assert await NonceRecord.all().count() == 0
        async with transaction() as client:
            await nonce().save(using_db=client, force_create=True)
        assert await NonceRecord.all().count() == 1


async def test_a_portal_whose_writing_has_failed_for_whatever_reason_takes_reports_again(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: object) -> None:
        raise ZeroDivisionError

    sealed = fresh_report()
    monkeypatch.setattr(stopping, "AGAIN_SECONDS", 0.0)
    with monkeypatch.context() as broken:
        broken.setattr(group_commit, "_write", fails)
        assert error_code(await portal.submit(sealed.bundle())) == (503, "busy")
    answers = [await portal.submit(sealed.bundle()) for _ in range(10)]
    assert answers[-1].status_code == 200
