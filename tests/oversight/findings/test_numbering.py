# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a text still has the number, the day and the charter that it must have."""

from datetime import timedelta

import pytest

from oversight.findings.numbering import out_of_date
from tests.findings import draft_finding
from tests.people import TODAY, World


def test_the_day_of_a_text_may_be_so_long_ago_and_no_longer(world: World) -> None:
    draft = draft_finding(world)
    for age, answer in ((0, ""), (1, ""), (20, ""), (21, "day"), (400, "day"), (-1, "day")):
        later = draft_finding(world, day=TODAY - timedelta(days=age))
        assert later.day.year == TODAY.year or answer
        assert out_of_date(later, world.charter, TODAY, draft.id) == answer


@pytest.mark.parametrize(("identifier", "answer"), [(None, "portal"), ("another", "number")])
def test_the_portal_says_which_number_is_free(world: World, identifier: str | None, answer: str) -> None:
    assert out_of_date(draft_finding(world), world.charter, TODAY, identifier) == answer
