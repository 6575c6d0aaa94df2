# SPDX-License-Identifier: AGPL-3.0-or-later
"""A few rounds of the program that plays a hostile portal for as long as it is told to."""

from pathlib import Path

import pytest

from tests.chance import fresh_bytes
from tests.fuzz.hostile_portal import play


@pytest.mark.parametrize("number", range(3))
async def test_after_drawn_lies_everything_true_is_taken_and_nothing_else_stays(tmp_path: Path, number: int) -> None:
    await play(int.from_bytes(fresh_bytes(4)) + number, tmp_path)
