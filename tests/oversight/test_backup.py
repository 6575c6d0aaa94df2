# SPDX-License-Identifier: AGPL-3.0-or-later
"""``backup``, ``restore`` and ``exercise`` of the office, as real processes beside an office that runs."""

import asyncio
import os
import sqlite3
import sys
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pytest

from crypto.age import PqIdentity, open_sealed
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.members.records import FailedLoginRecord, KnownBrowserRecord, SessionRecord
from oversight.reports.records import SealedFileRecord
from oversight.settings import Settings
from oversight.storage import Database
from tests.conftest import ROOT
from tests.oversight.office import OFFICE_ORIGIN, Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import STORY, Wire, attachment, sealed_report
from tests.people import PORTAL_ORIGIN
from tests.postgres import Postgres

NOTE = b"note" * 5000
MEMBER = "bruno"


@dataclass(frozen=True)
class Operator:
    """Gives commands with the settings of one office."""

    folder: Path
    identity: PqIdentity

    @property
    def file(self) -> Path:
        return self.folder / "backup.age"

    async def give(self, settings: Settings, command: str) -> tuple[int, str]:
        """The status, and all that was printed."""
        key = self.folder / "identity"
        key.write_text(str(self.identity))
        option = ["--recipient", str(self.identity.recipient())] if command == "backup" else ["--identity", str(key)]
        given = {"OVERSIGHT_DATA": str(settings.data), "OVERSIGHT_DATABASE": settings.database}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "oversight", command, *option, str(self.file)),
            env={**os.environ, **given},
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    def opened(self) -> dict[str, bytes]:
        with tarfile.open(fileobj=BytesIO(open_sealed(self.file.read_bytes(), [self.identity]))) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path, PqIdentity.generate())


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    """An office on each kind of database in turn."""
    data = tmp_path / "office"
    return Settings(
        data=data, database=database_url, origin=OFFICE_ORIGIN, static=static_folder, portal_url=PORTAL_ORIGIN
    )


@pytest.fixture
def second(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The settings of an office on an empty place of the same kind."""
    place = replace(settings, data=tmp_path / "second", database="")
    if settings.database.startswith("sqlite"):
        yield place
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield replace(place, database=url)


@pytest.fixture
async def report(office: Office) -> str:
    """The path of a report with a file, which the office has collected."""
    portal = PortalSimulator()
    sealed = sealed_report(office.world, attachments=[attachment(NOTE)])
    portal.add(sealed)
    await Wire(office, portal.transport()).collect()
    return f"/reports/{sealed.manifest.submission}"


@asynccontextmanager
async def running(settings: Settings, like: Office) -> AsyncIterator[Office]:
    app = create_app(settings, like.clock, parameters=MINIMUM)
    async with app.router.lifespan_context(app):
        office = Office(app, settings, like.clock, app.state.database, like.world)
        yield office
        for client in office.browsers:
            await client.aclose()


async def test_members_read_in_a_restored_office_and_no_session_came_along(
    office: Office, report: str, operator: Operator, second: Settings
) -> None:
    browser = await office.browser_of(MEMBER)
    await office.browser().log_in(office.world["chiara"], code="000000")
    with office.database.use():
        session = await SessionRecord.get()
        assert await FailedLoginRecord.all().count() == 1
    status, said = await operator.give(office.settings, "backup")
    assert (status, "1 rows of reports" in said) == (0, True), said
    stored = operator.opened()
    assert not any(bytes(session.keyring) in data or session.id_hash.encode() in data for data in stored.values())
    status, said = await operator.give(office.settings, "exercise")
    assert status == 0, said
    status, said = await operator.give(second, "restore")
    assert status == 0, said
    async with running(second, office) as restored:
        with restored.database.use():
            counts = [await table.all().count() for table in (SessionRecord, FailedLoginRecord, KnownBrowserRecord)]
        assert counts == [0, 0, 1]
        other = await restored.browser_of(MEMBER)
        assert STORY in (await other.get(report)).text
        assert (await other.get(f"{report}/files/1")).content == NOTE
        for name, value in browser.client.cookies.items():
            other.client.cookies.set(name, value)
        assert (await other.get(report)).status_code == 303


async def test_an_exercise_says_which_file_is_not_what_its_row_says(
    office: Office, report: str, operator: Operator
) -> None:
    [blob] = (office.settings.data / "blobs").rglob("attachment-1.age")
    blob.write_bytes(bytes(blob.stat().st_size))
    status, said = await operator.give(office.settings, "backup")
    assert (status, f"lost: blobs{report.removeprefix('/reports')}/attachment-1.age" in said) == (1, True)
    status, said = await operator.give(office.settings, "exercise")
    assert (status, f"wrong: blobs{report.removeprefix('/reports')}/attachment-1.age" in said) == (1, True)
    with office.database.use():
        await SealedFileRecord.filter(name="report.age").update(sealed=b"damaged")
    operator.file.unlink()
    assert (await operator.give(office.settings, "backup"))[0] == 1
    status, said = await operator.give(office.settings, "exercise")
    assert (status, "the file in row" in said) == (1, True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_start_identity_stays_where_it_is_and_no_deleted_row_goes_along(
    office: Office, operator: Operator
) -> None:
    start = PqIdentity.generate()
    (office.settings.secrets / "start.key").write_text(str(start))
    await office.browser_of(MEMBER)
    with office.database.use():
        session = await SessionRecord.get()
    assert (await operator.give(office.settings, "backup"))[0] == 0
    stored = operator.opened()
    assert [*stored] == ["backup.json", "office.sqlite3", "secrets/office.age", "contents.json"]
    assert bytes(session.keyring)[:60] not in stored["office.sqlite3"]
    copy = operator.folder / "copy.sqlite3"
    copy.write_bytes(stored["office.sqlite3"])
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT count(*) FROM session").fetchone() == (0,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_office_without_its_keys_or_with_a_lost_file_says_so(
    office: Office, report: str, operator: Operator, second: Settings
) -> None:
    [blob] = (office.settings.data / "blobs").rglob("attachment-1.age")
    blob.unlink()
    status, said = await operator.give(office.settings, "backup")
    assert (status, "the store is away" in said) == (1, True)
    (office.settings.secrets / "office.age").write_bytes(b"")
    status, said = await operator.give(office.settings, "backup")
    assert (status, "office.age is damaged" in said, len(said.splitlines())) == (1, True, 1)
    (office.settings.secrets / "office.age").unlink()
    status, said = await operator.give(office.settings, "backup")
    assert (status, "office.age" in said, len(said.splitlines())) == (1, True, 1)
    assert not operator.file.exists()
    assert sorted(path.name for path in operator.folder.glob("backup.age*")) == []
    operator.file.write_bytes(b"age-encryption.org/v1\n")
    status, said = await operator.give(second, "restore")
    assert (status, len(said.splitlines()), second.data.exists()) == (1, 1, False)


async def test_a_database_of_another_program_is_no_office(office: Office, operator: Operator, tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite3"
    sqlite3.connect(empty).close()
    status, said = await operator.give(replace(office.settings, database=f"sqlite://{empty}"), "backup")
    assert (status, "can't be read" in said, len(said.splitlines())) == (1, True, 1)
    assert isinstance(office.database, Database)
