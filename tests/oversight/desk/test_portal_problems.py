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
    charter, finding = portal_problems(shown, translation)
    assert (charter.name, finding.name) == (HASH, ID)
    assert "nobody can write to it there" in charter.sentence
    assert "can’t show a finding" in finding.sentence
    assert portal_problems(PortalVisits(), translation) == []
