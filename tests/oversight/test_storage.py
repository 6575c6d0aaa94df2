# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's database, of both kinds."""

from datetime import timedelta
from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from oversight.commission.charters import charters_by_hash, current_charter, is_founded
from oversight.commission.records import CharterRecord
from oversight.founding.records import FoundingRecord
from oversight.members.records import FailedLoginRecord, MemberRecord, SessionRecord
from oversight.storage import SCHEMA, Database
from portal.kit.database import DatabaseError, pending_migrations
from tests.people import NOW, World, found_test_commission, settle_office
from tests.servers import free_port


@pytest.fixture(scope="module")
def world() -> World:
    return found_test_commission()


async def test_an_office_is_read_back_after_a_restart(database_url: str, world: World, tmp_path: Path) -> None:
    database = await Database.open(database_url)
    with database.use():
        assert not await is_founded()
        await settle_office(world, tmp_path / "secrets")
    await database.close()
    database = await Database.open(database_url)
    with database.use():
        assert await is_founded()
        assert await current_charter() == world.charter
        assert await charters_by_hash() == {world.charter.hash: world.charter}
        member = await MemberRecord.get(label="daud")
    await database.close()
    assert (member.name, member.roles) == ("Daud Rahimi", ["triage", "legal"])
    assert bytes(member.keyring) == world["daud"].sealed_keyring


async def test_rows_of_every_kind_are_kept(database_url: str, world: World, tmp_path: Path) -> None:
    database = await Database.open(database_url)
    with database.use():
        await settle_office(world, tmp_path / "secrets")
        member = await MemberRecord.get(label="amina")
        await SessionRecord.create(id_hash="1" * 64, member=member, created=NOW, last_seen=NOW, keyring=b"\x00\xff")
        await FailedLoginRecord.create(username_hash="2" * 64, failures=3, retry_at=NOW + timedelta(seconds=8))
        await FoundingRecord.create(id=1, sealed=bytes(range(256)))
        session = await SessionRecord.get(id_hash="1" * 64).select_related("member")
        assert (session.member.label, session.created, bytes(session.keyring)) == ("amina", NOW, b"\x00\xff")
        assert (await FailedLoginRecord.get(username_hash="2" * 64)).retry_at == NOW + timedelta(seconds=8)
        assert bytes((await FoundingRecord.get(id=1)).sealed) == bytes(range(256))
    await database.close()


async def test_a_transaction_that_fails_leaves_nothing(database_url: str, world: World, tmp_path: Path) -> None:
    database = await Database.open(database_url)
    with database.use():
        await settle_office(world, tmp_path / "secrets")
        with pytest.raises(IntegrityError):
            async with in_transaction():
                await FoundingRecord.create(id=1, sealed=b"x")
                await CharterRecord.create(hash="f" * 64, number=1, note=b"x", published=False)
        assert await FoundingRecord.all().count() == 0
        assert await CharterRecord.all().count() == 1
    await database.close()


async def test_two_databases_are_open_side_by_side(tmp_path: Path, world: World) -> None:
    one = await Database.open(f"sqlite://{tmp_path / 'one.sqlite3'}")
    other = await Database.open(f"sqlite://{tmp_path / 'other.sqlite3'}")
    with one.use():
        await settle_office(world, tmp_path / "secrets")
        with other.use():
            assert await MemberRecord.all().count() == 0
        assert await MemberRecord.all().count() == 5
    await one.close()
    await other.close()


async def test_the_migrations_have_everything_that_the_models_have() -> None:
    assert [writer.as_string() for writer in await pending_migrations(SCHEMA)] == []


async def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "office.sqlite3").write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    with pytest.raises(DatabaseError):
        await Database.open(f"sqlite://{tmp_path / 'office.sqlite3'}")
    with pytest.raises(DatabaseError):
        await Database.open(f"asyncpg://nobody@127.0.0.1:{free_port()}/nothing")
