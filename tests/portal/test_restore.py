# SPDX-License-Identifier: AGPL-3.0-or-later
"""``restore`` and ``exercise`` of the portal, as its operator gives them: of a backup that is whole, or is not one."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from crypto.age import PqIdentity
from portal.backup import PortalBlobs
from portal.kit.backup_form import Readable
from tests.portal.operators import (
    FILE_BYTES,
    Operator,
    all_files,
    member,
    opened,
    refused,
    reseal,
    submit,
    with_a_backup,
)
from tests.portal.world import (
    RunningPortal,
    fresh_report,
    running_portal,
)
from tests.postgres import Postgres


async def test_the_ordinary_tools_make_a_data_folder_of_it(portal: RunningPortal, operator: Operator) -> None:
    sealed = await with_a_backup(portal, operator, FILE_BYTES)
    found = opened(operator)
    assert next(iter(found)) == "backup.json"
    assert [*found][-1] == "contents.json"
    assert found["secrets/realm"] == (portal.data / "secrets" / "realm").read_bytes()
    blobs = [name for name in found if name.startswith("blobs/")]
    assert [found[name] for name in blobs] == [sealed.files["attachment-1.age"]]
    assert [(portal.data / name).read_bytes() for name in blobs] == [found[name] for name in blobs]
    assert found["portal.sqlite3"].startswith(b"SQLite format 3")


async def test_a_place_that_is_not_empty_is_refused(portal: RunningPortal, operator: Operator, tmp_path: Path) -> None:
    await with_a_backup(portal, operator)
    before = all_files(portal.data)
    status, said = await operator.give("restore")
    assert (status, "is not an empty folder" in said) == (1, True)
    assert all_files(portal.data) == before
    place, elsewhere = tmp_path / "second", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "portal.sqlite3").write_bytes(b"")
    operator.settings(place, f"sqlite://{elsewhere / 'portal.sqlite3'}")
    assert (await operator.give("restore"))[0] == 1
    assert all_files(elsewhere) == ["portal.sqlite3"]
    assert not place.exists()


async def test_a_database_and_blobs_of_their_own_places_come_back_there(
    portal: RunningPortal, operator: Operator, tmp_path: Path
) -> None:
    await with_a_backup(portal, operator, FILE_BYTES)
    places = {"database": f"sqlite://{tmp_path / 'rows' / 'file'}", "PORTAL_BLOBS": str(tmp_path / "files")}
    (tmp_path / "rows").mkdir()
    operator.settings(tmp_path / "second", **places)
    assert (await operator.give("restore"))[0] == 0
    assert all_files(tmp_path / "rows") == ["file"]
    assert len(all_files(tmp_path / "files")) == 1
    assert all_files(tmp_path / "second") == ["secrets/decoy.key", "secrets/realm", "secrets/signing.key"]


async def test_a_program_that_was_started_meanwhile_loses_nothing(
    portal: RunningPortal, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_a_backup(portal, operator, FILE_BYTES)
    place = tmp_path / "second"

    async def started(blobs: PortalBlobs, path: str, size: int, source: Readable) -> None:
        (place / "secrets").mkdir()
        (place / "secrets" / "signing.key").write_bytes(b"fresh")
        await put(blobs, path, size, source)

    put = PortalBlobs.put
    monkeypatch.setattr(PortalBlobs, "put", started)
    operator.settings(place)
    status, said = await operator.give("restore")
    assert (status, "stop the program" in said) == (1, True)
    assert all_files(place) == ["secrets/signing.key"]


async def test_a_second_restore_into_a_place_does_not_disturb_the_first(
    portal: RunningPortal, operator: Operator, tmp_path: Path
) -> None:
    operator.settings(portal.data)
    assert (await operator.give("backup"))[0] == 0
    first = tmp_path / "second" / ".restoring" / "portal.sqlite3.loading"
    first.parent.mkdir(parents=True)
    first.write_bytes(b"half")
    operator.settings(first.parent.parent)
    descriptor = os.open(first.parent.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    status, said = await operator.give("restore")
    assert (status, "another restore" in said, first.read_bytes()) == (1, True, b"half")
    os.close(descriptor)
    assert (await operator.give("restore"))[0] == 0


async def test_whatever_is_cut_off_or_altered_nothing_is_written(
    portal: RunningPortal, operator: Operator, tmp_path: Path, rng: Random
) -> None:
    await with_a_backup(portal, operator, FILE_BYTES)
    whole = operator.file.read_bytes()
    size = len(whole)
    chunk = 64 * 1024 + 16
    for cut in (0, 1, 100, 2000, size % chunk, size - chunk, size - 1, *(rng.randrange(size) for _ in range(6))):
        operator.file.write_bytes(whole[:cut])
        await refused(operator, tmp_path / "second")
    for place in (0, 30, 1500, size // 2, size - 1, *(rng.randrange(size) for _ in range(6))):
        altered = bytearray(whole)
        altered[place] ^= 1 << rng.randrange(8)
        operator.file.write_bytes(altered)
        await refused(operator, tmp_path / "second")
    operator.file.write_bytes(whole + b"\0")
    await refused(operator, tmp_path / "second")


async def test_a_backup_that_was_cut_before_it_was_sealed_is_refused(
    portal: RunningPortal, operator: Operator, tmp_path: Path
) -> None:
    await with_a_backup(portal, operator, FILE_BYTES)
    members = [member(name, data) for name, data in opened(operator).items()]
    for left in range(len(members)):
        reseal(operator, members[:left])
        await refused(operator, tmp_path / "second")
    info, data = members[-2]
    reseal(operator, [*members[:-2], (info, bytes(len(data))), members[-1]])
    assert "list of contents" in await refused(operator, tmp_path / "second")


async def test_a_backup_of_others_or_of_a_later_version_is_refused(
    portal: RunningPortal, operator: Operator, tmp_path: Path
) -> None:
    await with_a_backup(portal, operator)
    place = tmp_path / "second"
    assert "identities" in await refused(operator, place, PqIdentity.generate())
    found = opened(operator)
    head = found["backup.json"]
    for old, new, words in (
        (b'"portal"', b'"office"', "a backup of the 'office'"),
        (b"amparo/v1/backup", b"amparo/v2/backup", "later version"),
        (b'"migration":"0', b'"migration":"9', "later version"),
        (b'"sqlite"', b'"postgresql"', "lists"),
    ):
        assert old in head
        members = {**found, "backup.json": head.replace(old, new)}
        reseal(operator, [member(name, data) for name, data in members.items()])
        said = await refused(operator, place)
        assert words in said or words == "lists"


@pytest.mark.parametrize("name", ["/etc/cron", "../out", "blobs/../out", "blobs/parts/x", "secrets/start.key", "a\nb"])
async def test_a_file_that_has_no_place_in_a_backup_is_refused(
    portal: RunningPortal, operator: Operator, tmp_path: Path, name: str
) -> None:
    await with_a_backup(portal, operator)
    found = [member(name, data) for name, data in opened(operator).items()]
    reseal(operator, [*found[:-1], member(name, b"planted"), found[-1]])
    assert "holds" in await refused(operator, tmp_path / "place" / "second")
    assert not any(path.endswith("out") for path in all_files(tmp_path))


async def test_an_exercise_finds_a_report_that_is_not_what_its_manifest_names(
    portal: RunningPortal, operator: Operator
) -> None:
    await submit(portal, fresh_report(FILE_BYTES))
    with closing(sqlite3.connect(portal.data / "portal.sqlite3")) as live, live:
        live.execute("UPDATE submission SET report = zeroblob(length(report))")
    operator.settings(portal.data)
    assert (await operator.give("backup"))[0] == 0
    status, said = await operator.give("exercise")
    assert (status, "report.age" in said) == (1, True)


async def test_without_a_database_to_restore_to_an_exercise_says_so(
    operator: Operator, tmp_path: Path, postgres: Postgres
) -> None:
    with postgres.database() as url:
        async with running_portal(tmp_path, url):
            operator.settings(tmp_path / "data", url)
            assert (await operator.give("backup"))[0] == 0
    operator.settings(tmp_path / "data")
    status, said = await operator.give("exercise")
    assert (status, "name a server" in said) == (1, True)
    operator.settings(tmp_path / "data", url.replace("tester@", "nobody@"))
    status, said = await operator.give("exercise")
    assert (status, "can't be opened" in said) == (1, True)
