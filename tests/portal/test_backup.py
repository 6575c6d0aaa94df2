# SPDX-License-Identifier: AGPL-3.0-or-later
"""``backup``, ``restore`` and ``exercise`` of the portal, as its operator gives them, beside a portal that runs."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random
from typing import BinaryIO

import pytest

from crypto.age import PqIdentity, open_sealed, seal
from crypto.submission import SealedSubmission
from portal.__main__ import main
from portal.backup import PortalBlobs
from portal.kit.backup import FREE_BYTES_LEFT
from portal.kit.backup_form import Readable
from portal.storage.blobs import PART_BYTES
from portal.storage.open_blobs import open_blobs
from portal.storage.records import SubmissionRecord
from tests.chance import fresh_id
from tests.conftest import ROOT
from tests.people import PORTAL_ORIGIN
from tests.portal.storage.object_store import ObjectStore
from tests.portal.world import (
    RunningPortal,
    bundle_without_attachments,
    fresh_report,
    fresh_secrets,
    in_mailbox,
    running_portal,
    sealed_report,
)
from tests.postgres import Postgres
from tests.waiting import until

FILE_BYTES = 20_000
ATTEMPTS_MAX = 20


@dataclass
class Operator:
    """Gives commands with the settings of one portal, and keeps the identity off it."""

    folder: Path
    identity: PqIdentity
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def file(self) -> Path:
        return self.folder / "backup.age"

    def settings(self, data: Path, database: str = "", **more: str) -> None:
        given = {"PORTAL_ORIGIN": PORTAL_ORIGIN, "PORTAL_DATA": str(data), "PORTAL_DATABASE": database, **more}
        for name, value in given.items():
            self.patch.setenv(name, value)

    async def give(self, command: str, file: Path | None = None, identity: PqIdentity | None = None) -> tuple[int, str]:
        """The status, and all that was printed."""
        key = self.folder / "identity"
        key.write_text(str(identity or self.identity))
        option = ["--recipient", str(self.identity.recipient())] if command == "backup" else ["--identity", str(key)]
        self.capture.readouterr()
        status = await asyncio.to_thread(main, [command, *option, str(file or self.file)])
        said = self.capture.readouterr()
        if status:
            assert len(said.err.splitlines()) <= 1, said.err
        return status, said.out + said.err


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Operator]:
    yield Operator(tmp_path, PqIdentity.generate(), monkeypatch, capsys)


@pytest.fixture
def second_url(request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """Another empty database of the same kind."""
    if database_url.startswith("sqlite"):
        yield ""
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


async def submit(portal: RunningPortal, sealed: SealedSubmission) -> None:
    await portal.put_parts(sealed)
    answer = await portal.submit(bundle_without_attachments(sealed))
    assert answer.status_code in (200, 201), answer.text


def all_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_what_was_acknowledged_before_a_backup_is_there_after_a_restore_on_both_databases(
    portal_on: RunningPortal, operator: Operator, database_url: str, second_url: str, tmp_path: Path
) -> None:
    secrets = fresh_secrets()
    before = [fresh_report(FILE_BYTES), fresh_report(FILE_BYTES, PART_BYTES), in_mailbox(sealed_report(), secrets)]
    for sealed in before:
        await submit(portal_on, sealed)
    coming = asyncio.create_task(submit_more(portal_on))
    operator.settings(portal_on.data, database_url)
    status, said = await operator.give("backup")
    coming.cancel()
    assert status == 0, said
    assert operator.file.stat().st_mode & 0o777 == 0o600
    assert (await operator.give("exercise"))[0] == 0
    operator.settings(tmp_path / "second" / "data", second_url)
    status, said = await operator.give("restore")
    assert status == 0, said
    assert "check" in said
    data = tmp_path / "second" / "data"
    assert all((path.stat().st_mode & 0o777) == (0o700 if path.is_dir() else 0o600) for path in data.rglob("*"))
    async with running_portal(tmp_path / "second", second_url) as restored:
        assert (await restored.read_mailbox(secrets))["state"]
        assert (await restored.read_mailbox(secrets)) == (await portal_on.read_mailbox(secrets))
        for sealed in before:
            for file in sealed.manifest.files:
                path = f"/submissions/{sealed.manifest.submission}/files/{file.name}"
                answer = await restored.office("GET", path)
                assert answer.content == sealed.files[file.name]


async def submit_more(portal: RunningPortal) -> None:
    while True:
        await submit(portal, fresh_report(FILE_BYTES))


def opened(operator: Operator) -> dict[str, bytes]:
    """What the ordinary tools make of a backup: ``age -d | tar x``."""
    with tarfile.open(fileobj=BytesIO(open_sealed(operator.file.read_bytes(), [operator.identity]))) as tar:
        assert all(member.isreg() and member.mtime == 0 for member in tar)
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


async def with_a_backup(portal: RunningPortal, operator: Operator, *sizes: int) -> SealedSubmission:
    sealed = fresh_report(*sizes)
    await submit(portal, sealed)
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert status == 0, said
    return sealed


def reseal(operator: Operator, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    """Put another tar into the operator's file; anybody can seal to them."""
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        for member, data in members:
            writer.addfile(member, BytesIO(data))
    operator.file.write_bytes(seal(tar.getvalue(), [operator.identity.recipient()]))


def member(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def is_untouched(place: Path) -> bool:
    return not place.exists() or all_files(place) == []


async def refused(operator: Operator, place: Path, identity: PqIdentity | None = None) -> str:
    """What is said of a backup that is not restored; nothing is written."""
    operator.settings(place)
    status, said = await operator.give("restore", identity=identity)
    assert status == 1
    assert is_untouched(place)
    return said


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


async def test_nonces_of_offices_are_not_in_it(portal: RunningPortal, operator: Operator) -> None:
    await portal.office("GET", "/submissions?after=0")
    with closing(sqlite3.connect(portal.data / "portal.sqlite3")) as live:
        [nonces] = [row[0] for row in live.execute("SELECT nonce FROM nonce")]
    await with_a_backup(portal, operator)
    assert nonces.encode() not in opened(operator)["portal.sqlite3"]


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


async def test_a_copy_of_the_database_leaves_the_portal_its_room(
    portal: RunningPortal, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.kit.backup.free_bytes", lambda folder: FREE_BYTES_LEFT)
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert (status, "no room for a copy" in said, left_over(portal, operator)) == (1, True, [])


async def test_a_file_that_is_there_is_not_overwritten(portal: RunningPortal, operator: Operator) -> None:
    operator.file.write_bytes(b"the only one")
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert (status, "nothing is overwritten" in said) == (1, True)
    assert operator.file.read_bytes() == b"the only one"


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


async def test_what_expired_meanwhile_is_no_failure_and_what_is_lost_is(
    portal: RunningPortal, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, going, lost = fresh_report(FILE_BYTES), fresh_report(FILE_BYTES), fresh_report(FILE_BYTES)
    for sealed in (kept, going, lost):
        await submit(portal, sealed)

    async def swept(blobs: PortalBlobs, path: str) -> tuple[int, BinaryIO]:
        gone = portal.data / "blobs" / "parts" / going.manifest.submission
        if gone.exists():
            shutil.rmtree(gone)
            with closing(sqlite3.connect(portal.data / "portal.sqlite3")) as live, live:
                statement = "UPDATE submission SET deleted = 1 WHERE submission = ?"
                live.execute(statement, (going.manifest.submission,))
        return await read(blobs, path)

    read = PortalBlobs.open
    monkeypatch.setattr(PortalBlobs, "open", swept)
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert (status, "1 files expired" in said) == (0, True)
    status, said = await operator.give("exercise")
    assert status == 0, said
    shutil.rmtree(portal.data / "blobs" / "parts" / lost.manifest.submission)
    operator.file.unlink()
    status, said = await operator.give("backup")
    assert (status, f"lost: blobs/parts/{lost.manifest.submission}" in said) == (1, True)
    status, said = await operator.give("exercise")
    assert (status, f"wrong: blobs/parts/{lost.manifest.submission}" in said) == (1, True)
    shutil.rmtree(portal.data / "blobs" / "parts")
    operator.file.unlink()
    status, said = await operator.give("backup")
    assert (status, "the store is away" in said) == (1, True)
    assert left_over(portal, operator) == []


def left_over(portal: RunningPortal, operator: Operator) -> list[str]:
    """What a backup that failed has left: of itself, and of its snapshot."""
    beside = [path.name for path in operator.folder.iterdir() if path.name.startswith(operator.file.name)]
    return [*beside, *(name for name in all_files(portal.data) if "snapshot" in name)]


async def test_a_file_that_can_not_be_read_is_lost_and_the_others_are_kept(
    portal: RunningPortal, operator: Operator
) -> None:
    for sealed in (fresh_report(FILE_BYTES), bad := fresh_report(FILE_BYTES)):
        await submit(portal, sealed)
    [part] = (portal.data / "blobs" / "parts" / bad.manifest.submission / "attachment-1.age").iterdir()
    part.unlink()
    part.mkdir()
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert (status, f"lost: blobs/parts/{bad.manifest.submission}" in said) == (1, True)
    assert operator.file.exists()


async def test_the_files_of_a_row_that_can_not_be_read_are_lost_and_the_others_are_kept(
    portal: RunningPortal, operator: Operator, tmp_path: Path
) -> None:
    good, bad = fresh_report(FILE_BYTES), fresh_report(FILE_BYTES)
    for sealed in (good, bad):
        await submit(portal, sealed)
    with portal.database.use():
        await SubmissionRecord.filter(submission=bad.manifest.submission).update(parts=b"garbage")
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert (status, f"lost: blobs/parts/{bad.manifest.submission} " in said) == (1, True)
    operator.settings(tmp_path / "restored")
    status, said = await operator.give("restore")
    assert status == 0, said
    assert [path.name for path in (tmp_path / "restored" / "blobs" / "parts").iterdir()] == [good.manifest.submission]


@pytest.mark.parametrize("name", ["signing.key", "decoy.key", "realm"])
async def test_no_backup_is_made_with_a_secret_that_is_none(
    portal: RunningPortal, operator: Operator, name: str
) -> None:
    (portal.data / "secrets" / name).write_bytes(b"half")
    operator.settings(portal.data)
    status, said = await operator.give("backup")
    assert (status, f"{name} is damaged" in said, left_over(portal, operator)) == (1, True, [])


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


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_leaves_no_half_file(portal: RunningPortal, operator: Operator, small: Path) -> None:
    await submit(portal, fresh_report(PART_BYTES))
    operator.settings(portal.data)
    status, said = await operator.give("backup", small / "backup.age")
    assert (status, "No space left" in said) == (1, True)
    assert all_files(small) == []
    assert left_over(portal, operator) == []
    assert (await operator.give("backup"))[0] == 0
    operator.settings(small / "data")
    status, said = await operator.give("restore")
    assert (status, "no space left" in said, all_files(small)) == (1, True, [])


async def is_killed(operator: Operator, how: signal.Signals) -> bool:
    """Begin a backup and end it in the middle; whether it was not quicker. Whoever can say so does, in one line."""
    command = [sys.executable, "-m", "portal", "backup", "--recipient", str(operator.identity.recipient())]
    process = await asyncio.create_subprocess_exec(
        *command, str(operator.file), cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=_as_from_a_terminal
    )
    part = operator.file.with_name("backup.age.part")
    await until(lambda: (part.exists() and part.stat().st_size > 0) or process.returncode is not None, "it has begun")
    with suppress(ProcessLookupError):
        process.send_signal(how)
    _, said = await process.communicate()
    if process.returncode and how != signal.SIGKILL:
        ended = f"portal: ended by {how.name}; what was begun is removed\n"
        assert (process.returncode, said.decode()) == (1, ended)
    return process.returncode != 0


def _as_from_a_terminal() -> None:
    """Whoever runs the tests in the background ignores some of these."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_backup_that_is_killed_leaves_nothing_under_the_files_name_and_the_next_one_clears_up(
    portal: RunningPortal, operator: Operator, how: signal.Signals
) -> None:
    for _ in range(4):
        await submit(portal, fresh_report(4 * PART_BYTES))
    operator.settings(portal.data)
    for _ in range(ATTEMPTS_MAX):
        if await is_killed(operator, how):
            break
        # It was done sooner.
        operator.file.unlink()
    assert not operator.file.exists()
    if how != signal.SIGKILL:
        assert left_over(portal, operator) == []
    status, said = await operator.give("backup")
    assert status == 0, said
    assert left_over(portal, operator) == [operator.file.name]


async def test_parts_in_an_object_store_go_along_and_come_back(
    operator: Operator, tmp_path: Path, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    first, second = (f"s3://amparo/{fresh_id()}" for _ in range(2))
    sealed = fresh_report(FILE_BYTES)
    async with running_portal(tmp_path, blobs=open_blobs(first, 0)) as portal:
        await submit(portal, sealed)
    operator.settings(tmp_path / "data", PORTAL_BLOBS=first)
    assert (await operator.give("backup"))[0] == 0
    assert (await operator.give("exercise"))[0] == 0
    operator.settings(tmp_path / "second", PORTAL_BLOBS=first)
    status, said = await operator.give("restore")
    assert (status, "is not empty" in said) == (1, True)
    operator.settings(tmp_path / "second", PORTAL_BLOBS=second)
    assert (await operator.give("restore"))[0] == 0
    [part] = await open_blobs(second, 0).parts(sealed.manifest.submission)
    assert part.sha256 == hashlib.sha256(sealed.files["attachment-1.age"]).hexdigest()


async def test_no_password_of_the_database_is_on_a_command_line(
    operator: Operator, tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "programs").mkdir()
    dump = tmp_path / "programs" / "pg_dump"
    dump.write_text(f'#!/bin/sh\necho "$*" > {seen}\necho "$PGPASSWORD" >> {seen}\necho "pg_dump: no" >&2\nexit 1\n')
    dump.chmod(0o700)
    monkeypatch.setenv("PATH", f"{dump.parent}:{os.environ['PATH']}")
    with postgres.database() as url:
        async with running_portal(tmp_path, url):
            operator.settings(tmp_path / "data", url.replace("tester@", "tester:wombat7@"))
            status, said = await operator.give("backup")
    assert (status, "pg_dump: no" in said, "wombat7" in said) == (1, True, False)
    arguments, password = seen.read_text().splitlines()
    assert ("wombat7" in arguments, password) == (False, "wombat7")


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
