# SPDX-License-Identifier: AGPL-3.0-or-later
"""What tests share: chance with a seed, databases of both kinds, a Chromium, a Firefox, a portal."""

import logging
import os
import shutil
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from random import Random

import hypothesis
import pytest

from crypto.receipt_code import derive
from portal.kit import compression
from tests.postgres import Postgres, start_postgres
from tests.servers import Program, portal_program, post_test_charter

ROOT = Path(__file__).resolve().parent.parent

# No deadline: a machine may be busy. No store of examples: the seed alone determines them. Each run draws others.
hypothesis.settings.register_profile("amparo", deadline=None, database=None, max_examples=60, print_blob=True)
hypothesis.settings.load_profile("amparo")


# The tests of these take longest, a minute and more: they start first, so that none is left alone at the end of a run
# while the other processes have nothing to do.
LONGEST = ("tests/endurance/", "tests/journeys/", "tests/oversight/test_damaged_rows", "tests/portal/test_damaged_rows")


def _seed(config: pytest.Config) -> int:
    """The seed of the run, of which order and inputs come."""
    return int(config.getoption("randomly_seed", default=0))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """pytest prints no header when it is quiet; the seed is printed all the same."""
    _print_seed(session.config)


def pytest_terminal_summary(exitstatus: int, config: pytest.Config) -> None:
    if exitstatus:
        _print_seed(config)


def _print_seed(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # The processes of pytest-xdist have no terminal.
    if reporter is not None:
        reporter.write_line(f"The same order and inputs again: --randomly-seed={_seed(config)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        function = getattr(item, "function", None)
        if function is not None and hypothesis.is_hypothesis_test(function):
            hypothesis.seed(_seed(config))(function)
    # Within both parts the order stays that of chance, which pytest-randomly made before.
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A program's own logging ends with its test: else later ones would write to a terminal that is closed."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    done = yield
    root.setLevel(level)
    root.handlers[:] = handlers
    return done


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """The source of a test's random inputs. The run's seed and the test's name make it."""
    return Random(f"{_seed(request.config)} {request.node.nodeid}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own on loopback, for the session."""
    server = start_postgres()
    if isinstance(server, str):
        pytest.skip(server)
    yield server
    server.stop()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL for one test, which may end it and bring it back."""
    server = start_postgres()
    if isinstance(server, str):
        pytest.skip(server)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path / 'test.sqlite3'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The URL of a database, of each kind in turn, for a program to open."""
    return empty_database_url


@pytest.fixture(scope="session", autouse=True)
def done_once() -> Iterator[None]:
    """Slow steps run once for the same input: keys from a receipt code, pages at the best compression."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crypto.submission.derive", cache(derive))
        patch.setattr("portal.kit.compression.compress_with_zopfli", cache(compression.compress_with_zopfli))
        patch.setattr("portal.kit.compression.brotli.compress", cache(compression.brotli.compress))
        yield


def find_chromium() -> str:
    """The path of a Chromium: AMPARO_CHROMIUM, or one on the path. `make test` sees to it that there is one."""
    return _find_browser("Chromium", "AMPARO_CHROMIUM", ("chromium", "chromium-browser", "google-chrome"))


def find_firefox() -> str:
    """The path of a Firefox: AMPARO_FIREFOX, or one on the path. `make test` sees to it that there is one."""
    return _find_browser("Firefox", "AMPARO_FIREFOX", ("firefox-esr", "firefox"))


def _find_browser(name: str, variable: str, programs: tuple[str, ...]) -> str:
    for candidate in (os.environ.get(variable), *programs):
        found = shutil.which(candidate) if candidate else None
        if found:
            return found
    raise RuntimeError(f"no {name} found: set {variable}, or run `make test`, which installs one")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    return find_chromium()


@pytest.fixture(scope="session")
def firefox() -> str:
    """The path of a Firefox."""
    return find_firefox()


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
