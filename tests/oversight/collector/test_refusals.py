# SPDX-License-Identifier: AGPL-3.0-or-later
"""The code of a refusal is the portal's, and the words for what is wrong are the office's."""

import re

import pytest

from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord
from oversight.reports.stuck import GONE, HELD_BACK, UNPROVEN
from oversight.wire.portal_errors import OFFICE_CODES, PortalRefused
from tests.conftest import ROOT
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator, refusal
from tests.oversight.sealed_reports import Wire, sealed_report, under_new_id

pytestmark = pytest.mark.usefixtures("in_database")

OWN_WORDS = [*sorted(UNPROVEN), GONE, HELD_BACK, "file-missing", "no-room", "storage", "failure", "unreachable", "slow"]


@pytest.mark.parametrize("code", [*OWN_WORDS, "call-this-number-at-once"])
async def test_a_code_that_no_portal_has_for_an_office_is_a_refusal_and_hides_no_report(
    wire: Wire, portal: PortalSimulator, office: Office, code: str
) -> None:
    for _ in range(2):
        portal.add(under_new_id(sealed_report(office.world)))
    portal.faults.append(lambda request: refusal(409, code) if "/files/" in request.url.path else None)
    await wire.collect()
    assert [row.problem for row in await StuckArrivalRecord.all()] == ["refused"] * 2
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert page.count("the portal refuses it") == 2


@pytest.mark.parametrize("code", ["no-room", "storage", "failure", "unreachable"])
async def test_a_portal_that_refuses_every_list_is_not_taken_for_a_fault_of_the_office(
    wire: Wire, portal: PortalSimulator, office: Office, code: str
) -> None:
    portal.faults.append(lambda request: refusal(409, code))
    with pytest.raises(PortalRefused):
        await wire.collect()
    assert (await CollectorStateRecord.get()).problem == "refused"
    assert "The portal refuses this office’s requests" in (await (await office.browser_of("bruno")).get("/queue")).text


def test_every_code_that_an_office_may_meet_is_one_of_the_protocol() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    table = text.partition("### 7.3 Error codes")[2].partition("Nobody signs")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) >= OFFICE_CODES
    assert not OFFICE_CODES & set(OWN_WORDS)
