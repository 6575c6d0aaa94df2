# SPDX-License-Identifier: AGPL-3.0-or-later
"""When the queue says that for a while nothing was collected."""

from datetime import timedelta

import pytest

from oversight.desk.collector_status import collector_status
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from portal.kit.i18n import SOURCE_LOCALE, load_translation
from tests.conftest import ROOT
from tests.oversight.office import Office
from tests.people import NOW

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
