# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office whose disk takes nothing more: members read, log in, and are told what is so."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tortoise.transactions import in_transaction

from oversight.reports import blobs
from oversight.settings import Settings
from oversight.web.full_disk import BALLAST_BYTES
from portal.kit.free_space import BALLAST
from tests.oversight.office import OFFICE_ORIGIN, Browser, Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, sealed_report
from tests.people import PORTAL_ORIGIN

BANNER = "The office’s disk is full"
WORDS = "They came on a Tuesday, and nobody has written down what I said since then."


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, empty_database: Path) -> Iterator[Settings]:
    """An office on a disk of 160 MiB."""
    folder = tmp_path / "office"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    shutil.copy(empty_database, folder)
    yield Settings(data=folder, origin=OFFICE_ORIGIN, static=static_folder, portal_url=PORTAL_ORIGIN)
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
async def report(office: Office, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a report that the office has collected, though its disk is small."""
    monkeypatch.setattr(blobs, "KEPT_FREE_BYTES", 0)
    portal = PortalSimulator()
    sealed = sealed_report(office.world)
    portal.add(sealed)
    await Wire(office, portal.transport()).collect()
    return f"/reports/{sealed.manifest.submission}"


def fill(office: Office) -> None:
    """Take every block that the disk has left, as another program would."""
    with (office.settings.data / "filler").open("ab") as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    os.write(file.fileno(), bytes(size))
            except OSError:
                continue


async def use_up_the_log(browser: Browser, report: str) -> None:
    """Write until even the room is gone that the database's log had left."""
    for number in range(200):
        answer = await browser.post(f"{report}/reply", language="en", body=f"{number} {WORDS}" * 200)
        if answer.status_code != 303:
            return
    raise AssertionError("the disk has room without end")


async def test_members_log_in_and_read_on_a_full_disk_with_the_room_of_the_ballast(office: Office, report: str) -> None:
    assert BANNER not in (await office.browser().get("/login")).text
    assert (office.settings.data / BALLAST).stat().st_size == BALLAST_BYTES
    fill(office)
    browser = await office.browser_of("bruno")
    for path in ("/queue", report, "/cases", "/account"):
        page = await browser.get(path)
        assert page.status_code == 200
        assert BANNER in page.text
    (office.settings.data / "filler").unlink()
    assert BANNER not in (await browser.get("/queue")).text
    assert (office.settings.data / BALLAST).exists()


async def test_members_read_when_nothing_at_all_can_be_written(office: Office, report: str) -> None:
    browser, other = await office.browser_of("bruno"), await office.browser_of("chiara")
    await browser.get("/queue")
    fill(office)
    await browser.get("/queue")
    fill(office)
    await use_up_the_log(browser, report)
    office.clock.forward(minutes=1)
    for reader in (browser, other):
        for path in ("/queue", report, "/cases", "/account"):
            assert (await reader.get(path)).status_code == 200
    answer = await browser.post(f"{report}/reply", language="en", body=WORDS * 200)
    assert answer.status_code == 507
    assert int(answer.headers["retry-after"]) > 0
    assert "The disk is full" in answer.text
    assert WORDS in answer.text
    login = await office.browser().log_in(office.world["daud"])
    assert login.status_code in (303, 507)
    assert office.world["daud"].passphrase not in login.text


async def test_a_database_that_can_only_be_read_is_read(office: Office, report: str) -> None:
    browser = await office.browser_of("bruno")
    with office.database.use():
        async with in_transaction() as client:
            await client.execute_script("PRAGMA query_only = ON")
    office.clock.forward(minutes=1)
    for path in ("/queue", report, "/cases"):
        assert (await browser.get(path)).status_code == 200
    answer = await browser.post(f"{report}/reply", language="en", body=WORDS)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "The disk takes nothing" in answer.text
    assert WORDS in answer.text
    login = await office.browser().log_in(office.world["chiara"])
    assert login.status_code == 503
    assert "Until then nobody can log in" in login.text
    assert office.world["chiara"].passphrase not in login.text


async def test_a_disk_that_fails_is_told_from_a_fault_of_the_program(
    office: Office, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    browser = await office.browser_of("bruno")
    monkeypatch.setattr("oversight.letters.reply_pages.save_draft", failing)
    answer = await browser.post(f"{report}/reply", language="en", body=WORDS)
    assert answer.status_code == 503
    assert "The disk fails" in answer.text
    assert "look before you send it again" in answer.text
    assert WORDS in answer.text
