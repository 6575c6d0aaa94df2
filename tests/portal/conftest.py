# SPDX-License-Identifier: AGPL-3.0-or-later
"""A running portal for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from crypto.age import PqIdentity
from tests.portal.operators import Operator
from tests.portal.storage.object_store import ObjectStore, start_object_store
from tests.portal.world import RunningPortal, running_portal
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def portal(tmp_path: Path) -> AsyncIterator[RunningPortal]:
    async with running_portal(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def portal_on(tmp_path: Path, database_url: str) -> AsyncIterator[RunningPortal]:
    """A running portal on each kind of database in turn."""
    async with running_portal(tmp_path, database_url) as running:
        yield running


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 store of our own on loopback, for the session."""
    store = start_object_store(tmp_path_factory.mktemp("objects"))
    if isinstance(store, str):
        pytest.skip(store)
    yield store
    store.stop()


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
