# SPDX-License-Identifier: AGPL-3.0-or-later
"""``backup`` of the portal, as its operator gives it, beside a portal that runs; and that all of it comes back."""

import asyncio
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from portal.backup import PortalBlobs
from portal.kit.backup import FREE_BYTES_LEFT
from portal.storage.blobs import PART_BYTES
from portal.storage.open_blobs import open_blobs
from portal.storage.records import SubmissionRecord
from tests.chance import fresh_id
from tests.conftest import ROOT
from tests.portal.operators import (
    FILE_BYTES,
    Operator,
    all_files,
    left_over,
    opened,
    submit,
    with_a_backup,
)
from tests.portal.storage.object_store import ObjectStore
from tests.portal.world import (
    RunningPortal,
    fresh_report,
    fresh_secrets,
    in_mailbox,
    running_portal,
    sealed_report,
)
from tests.postgres import Postgres
from tests.waiting import until

ATTEMPTS_MAX = 20


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


async def test_nonces_of_offices_are_not_in_it(portal: RunningPortal, operator: Operator) -> None:
    await portal.office("GET", "/submissions?after=0")
    with closing(sqlite3.connect(portal.data / "portal.sqlite3")) as live:
        [nonces] = [row[0] for row in live.execute("SELECT nonce FROM nonce")]
    await with_a_backup(portal, operator)
    assert nonces.encode() not in opened(operator)["portal.sqlite3"]


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
