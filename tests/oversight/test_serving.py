# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office as a process: how it starts, what it says, how it ends."""

import asyncio
import stat
from pathlib import Path

import httpx
import pyotp
import pytest

from crypto.age import PqIdentity
from oversight.commission.keys import OfficeSafe
from oversight.storage import Database
from tests.chance import fresh_bytes
from tests.oversight.founding.party import read_paper
from tests.people import found_test_commission, settle_office
from tests.servers import Program, free_port
from tests.waiting import SECONDS_MAX


def office_alone(folder: Path, static: Path) -> Program:
    port = free_port()
    settings = {"OVERSIGHT_DATA": str(folder / "office"), "OVERSIGHT_PORT": str(port), "OVERSIGHT_STATIC": str(static)}
    return Program("oversight", port, settings, folder / "office.log")


def read_lines(office: Program) -> list[str]:
    """What the office has printed."""
    return office.log.read_text().splitlines()


def test_serving_prints_the_setup_link_and_nothing_about_requests_and_leaves_no_core(
    tmp_path: Path, static_folder: Path
) -> None:
    office = office_alone(tmp_path, static_folder)
    office.start()
    try:
        with httpx.Client(base_url=office.origin, trust_env=False, timeout=SECONDS_MAX) as client:
            for path in ("/found", "/no-such-page-canary", "/login?next=canary", "/join/canary"):
                client.get(path, headers={"user-agent": "canary"})
            first, link = read_lines(office)
            assert (
                first == "There is no commission yet. Whoever opens this link makes the first account and founds one:"
            )
            assert link.strip().startswith(f"{office.origin}/join/")
            page = client.get(link.strip()).text
            paper = read_paper(page)
            code = pyotp.TOTP(paper.secret).now()
            words = {"offered": paper.passphrase, "new": paper.passphrase, "again": paper.passphrase}
            form = {"member": "Amina", "label": "amina", "secret": paper.secret, "code": code, "locale": "en", **words}
            answer = client.post(link.strip(), data=form, headers={"origin": office.origin})
            assert answer.headers["location"] == "/found?joined"
            assert client.get("/found").status_code == 200
        limits = Path(f"/proc/{office.pid}/limits").read_text()
        assert ["Max", "core", "file", "size", "0", "0", "bytes"] in [line.split() for line in limits.splitlines()]
        files = [path for path in (tmp_path / "office").rglob("*") if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert [path.name for path in files if path.parent.name == "secrets"] == ["office.age"]
        token = link.strip().rpartition("/")[2]
        for secret in (token, paper.passphrase, paper.secret):
            assert [path for path in files if secret.encode() in path.read_bytes()] == []
    finally:
        office.stop()
    assert len(read_lines(office)) == 2
    office.start()
    office.stop()
    assert read_lines(office)[2:] == [f"A founding is under way. Log in at {office.origin}/login to go on."]


def test_a_founded_office_says_whether_it_waits_for_a_member(tmp_path: Path, static_folder: Path) -> None:
    world = found_test_commission()
    start = PqIdentity.from_seed(fresh_bytes(32))
    (tmp_path / "start.key").write_text(f"{start}\n")
    office = office_alone(tmp_path, static_folder)

    async def settle() -> None:
        database = await Database.open(f"sqlite://{tmp_path / 'office' / 'office.sqlite3'}")
        with database.use():
            await settle_office(world, tmp_path / "office" / "secrets")
        await database.close()

    asyncio.run(settle())
    office.start()
    office.stop()
    closed = "The office's own keys are closed until a member logs in. Until then nothing is collected."
    assert read_lines(office) == [closed]
    office.settings = {**office.settings, "OVERSIGHT_START_KEY": str(tmp_path / "start.key")}
    office.start()
    office.stop()
    assert read_lines(office)[1:] == [
        closed,
        "OVERSIGHT_START_KEY does not open them yet. After that login it does at every start.",
    ]
    sealed = tmp_path / "office" / "secrets" / "office.age"
    sealed.rename(tmp_path / "kept")
    with pytest.raises(AssertionError, match=r"^oversight: secrets/office\.age is missing, [^\n]+\n"):
        office.run("serve")
    (tmp_path / "kept").rename(sealed)
    safe = OfficeSafe(tmp_path / "office" / "secrets", start)
    safe.write(safe.read_with(world["amina"].identity), [person.identity.recipient() for person in world.people])
    office.start()
    office.stop()
    assert len(read_lines(office)) == 3


def test_the_office_says_in_one_line_what_is_missing(tmp_path: Path, static_folder: Path) -> None:
    office = office_alone(tmp_path, static_folder)
    office.settings = {**office.settings, "OVERSIGHT_STATIC": str(tmp_path / "none")}
    try:
        office.run("serve")
    except AssertionError as error:
        message = str(error)
    assert "build the scripts first" in message
    assert "Traceback" not in message


def test_a_start_key_that_can_not_be_used_is_one_line(tmp_path: Path, static_folder: Path) -> None:
    office = office_alone(tmp_path, static_folder)
    office.settings = {**office.settings, "OVERSIGHT_START_KEY": str(tmp_path / "none")}
    with pytest.raises(AssertionError, match=r"^oversight: OVERSIGHT_START_KEY can't be read: [^\n]+\n"):
        office.run("serve")


def test_data_of_an_earlier_version_is_one_line_and_is_left_as_it_is(tmp_path: Path, static_folder: Path) -> None:
    office = office_alone(tmp_path, static_folder)
    secrets = tmp_path / "office" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "office.key").write_text("in the clear")
    for command in ("serve", "start-over"):
        with pytest.raises(AssertionError, match=r"^oversight: [^\n]+office\.key is of an earlier version, [^\n]+\n"):
            office.run(command)
    assert [path.name for path in (tmp_path / "office").rglob("*")] == ["secrets", "office.key"]


def test_storage_that_can_not_be_opened_is_one_line(tmp_path: Path, static_folder: Path) -> None:
    office = office_alone(tmp_path, static_folder)
    (tmp_path / "office").write_text("no folder")
    with pytest.raises(AssertionError, match=r"^oversight: [^\n]*office[^\n]*\n"):
        office.run("serve")
    (tmp_path / "office").unlink()
    office.settings = {**office.settings, "OVERSIGHT_DATABASE": f"postgresql://nobody@127.0.0.1:{free_port()}/none"}
    with pytest.raises(AssertionError, match=r"^oversight: the database can't be opened[^\n]*\n"):
        office.run("serve")
