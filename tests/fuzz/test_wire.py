# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes that are no request, sent to the running programs: they answer, print nothing, and go on with others."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.wire import Wire, running_office_wire, running_portal_wire

INPUTS = 60


@pytest.mark.parametrize("running", [running_portal_wire, running_office_wire], ids=["portal", "office"])
async def test_whatever_comes_over_a_connection_others_are_answered(
    running: Callable[[Path], AbstractContextManager[Wire]], tmp_path: Path, rng: Random
) -> None:
    with running(tmp_path) as wire:
        faults = [found for _ in range(INPUTS) if (found := await wire.fault(rng))]
        assert [f"{what}: {data.hex()}" for data, what in faults] == []
        assert await wire.still_serves()
