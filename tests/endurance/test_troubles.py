# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever happens to the machines of both programs, nothing acknowledged is lost (``tests.endurance.troubles``)."""

from pathlib import Path
from random import Random

import pytest

from tests.endurance.machine import NoSmallDiskError
from tests.endurance.troubles import live


@pytest.mark.parametrize(("trouble", "times"), [("kill", 8), ("freeze", 4), ("disk", 3), ("clock", 6)])
def test_whatever_happens_to_a_machine_nothing_acknowledged_is_lost(
    tmp_path: Path, rng: Random, trouble: str, times: int
) -> None:
    try:
        counts = live(tmp_path, [trouble], lambda counts: counts["troubles"] < times, rng)
    except NoSmallDiskError as error:
        pytest.skip(str(error))
    assert counts["troubles"] == times
    # All of it came to pass, or the test shows nothing.
    for what in ("reports", "parts", "follow-ups", "answers of a member"):
        assert counts[what] > 0
