# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever those who found a commission send, the founding comes to its end: one at each stage, of many."""

from pathlib import Path
from random import Random

import pytest

from oversight.founding.routes import routes
from tests.fuzz.foundings import STAGES, Foundings
from tests.fuzz.office_surface import without_forms
from tests.fuzz.portal_surface import routes_of
from tests.oversight.founding.party import Kept


@pytest.fixture
def foundings(tmp_path: Path, static_folder: Path, first_portal: Path, stages: dict[str, Kept]) -> Foundings:
    return Foundings(tmp_path, static_folder, first_portal, stages)


async def test_whatever_is_sent_to_a_founding_it_goes_on(foundings: Foundings, rng: Random) -> None:
    assert [found for stage in STAGES if (found := await foundings.at_stage(stage, rng))] == []
    assert {*map(without_forms, routes_of(routes))} <= foundings.asked


async def test_a_founding_that_does_not_go_on_is_found_out(
    foundings: Foundings, monkeypatch: pytest.MonkeyPatch, rng: Random
) -> None:
    async def save_nothing(*_: object) -> None:
        """As if every form were lost."""

    monkeypatch.setattr("oversight.founding.founding_draft.FoundingDraft.save", save_nothing)
    found = await foundings.at_stage("laid-out", rng)
    assert found is not None
    assert found.startswith("the founding can't go on")
