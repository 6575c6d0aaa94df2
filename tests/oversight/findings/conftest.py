# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office with a case that is ready for its finding, and the real portal."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crypto.questionnaire import read_questionnaire
from tests.conftest import ROOT
from tests.oversight.findings.finding_office import FindingOffice, finding_office
from tests.oversight.office import Office
from tests.oversight.portals import Portal, running_portal
from tests.people import LANGUAGES, World, found_test_commission, portal_key


@pytest.fixture(scope="session")
def world() -> World:
    """A commission that asks reporters whether it may publish."""
    questionnaire = json.loads((ROOT / "oversight" / "questionnaires" / "default.json").read_text(encoding="utf-8"))
    return found_test_commission(questionnaire=read_questionnaire(questionnaire, LANGUAGES))


@pytest.fixture
async def portal(tmp_path: Path, static_folder: Path) -> AsyncIterator[Portal]:
    """A portal that has the key which the charter of the tests names."""
    key = tmp_path / "portal" / "secrets" / "signing.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(portal_key().seed)
    key.chmod(0o600)
    async with running_portal(tmp_path / "portal", static_folder) as portal:
        yield portal


@pytest.fixture
async def work(office: Office, portal: Portal) -> FindingOffice:
    return await finding_office(office, portal)
