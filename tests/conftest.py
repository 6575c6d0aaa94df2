# SPDX-License-Identifier: AGPL-3.0-or-later
"""What tests share: databases of both kinds, the folder of vectors, a Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres, start_postgres
from tests.servers import Program, portal_program, post_test_charter

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own on loopback, for the session."""
    server = start_postgres()
    if isinstance(server, str):
        pytest.skip(server)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path / 'test.sqlite3'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


def find_chromium() -> str:
    """The path of a Chromium: AMPARO_CHROMIUM, or one on the path. `make test` sees to it that there is one."""
    for candidate in (os.environ.get("AMPARO_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(candidate) if candidate else None
        if found:
            return found
    raise RuntimeError("no Chromium found: set AMPARO_CHROMIUM, or run `make test`, which installs one")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    return find_chromium()


@pytest.fixture(scope="session")
def portal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A portal as a process, on which the test commission is founded."""
    portal = portal_program(tmp_path_factory.mktemp("portal"), PORTAL_LEAVE_URL="about:blank")
    portal.start()
    try:
        post_test_charter(portal)
        yield portal
    finally:
        portal.stop()
