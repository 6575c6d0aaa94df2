# SPDX-License-Identifier: AGPL-3.0-or-later
"""``backup``, ``restore`` and ``exercise`` of the portal, as its operator gives them, beside a portal that runs."""

import asyncio
import sqlite3
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from crypto.age import PqIdentity, open_sealed, seal
from crypto.submission import SealedSubmission
from portal.__main__ import main
from portal.storage.blobs import PART_BYTES
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

FILE_BYTES = 20_000


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
def operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Operator]:
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
