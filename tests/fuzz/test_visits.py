# SPDX-License-Identifier: AGPL-3.0-or-later
"""However a portal lied, what is true comes in once it does no more: a few portals of ``python -m tests.fuzz``."""

from pathlib import Path
from random import Random

from tests.fuzz.visits import Visits

PORTALS = 5


async def test_after_portals_that_lie_every_true_report_is_there(tmp_path: Path, rng: Random) -> None:
    visits = Visits(tmp_path)
    assert [found for _ in range(PORTALS) if (found := await visits.fault(rng))] == []
