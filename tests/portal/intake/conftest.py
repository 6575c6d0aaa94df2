# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal with little room, and none that sweeps when a test does not mean it to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from portal.assembly import Assembly
from tests.portal.intake.filling import STORE_BYTES
from tests.portal.world import RunningPortal, running_portal


@pytest.fixture(autouse=True)
def no_sweep_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes during a count may count twice until the next one, and the first sweep begins with the program."""
    monkeypatch.setattr(Assembly, "_sweep_for_ever", lambda _: asyncio.sleep(0))


@pytest_asyncio.fixture
async def small(tmp_path: Path) -> AsyncIterator[RunningPortal]:
    """A portal that strangers may fill with 200 MiB."""
    async with running_portal(tmp_path, store_bytes=STORE_BYTES) as portal:
        portal.ask_for_no_work()
        yield portal
