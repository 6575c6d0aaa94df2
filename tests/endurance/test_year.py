# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two years pass, and nothing goes too early or stays for ever (``tests.endurance.year``)."""

from pathlib import Path
from random import Random

from tests.endurance.year import DAYS_IN_MONTH, live

MONTHS = 24


async def test_in_two_years_nothing_goes_before_its_day_and_nothing_stays_after_it(tmp_path: Path, rng: Random) -> None:
    counts = await live(tmp_path, MONTHS * DAYS_IN_MONTH, rng)
    # All of it came to pass, or the test shows nothing.
    for what in ("a report", "a message", "a reply", "a wrong clock", "holidays of the office", "a login", "deleted"):
        assert counts[what] > 0
