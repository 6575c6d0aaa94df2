# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal that says what a test tells it to, and the office's way to it."""

from collections.abc import AsyncIterator

import pytest

from oversight.collector.visit import Collector
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
def wire(office: Office, portal: PortalSimulator) -> Wire:
    return Wire(office, portal.transport())


@pytest.fixture
async def collector(wire: Wire) -> AsyncIterator[Collector]:
    """One collector for several visits."""
    collector = wire.collector()
    yield collector
    await collector.close()
