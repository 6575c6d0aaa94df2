# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two years pass, and nothing goes too early or stays for ever; a charter ends, and all see it
(``tests.endurance.year``)."""

from pathlib import Path
from random import Random

from tests.endurance.ending import CHECKED, LATE_DAYS
from tests.endurance.year import DAYS_IN_MONTH, live

MONTHS = 24
OFTEN = (
    "a report",
    "a message",
    "a message without a charter",
    "a reply",
    "a reply without a charter",
    "a reply that waits",
    "deleted replies",
    "a case",
    "a step of a case",
    "a step of a case without a charter",
    "a wrong clock",
    "holidays of the office",
    "a login",
    "a long day",
    "deleted",
)


async def test_in_two_years_with_a_charter_that_ends_nothing_breaks_nothing_is_early_and_nothing_stays(
    tmp_path: Path, rng: Random
) -> None:
    counts = await live(tmp_path, MONTHS * DAYS_IN_MONTH, rng)
    # All of it came to pass, or the test shows nothing.
    assert not [what for what in OFTEN if counts[what] == 0]
    assert (counts["a late report"], counts["a new charter"]) == (LATE_DAYS, 1)
    assert counts["checks"] == len(CHECKED) + 1
