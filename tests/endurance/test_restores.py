# SPDX-License-Identifier: AGPL-3.0-or-later
"""Portal and office come back from backups again and again, and nothing is lost (``tests.endurance.restores``)."""

from pathlib import Path
from random import Random

from tests.endurance.restores import SIDES, live

ROUNDS = 8


async def test_whatever_was_restored_or_killed_each_side_gets_what_the_other_holds(tmp_path: Path, rng: Random) -> None:
    counts = await live(tmp_path, lambda counts: counts["settled"] < ROUNDS, rng)
    assert counts["settled"] == ROUNDS
    # Something came back, or the test shows nothing.
    assert sum(counts[f"a restore of the {side}"] for side in SIDES) > 0
