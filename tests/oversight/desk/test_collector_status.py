# SPDX-License-Identifier: AGPL-3.0-or-later
"""When the queue says that for a while nothing was collected, and that the portal was not visited yet."""

from datetime import timedelta
from typing import Any

import pytest

from crypto.ids import SubmissionId
from oversight.desk.collector_status import collector_status
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from oversight.reports.stuck import write_down
from portal.kit.i18n import SOURCE_LOCALE, load_translation
from tests.conftest import ROOT
from tests.oversight.office import Office
from tests.people import NOW, TODAY

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.mark.parametrize(
    ("seconds", "minutes", "is_said"),
    [(60, 14, False), (60, 16, True), (1800, 16, False), (1800, 89, False), (1800, 91, True), (99_999, 60 * 24, False)],
)
async def test_an_office_is_quiet_for_longer_when_it_visits_more_rarely(
    office: Office, seconds: int, minutes: int, is_said: bool
) -> None:
    await CollectorStateRecord.create(id=STATE_ROW, last_success=NOW - timedelta(minutes=minutes))
    translation = load_translation(ROOT / "oversight" / "locale", "oversight", SOURCE_LOCALE)
    status = await collector_status(NOW, translation, is_open=True, every=timedelta(seconds=seconds))
    assert ("start the office again" in status.trouble) == is_said


@pytest.mark.parametrize(
    ("known", "stuck", "is_said"),
    [
        ({}, 0, True),
        ({"waiting": 11}, 0, False),
        ({"held_back": 1}, 0, False),
        ({"charter_noted_on": TODAY}, 0, False),
        ({"failing_since": NOW}, 0, False),
        ({}, 1, False),
    ],
    ids=["nothing", "waiting", "held back", "half through", "failed", "stuck"],
)
async def test_a_portal_was_visited_once_anything_tells_of_a_visit(
    office: Office, known: dict[str, Any], stuck: int, is_said: bool
) -> None:
    await CollectorStateRecord.create(id=STATE_ROW, **known)
    for _ in range(stuck):
        await write_down(SubmissionId("a" * 32), "slow", None, NOW)
    translation = load_translation(ROOT / "oversight" / "locale", "oversight", SOURCE_LOCALE)
    status = await collector_status(NOW, translation, is_open=True, every=timedelta(seconds=60))
    assert ("was not visited yet" in status.text) == is_said
    assert ("Never yet was everything collected" in status.text) == (not is_said)
