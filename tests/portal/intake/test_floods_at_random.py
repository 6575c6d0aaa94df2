# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever floods come in: what was accepted stays, and nothing takes more than its share. One of many: `make fuzz`."""

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.floods import Flooded, Floods

STEPS = 40


async def test_whatever_comes_in_whatever_order_nothing_accepted_goes_and_no_share_is_exceeded(
    tmp_path: Path, rng: Random
) -> None:
    assert await Floods(tmp_path, steps=STEPS).fault(rng) is None


async def test_a_flood_that_takes_something_accepted_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: Random
) -> None:
    async def finish_and_lose(flooded: Flooded) -> None:
        flooded.accepted += flooded.unfinished

    monkeypatch.setattr(Flooded, "finish", finish_and_lose)
    found = await Floods(tmp_path).fault(rng)
    assert found is not None
    assert "finish_and_lose" in found[1]
