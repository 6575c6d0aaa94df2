# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an office of before could not collect is still tried, and still shown, after its database was migrated."""

from datetime import UTC, date, datetime

import pytest
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.transactions import in_transaction

from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord
from oversight.storage import SCHEMA, Database

FIRST, OTHER = "a" * 32, "b" * 32
BEFORE = "0007_known_browsers"
COLUMNS = "INSERT INTO damaged_arrival (sequence, submission, problem, file, first_seen, attempts, try_again) VALUES "
ROWS = (
    f"(7, '{FIRST}', 'file-hash', 'report.age', '2026-11-20', 3, '2026-11-22 10:00:00+00:00')",
    f"(9, '{FIRST}', 'manifest', NULL, '2026-11-18', 1, '2026-11-21 09:00:00+00:00')",
    f"(9007199254740991, '{OTHER}', 'charter', NULL, '2026-11-21', 0, '2026-11-23 08:00:00+00:00')",
)


async def opened_as_before(url: str) -> Database:
    """The database as the office of before had it, with what it could not collect."""

    async def migrate(database: Database) -> None:
        client = database._context.db()
        executor = MigrationExecutor(client, SCHEMA.apps(client.connection_name))
        await executor.migrate([MigrationTarget(SCHEMA.app, BEFORE)], direction="forward")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_migrate", migrate)
        return await Database.open(url)


async def test_damaged_arrivals_of_before_stay_one_row_for_each_submission(empty_database_url: str) -> None:
    before = await opened_as_before(empty_database_url)
    with before.use():
        async with in_transaction() as client:
            await client.execute_script(COLUMNS + ", ".join(ROWS))
            await client.execute_script("INSERT INTO collector_state (id, after) VALUES (1, 9007199254740991)")
    await before.close()
    database = await Database.open(empty_database_url)
    with database.use():
        first, other = await StuckArrivalRecord.all().order_by("item")
        again = await StuckArrivalRecord.create(kind="submission", item="c" * 32)
        state = await CollectorStateRecord.get()
    await database.close()
    assert (first.kind, first.item, first.failing_since, first.attempts) == ("submission", FIRST, date(2026, 11, 18), 3)
    assert first.try_again == datetime(2026, 11, 21, 9, tzinfo=UTC), "the sooner of two"
    assert (first.problem, first.file, first.count) == ("file-hash", None, 1)
    assert (other.item, other.problem, other.attempts) == (OTHER, "charter", 0)
    assert again.id not in {first.id, other.id}
    assert (state.waiting, state.held_back, state.step) == (0, 0, None)
