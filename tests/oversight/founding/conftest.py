# SPDX-License-Identifier: AGPL-3.0-or-later
"""Foundings at several stages. What comes before a stage is done once, and its folders are copied."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oversight.settings import Settings
from tests.oversight.founding.party import Kept, Party, party_at, take_up
from tests.oversight.founding.stages import make_stages, office_settings
from tests.oversight.office import Clock
from tests.oversight.portals import Portal, running_portal


@pytest.fixture
async def party(settings: Settings, clock: Clock) -> AsyncIterator[Party]:
    """An office that has just been started for the first time. Its portal does not answer."""
    async with party_at(settings, clock) as party:
        yield party


@pytest.fixture(scope="session")
def first_portal(tmp_path_factory: pytest.TempPathFactory, static_folder: Path) -> Path:
    """The folder of a portal, so that every test's portal has the same key."""
    folder = tmp_path_factory.mktemp("first-portal")

    async def make() -> None:
        async with running_portal(folder, static_folder):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture(scope="session")
def stages(
    tmp_path_factory: pytest.TempPathFactory, static_folder: Path, empty_database: Path, first_portal: Path
) -> dict[str, Kept]:
    """``gathered``: all three have keys. ``laid-out``: the draft waits for signatures."""
    return asyncio.run(make_stages(tmp_path_factory.mktemp("stages"), static_folder, first_portal, empty_database))


@pytest.fixture
async def portal(tmp_path: Path, static_folder: Path, first_portal: Path) -> AsyncIterator[Portal]:
    shutil.copytree(first_portal, tmp_path / "portal")
    async with running_portal(tmp_path / "portal", static_folder) as portal:
        yield portal


@pytest.fixture
async def gathered(stages: dict[str, Kept], tmp_path: Path, static_folder: Path) -> AsyncIterator[Party]:
    """Amina, Bruno and Chiara have keys. The portal does not answer."""
    settings = office_settings(tmp_path, static_folder)
    async with take_up(stages["gathered"], settings, tmp_path / "gathered") as party:
        yield party


@pytest.fixture
async def laid_out(stages: dict[str, Kept], tmp_path: Path, static_folder: Path) -> AsyncIterator[Party]:
    """The draft is laid out: two of three governors have to sign. The portal does not answer."""
    async with take_up(stages["laid-out"], office_settings(tmp_path, static_folder), tmp_path / "laid-out") as party:
        yield party


@pytest.fixture
async def before_portal(
    stages: dict[str, Kept], tmp_path: Path, static_folder: Path, portal: Portal
) -> AsyncIterator[Party]:
    """The draft is laid out, and the portal answers."""
    async with take_up(
        stages["laid-out"], office_settings(tmp_path, static_folder), tmp_path / "laid-out", portal
    ) as party:
        yield party
