# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a founding file may say."""

from pathlib import Path

import pytest

from crypto.errors import CryptoError
from oversight.founding.plan import PlanError, load_plan, read_plan
from tests.oversight.founding.plans import write_plan


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('slug = "harbour"', 'slug = "Harbour"'),
        ('slug = "harbour"', ""),
        ('slug = "harbour"', 'slug = "harbour"\nslgu = "x"'),
        ("threshold = 2, members", "threshold = 3, members"),
        ('"chiara"]', '"nobody"]'),
        ('label = "bruno"', 'label = "amina"'),
        ('username = "Bruno.K"', 'username = "AMINA"'),
        ('roles = ["chair"]', 'roles = ["queen"]'),
        ("slots = 8", "slots = 3"),
        ("shares = 3", "shares = 1"),
        ("threshold = 2, shares = 3", "threshold = 1, shares = 3"),
        ("days_valid = 30", "days_valid = 0"),
        ('locale = "ar"', 'locale = "xx"'),
        ('mandate = { en = "Fictional.", ar = "خيالية." }', 'mandate = { en = "Fictional." }'),
        ("[[members]]", "[[members"),
    ],
)
def test_a_founding_file_that_can_not_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, before: str, after: str
) -> None:
    with pytest.raises(PlanError, match=r"founding\.toml"):
        load_plan(write_plan(tmp_path, before, after))


def test_a_plan_is_read_back_from_what_it_says(tmp_path: Path) -> None:
    plan = load_plan(write_plan(tmp_path))
    assert read_plan(plan.to_value()) == plan
    with pytest.raises(CryptoError):
        read_plan([])
    with pytest.raises(PlanError):
        load_plan(Path("/nowhere/founding.toml"))


@pytest.mark.parametrize(
    ("members", "thresholds", "taken"), [(1, (1, 1, 1), True), (1, (1, 2, 3), True), (1, (1, 1, 2), False)]
)
def test_a_commission_of_one_may_have_a_reserve_in_one_piece(
    tmp_path: Path, members: int, thresholds: tuple[int, int, int], taken: bool
) -> None:
    value = load_plan(write_plan(tmp_path)).to_value()
    governors, reserve, shares = thresholds
    value["members"] = value["members"][:members]
    value["governors"] = {"threshold": governors, "members": ["amina"]}
    value["reserve"] = {"threshold": reserve, "shares": shares}
    if taken:
        assert read_plan(value).reserve_shares == shares
        return
    with pytest.raises(CryptoError, match="can be no other"):
        read_plan(value)


@pytest.mark.parametrize("part", ["governors", "reserve"])
def test_one_of_several_members_is_never_enough(tmp_path: Path, part: str) -> None:
    value = load_plan(write_plan(tmp_path)).to_value()
    value[part]["threshold"] = 1
    with pytest.raises(CryptoError, match="one alone"):
        read_plan(value)
