# SPDX-License-Identifier: AGPL-3.0-or-later
"""A running portal for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

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
