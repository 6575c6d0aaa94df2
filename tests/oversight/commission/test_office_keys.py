# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's own keys at rest and in memory (docs/protocol.md §11)."""

import errno
import stat
from pathlib import Path
from typing import Any

import pytest

from crypto.age import PqIdentity, open_sealed, seal
from crypto.encoding import label
from crypto.errors import LimitError, MalformedError, NotARecipientError
from oversight.commission.charters import current_charter
from oversight.commission.keys import (
    OfficeKeys,
    OfficeKeysLostError,
    OfficeLockedError,
    OfficeSafe,
    load_start_identity,
    open_at_start,
    open_office,
    read_office,
)
from oversight.storage import Database
from portal.kit.settings import SettingsError
from tests.chance import fresh_bytes
from tests.people import World


def identity() -> PqIdentity:
    return PqIdentity.from_seed(fresh_bytes(32))


@pytest.fixture
def keys() -> OfficeKeys:
    return OfficeKeys.generate(fresh_bytes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def test_keys_are_read_as_they_were_written_and_in_no_other_form(keys: OfficeKeys) -> None:
    data = keys.to_bytes()
    assert OfficeKeys.from_bytes(data) == keys
    assert len(data) == len(label("office")) + 96
    for other in (b"", data[:-1], data + b"\0", data[1:], label("keyring") + data[-96:]):
        with pytest.raises(MalformedError):
            OfficeKeys.from_bytes(other)
    assert keys.signing_seed.hex() not in repr(keys)
    assert repr(keys.record_key) not in repr(keys)
    assert repr(keys.urgency_seed) not in repr(keys)


def test_every_member_opens_them_and_nobody_else_does(folder: Path, keys: OfficeKeys) -> None:
    members = [identity() for _ in range(3)]
    OfficeSafe(folder).write(keys, [member.recipient() for member in members])
    for member in members:
        assert OfficeSafe(folder).read_with(member) == keys
    with pytest.raises(OfficeKeysLostError):
        OfficeSafe(folder).read_with(identity())


def test_the_file_is_the_owners_alone_and_has_nothing_in_the_clear(folder: Path, keys: OfficeKeys) -> None:
    safe = OfficeSafe(folder)
    safe.write(keys, [identity().recipient()])
    safe.write(keys, [identity().recipient()])
    assert [path.name for path in folder.iterdir()] == ["office.age"]
    path = folder / "office.age"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for secret in (keys.signing_seed, keys.record_key, keys.urgency_seed):
        assert secret not in path.read_bytes()


def test_keys_are_closed_until_somebody_opens_them(folder: Path, keys: OfficeKeys) -> None:
    member = identity()
    safe = OfficeSafe(folder)
    safe.write(keys, [member.recipient()])
    assert not safe.is_open
    with pytest.raises(OfficeLockedError):
        _ = safe.keys
    with pytest.raises(OfficeLockedError):
        safe.seal_to([identity().recipient()])
    # What one member opens is not open for others by that: their second factor is not checked yet.
    assert safe.read_with(member) == keys
    assert not safe.is_open
    safe.keep(keys)
    assert safe.keys == keys


def test_open_keys_serve_everybody(folder: Path, keys: OfficeKeys) -> None:
    safe = OfficeSafe(folder)
    safe.keep(keys)
    assert safe.read_with(identity()) == keys


def test_forgotten_keys_are_gone_from_disk_and_memory(folder: Path, keys: OfficeKeys) -> None:
    member = identity()
    safe = OfficeSafe(folder)
    safe.write(keys, [member.recipient()])
    safe.keep(keys)
    safe.forget()
    safe.forget()
    assert not safe.is_open
    assert list(folder.iterdir()) == []
    with pytest.raises(OfficeKeysLostError):
        safe.read_with(member)


def test_who_is_no_recipient_any_more_opens_nothing(folder: Path, keys: OfficeKeys) -> None:
    stays, leaves = identity(), identity()
    safe = OfficeSafe(folder)
    safe.keep(keys)
    safe.seal_to([stays.recipient(), leaves.recipient()])
    safe.seal_to([stays.recipient()])
    with pytest.raises(NotARecipientError):
        open_sealed((folder / "office.age").read_bytes(), [leaves])
    assert OfficeSafe(folder).read_with(stays) == keys


def test_nothing_is_written_for_the_same_members(folder: Path, keys: OfficeKeys) -> None:
    one, other = identity().recipient(), identity().recipient()
    safe = OfficeSafe(folder)
    safe.keep(keys)
    safe.seal_to([one, other])
    before = (folder / "office.age").read_bytes()
    safe.seal_to([other, one])
    assert (folder / "office.age").read_bytes() == before
    safe.seal_to([one])
    assert (folder / "office.age").read_bytes() != before


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"age-encryption.org/v1\n", "cut", "other", "folder"])
def test_what_is_no_such_file_is_lost(folder: Path, keys: OfficeKeys, content: bytes | str | None) -> None:
    member = identity()
    OfficeSafe(folder).write(keys, [member.recipient()])
    path = folder / "office.age"
    whole = path.read_bytes()
    path.unlink()
    if content == "folder":
        path.mkdir()
    elif content == "cut":
        path.write_bytes(whole[:-1])
    elif content == "other":
        path.write_bytes(seal(b"sealed to the member, but no keys", [member.recipient()]))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(OfficeKeysLostError):
        OfficeSafe(folder).read_with(member)
    assert OfficeSafe(folder, member).read_at_start() is None


def test_a_start_identity_opens_what_is_sealed_to_it(folder: Path, keys: OfficeKeys) -> None:
    start, member = identity(), identity()
    safe = OfficeSafe(folder, start)
    assert safe.read_at_start() is None
    safe.write(keys, [member.recipient()])
    assert OfficeSafe(folder, start).read_at_start() == keys
    # Without it, or with another one, the office waits for a member.
    for other in (None, identity()):
        closed = OfficeSafe(folder, other)
        assert closed.read_at_start() is None
        assert closed.read_with(member) == keys


async def test_a_start_identity_that_is_set_later_opens_from_the_next_login_on(
    database: Database, tmp_path: Path, world: World
) -> None:
    start = identity()
    safe = OfficeSafe(tmp_path / "secrets", start)
    with database.use():
        await open_at_start(safe)
        assert not safe.is_open
        await open_office(safe, await read_office(safe, world["amina"].identity))
        again = OfficeSafe(tmp_path / "secrets", start)
        await open_at_start(again)
    assert again.keys == safe.keys


async def test_a_login_seals_to_the_members_of_the_charter_alone(
    database: Database, tmp_path: Path, world: World
) -> None:
    """Also where the office was open before: by its start identity."""
    start, former = identity(), identity()
    safe = OfficeSafe(tmp_path / "secrets", start)
    keys = safe.read_with(world["amina"].identity)
    safe.write(keys, [person.identity.recipient() for person in world.people] + [former.recipient()])
    safe = OfficeSafe(tmp_path / "secrets", start)
    with database.use():
        await open_at_start(safe)
        assert safe.is_open
        await open_office(safe, safe.read_with(world["amina"].identity))
        members = (await current_charter()).members
    assert [person.identity.recipient() for person in world.people] == [member.recipient for member in members]
    for person in world.people:
        assert OfficeSafe(tmp_path / "secrets").read_with(person.identity) == keys
    with pytest.raises(OfficeKeysLostError):
        OfficeSafe(tmp_path / "secrets").read_with(former)


async def test_a_full_disk_stops_nobody_from_opening_the_office(
    database: Database, tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    safe = OfficeSafe(tmp_path / "secrets")
    before = (tmp_path / "secrets" / "office.age").read_bytes()
    with monkeypatch.context() as patch, database.use():
        patch.setattr("oversight.commission.keys.write_secret_file", full)
        await open_office(safe, safe.read_with(world["amina"].identity))
    assert safe.is_open
    assert (tmp_path / "secrets" / "office.age").read_bytes() == before
    with database.use():
        await open_office(safe, safe.keys)
    assert (tmp_path / "secrets" / "office.age").read_bytes() != before


PQ = "AGE-SECRET-KEY-PQ-1"


@pytest.mark.parametrize(
    "case", ["missing", "folder", "empty", "comment", "garbage", "two", "classic", "bytes", "long"]
)
def test_a_start_key_that_can_not_be_used_is_one_clear_line(tmp_path: Path, case: str) -> None:
    path = tmp_path / "start.key"
    one = str(identity())
    contents = {
        "empty": b"",
        "comment": b"# nothing\n",
        "garbage": b"no identity\n",
        "two": f"{one}\n{identity()}\n".encode(),
        "classic": b"AGE-SECRET-KEY-1" + b"Q" * 58 + b"\n",
        "bytes": b"\xff\xfe\x00",
        "long": b"x" * 5_000_000,
    }
    if case == "folder":
        path.mkdir()
    elif case in contents:
        path.write_bytes(contents[case])
    with pytest.raises(SettingsError, match=r"^OVERSIGHT_START_KEY [^\n]{10,80}$") as error:
        load_start_identity(path)
    assert PQ + one[len(PQ) :][:20] not in str(error.value)


def test_a_start_key_is_read_as_the_command_writes_it(tmp_path: Path) -> None:
    start = identity()
    path = tmp_path / "start.key"
    path.write_text(f"# created\n# public key: {start.recipient()}\n{start}\n")
    loaded = load_start_identity(path)
    assert loaded is not None
    assert loaded.recipient() == start.recipient()
    assert load_start_identity(None) is None


def test_a_limit_is_no_crash(folder: Path, keys: OfficeKeys) -> None:
    """More members than an age file has stanzas for can't be; the error is ours."""
    with pytest.raises(LimitError):
        OfficeSafe(folder).write(keys, [identity().recipient()] * 300)
