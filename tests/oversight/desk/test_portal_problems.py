# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal says that it can't show, read strictly and said to members."""

from typing import Any

import pytest

from crypto.errors import CryptoError
from oversight.commission.portal_visits import PortalVisits
from oversight.desk.portal_problems import portal_problems
from oversight.wire.portal_responses import PortalProblem, read_problems
from portal.kit.i18n import SOURCE_LOCALE, load_translation
from tests.conftest import ROOT
from tests.oversight.office import Office

HASH, ID = "ab" * 32, "XFI:ZZ:DEMO-COMMISSION:2026:F.0001"


def test_what_a_portal_says_is_read() -> None:
    value = {"problems": [{"kind": "charter", "name": HASH}, {"kind": "finding", "name": ID}]}
    assert read_problems(value) == (PortalProblem("charter", HASH), PortalProblem("finding", ID))
    assert read_problems({"problems": []}) == ()


@pytest.mark.parametrize(
    "problem",
    [
        {"kind": "charter", "name": "Come to this address"},
        {"kind": "finding", "name": HASH},
        {"kind": "other", "name": HASH},
        {"kind": "charter"},
        [],
    ],
)
def test_what_no_portal_would_say_is_refused(problem: Any) -> None:
    with pytest.raises(CryptoError):
        read_problems({"problems": [problem]})


def test_more_than_a_hundred_are_refused() -> None:
    with pytest.raises(CryptoError):
        read_problems({"problems": [{"kind": "charter", "name": HASH}] * 101})


def test_members_read_what_is_missing_and_which_one() -> None:
    shown = PortalVisits((PortalProblem("charter", HASH), PortalProblem("finding", ID)))
    translation = load_translation(ROOT / "oversight" / "locale", "oversight", SOURCE_LOCALE)
    charter, finding = portal_problems(shown, translation).shown
    assert (charter.name, finding.name) == (HASH, ID)
    assert "nobody can write to it there" in charter.sentence
    assert "can’t show a finding" in finding.sentence
    assert portal_problems(PortalVisits(), translation).shown == ()


async def test_a_portal_that_names_a_hundred_does_not_push_the_queue_away(office: Office) -> None:
    findings = [PortalProblem("finding", f"XFI:ZZ:DEMO-COMMISSION:2026:F.{number:04}") for number in range(1, 100)]
    office.app.state.portal_visits.problems = (*findings, PortalProblem("charter", HASH))
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert page.count("The portal says that it can’t show") == 5
    assert HASH in page and "The portal names 95 more things that it can’t show." in page
