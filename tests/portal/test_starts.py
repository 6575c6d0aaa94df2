# SPDX-License-Identifier: AGPL-3.0-or-later
"""A start that fails: one line on standard error, and exit status 1; with one process and with several."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.postgres import Postgres
from tests.servers import Program, office_program, portal_program
from tests.waiting import SECONDS_MAX, wait_until


def serve(program: Program) -> tuple[int, list[str]]:
    return give(program, "serve")


def give(program: Program, command: str) -> tuple[int, list[str]]:
    """The exit status of a command that fails, and the lines of its standard error."""
    done = subprocess.run(
        [sys.executable, "-m", program.module, command],
        env=program.environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.fixture(params=[1, 2])
def portal(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Program]:
    with postgres.database() as url:
        workers = str(request.param)
        running = portal_program(
            tmp_path, PORTAL_DATABASE=url, PORTAL_WORKERS=workers, PORTAL_STATIC="/nothing", PORTAL_ORIGIN="http://x"
        )
        yield running
        running.kill()


def test_a_port_that_is_taken(portal: Program) -> None:
    with socket.create_server(("127.0.0.1", portal.port)):
        taken = f"portal: can't listen at port {portal.port} of 127.0.0.1: Address already in use"
        assert serve(portal) == (1, [taken])
    portal.start()


def test_a_database_of_a_later_version(portal: Program) -> None:
    portal.start()
    portal.stop()
    asyncio.run(record_step(portal.settings["PORTAL_DATABASE"]))
    assert serve(portal) == (1, ["portal: the database is one of a later version of this program"])
    assert "failed  database" in portal.run("check", status=1)


async def record_step(url: str) -> None:
    """What a later version of the program leaves in the database."""
    connection = await asyncpg.connect(url.replace("asyncpg", "postgresql"))
    step = "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('portal', '9999_later', now())"
    await connection.execute(step)
    await connection.close()


def test_the_office_says_that_its_port_is_taken(tmp_path: Path) -> None:
    office = office_program(tmp_path, portal_program(tmp_path))
    with socket.create_server(("127.0.0.1", office.port)):
        taken = f"oversight: can't listen at port {office.port} of 127.0.0.1: Address already in use"
        assert serve(office) == (1, [taken])


def test_a_key_that_is_none_and_blobs_that_are_no_folder(portal: Program) -> None:
    secrets = Path(portal.settings["PORTAL_DATA"]) / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "decoy.key").write_bytes(b"half")
    assert serve(portal) == (1, ["portal: decoy.key does not hold 32 bytes"])
    (secrets / "decoy.key").unlink()
    (secrets.parent / "blobs").touch()
    status, [line] = serve(portal)
    assert status == 1
    assert line.startswith("portal: ") and "blobs" in line


def test_a_portal_of_which_the_main_process_is_killed_leaves_nobody_at_its_port(portal: Program) -> None:
    portal.start()
    children = Path(f"/proc/{portal.pid}/task/{portal.pid}/children")
    os.kill(portal.pid, signal.SIGSTOP)
    left = [int(each) for each in children.read_text().split()]
    portal.kill()
    wait_until(lambda: not any(_lives(each) for each in left), "the others have ended")


def _lives(process: int) -> bool:
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


@dataclass(frozen=True)
class Side:
    """A program of its own folder, the file of its database, and a secret that it makes once it has one."""

    program: Program
    database: str
    secret: str

    @property
    def data(self) -> Path:
        return Path(self.program.settings[f"{self.program.module.upper()}_DATA"])


@pytest.fixture(params=["portal", "oversight"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    portal = portal_program(tmp_path)
    if request.param == "portal":
        return Side(portal, "portal.sqlite3", "signing.key")
    return Side(office_program(tmp_path, portal), "office.sqlite3", "office.age")


@pytest.mark.parametrize("command", ["serve", "check"])
def test_in_a_folder_that_a_killed_restore_left_nothing_is_begun(side: Side, command: str) -> None:
    (side.data / ".restoring" / "secrets").mkdir(parents=True)
    status, [line] = give(side.program, command)
    assert (status, "restore" in line) == (1, True)
    assert [each.name for each in side.data.iterdir()] == [".restoring"]


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_database_that_is_lost_is_not_begun_anew(side: Side, command: str, how: str) -> None:
    secret, database = side.data / "secrets" / side.secret, side.data / side.database
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"x" * 32)
    if how == "empty":
        database.touch()
    status, [line] = give(side.program, command)
    assert (status, f"{database} is lost" in line) == (1, True)
    assert not database.exists() or not database.stat().st_size
