# SPDX-License-Identifier: AGPL-3.0-or-later
"""``check`` tells the truth of an office that has lost something, and ``serve`` refuses what nobody could work with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.age import PqIdentity
from oversight import check as checking
from oversight.check import check, refuse_to_serve
from oversight.commission.keys import OfficeSafe
from oversight.settings import Settings
from tests.chance import fresh_bytes
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, attachment, sealed_report
from tests.people import NOW, VALID_UNTIL

LAST_DAY = datetime.combine(VALID_UNTIL, datetime.min.time(), UTC)
Said = pytest.CaptureFixture[str]


async def looked_at(settings: Settings, said: Said, now: datetime = NOW) -> tuple[int, list[str]]:
    """The exit status, and the lines that don't say ok, of an office that asks no portal."""
    said.readouterr()
    status = await check(replace(settings, portal_url=""), now)
    return status, [line for line in said.readouterr().out.splitlines() if not line.startswith("ok ")]


async def test_all_is_well_before_the_founding(unfounded: Office, capsys: Said) -> None:
    assert await looked_at(unfounded.settings, capsys) == (0, [])


async def test_all_is_well_of_a_founded_office(office: Office, capsys: Said) -> None:
    assert await looked_at(office.settings, capsys) == (0, [])
    await refuse_to_serve(office.settings, NOW)


async def test_keys_that_are_gone_are_missed_and_nothing_is_served(office: Office, capsys: Said) -> None:
    (office.settings.secrets / "office.age").unlink()
    status, [line] = await looked_at(office.settings, capsys)
    assert status == 1
    assert line.startswith("failed  keys") and "office.age is missing" in line
    with pytest.raises(FileNotFoundError):
        await refuse_to_serve(office.settings, NOW)


@pytest.mark.parametrize("data", [b"", b"age-encryption.org/v1\n", bytes(500)])
async def test_keys_that_are_no_sealed_file_are_damaged(office: Office, capsys: Said, data: bytes) -> None:
    (office.settings.secrets / "office.age").write_bytes(data)
    status, [line] = await looked_at(office.settings, capsys)
    assert status == 1
    assert line.startswith("failed  keys") and "office.age is damaged" in line


async def test_keys_beside_a_database_without_accounts_are_never_replaced(
    office: Office, capsys: Said, tmp_path: Path
) -> None:
    other = replace(office.settings, database=f"sqlite://{tmp_path}/other.sqlite3")
    status, [line] = await looked_at(other, capsys)
    assert status == 1
    assert line.startswith("failed  keys") and "no account" in line
    with pytest.raises(FileExistsError):
        await refuse_to_serve(other, NOW)


async def test_a_start_key_that_opens_nothing_needs_somebody(office: Office, capsys: Said, tmp_path: Path) -> None:
    start = PqIdentity.from_seed(fresh_bytes(32))
    (tmp_path / "start.key").write_text(f"{start}\n")
    settings = replace(office.settings, start_key=str(tmp_path / "start.key"))
    status, [line] = await looked_at(settings, capsys)
    assert (status, line.split()[:2]) == (3, ["soon", "keys"])
    safe, members = OfficeSafe(settings.secrets, start), office.world.people
    safe.write(safe.read_with(members[0].identity), [person.identity.recipient() for person in members])
    assert await looked_at(settings, capsys) == (0, [])


async def test_attachments_that_are_gone_are_counted(office: Office, capsys: Said) -> None:
    portal = PortalSimulator()
    portal.add(sealed_report(office.world, attachments=[attachment(b"note" * 100)]))
    await Wire(office, portal.transport()).collect()
    assert await looked_at(office.settings, capsys) == (0, [])
    [kept] = (office.settings.data / "blobs").glob("*/attachment-1.age")
    kept.unlink()
    status, [line] = await looked_at(office.settings, capsys)
    assert status == 1
    assert line.startswith("failed  files") and "1 of 1 attachments" in line


async def test_a_portal_that_is_away_a_full_disk_and_the_end_of_the_charter_need_somebody(
    office: Office, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "free_bytes", lambda _: 2**20)
    assert await check(replace(office.settings, portal_url="http://127.0.0.1:1"), LAST_DAY - timedelta(days=42)) == 3
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("ok ")]
    assert [line.split()[:2] for line in lines] == [["soon", "disk"], ["soon", "portal"], ["soon", "charter"]]
    assert lines[-1] == f"soon    charter   demo-commission ends on {VALID_UNTIL}, in 42 days"
