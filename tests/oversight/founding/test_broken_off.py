# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding that is broken off at every step: by a restart of the office, by a disk that is full."""

import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper
from tortoise.exceptions import OperationalError

from oversight.commission.charters import is_founded
from oversight.commission.records import CharterRecord
from oversight.founding.records import FoundingRecord
from oversight.members.records import MemberRecord, SessionRecord
from oversight.settings import Settings
from portal.kit.files import write_secret_file as written
from tests.oversight.founding.party import CONVENER, Party, expect, party_at
from tests.oversight.founding.steps import EVERY_FORM, STEPS
from tests.oversight.office import Clock
from tests.oversight.portals import Portal


@pytest.fixture
async def party(settings: Settings, clock: Clock, portal: Portal) -> AsyncIterator[Party]:
    async with party_at(settings, clock, portal) as party:
        yield party


async def check_founded(party: Party) -> None:
    with party.app.state.database.use():
        assert await is_founded()
        assert await FoundingRecord.all().count() == 0
        assert await MemberRecord.all().count() == 3
    party.browsers.clear()
    for label in ("amina", "bruno", "chiara"):
        expect(await party.log_in(label), "/")
        assert (await party[label].get("/members")).status_code == 200


async def test_the_office_is_started_again_before_every_step(party: Party) -> None:
    for step in STEPS:
        await party.restart()
        if step.joins:
            if step.who != CONVENER:
                await log_in_again(party, CONVENER)
        elif step.name == "the reserve":
            for label in ("amina", "bruno", "chiara"):
                await log_in_again(party, label)
        else:
            await log_in_again(party, step.who)
        await step.take(party)
    await party.restart()
    await check_founded(party)


async def log_in_again(party: Party, label: str) -> None:
    """In a fresh browser: that of before was closed."""
    party.browsers.pop(label, None)
    expect(await party.log_in(label), "/")
    expect(await party[label].get("/"), "/found")


async def test_reloading_every_page_at_every_step_changes_nothing(party: Party) -> None:
    """Chiara and the convener reload whatever they may see before every form that anybody sends."""
    paths = {
        "amina": ["/found", "/found/commission", "/found/members", "/found/reserve", "/found/draft", "/found/publish"],
        "chiara": ["/found", "/found/share", "/found/draft"],
    }
    for step in EVERY_FORM:
        before = await what_is_stored(party)
        for label, own in paths.items():
            for path in [*own, *party.links.values()]:
                assert (await party[label].get(path)).status_code in {200, 303, 410}
        assert await what_is_stored(party) == before
        await step.take(party)
    await check_founded(party)


@pytest.mark.parametrize("kind", ["statements", "commits", "files"])
async def test_a_full_disk_at_any_write_of_any_step_keeps_nothing_by_half(party: Party, kind: str) -> None:
    party.raises = False
    failures = 0
    for step in EVERY_FORM:
        for number in range(50):
            before = await what_is_stored(party)
            with full_disk(kind, at=number) as disk:
                try:
                    await step.take(party)
                except AssertionError:
                    assert disk.was_full, step.name
            if not disk.was_full:
                break
            failures += 1
            if step.name != "publish":
                assert await what_is_stored(party) == before, (step.name, number)
        else:
            raise AssertionError(f"{step.name} writes without end")
    assert failures > {"statements": 20, "commits": 5, "files": 5}[kind]
    await check_founded(party)


async def what_is_stored(party: Party) -> dict[str, Any]:
    with party.app.state.database.use():
        return {
            "founding": [bytes(row.sealed) for row in await FoundingRecord.all()],
            "members": sorted([(row.label, bytes(row.keyring)) for row in await MemberRecord.all()]),
            "sessions": sorted([row.id_hash for row in await SessionRecord.all()]),
            "charters": [row.hash for row in await CharterRecord.all()],
            "words": [share.words for share in party.app.state.setup.reserve.shares]
            if party.app.state.setup.reserve
            else [],
        }


class Disk:
    """Counts writes of one kind, and is full at one of them."""

    def __init__(self, at: int) -> None:
        self.writes = 0
        self.at = at

    @property
    def was_full(self) -> bool:
        return self.writes > self.at

    def take(self, error: Exception) -> None:
        self.writes += 1
        if self.writes == self.at + 1:
            raise error


def is_office(client: Any) -> bool:
    return str(client.connection_name).startswith("oversight")


@contextmanager
def full_disk(kind: str, at: int) -> Iterator[Disk]:
    """The disk takes no write number ``at``, from 0, of this kind: statements, commits or files."""
    disk = Disk(at)
    query, insert, commit = SqliteClient.execute_query, SqliteClient.execute_insert, SqliteTransactionWrapper.commit

    async def execute_query(self: Any, statement: str, values: Any = None) -> Any:
        if is_office(self) and not statement.startswith("SELECT"):
            disk.take(OperationalError("database or disk is full"))
        return await query(self, statement, values)

    async def execute_insert(self: Any, statement: str, values: Any) -> Any:
        if is_office(self):
            disk.take(OperationalError("database or disk is full"))
        return await insert(self, statement, values)

    async def commit_all(self: Any) -> None:
        if is_office(self):
            disk.take(OperationalError("database or disk is full"))
        await commit(self)

    def write_secret_file(*arguments: Any) -> None:
        disk.take(OSError(errno.ENOSPC, "No space left on device"))
        written(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        if kind == "statements":
            patch.setattr(SqliteClient, "execute_query", execute_query)
            patch.setattr(SqliteClient, "execute_insert", execute_insert)
        elif kind == "commits":
            patch.setattr(SqliteTransactionWrapper, "commit", commit_all)
        else:
            patch.setattr("oversight.commission.keys.write_secret_file", write_secret_file)
        yield disk
