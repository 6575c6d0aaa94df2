# SPDX-License-Identifier: AGPL-3.0-or-later
"""A running portal for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.portal.storage.object_store import ObjectStore, start_object_store
from tests.portal.world import RunningPortal, running_portal


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
