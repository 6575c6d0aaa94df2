# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office that may open no more files: its pages say so, and take nothing that it can't read for damaged or lost."""

import pytest

from oversight.reports.records import SealedFileRecord
from tests.few_files import no_more_files
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, attachment, sealed_report

SAID = "Too much is open at once"


@pytest.fixture
async def attached(office: Office) -> str:
    """The path of an attachment that the office has collected."""
    portal = PortalSimulator()
    sealed = sealed_report(office.world, attachments=[attachment(b"a photograph")])
    portal.add(sealed)
    await Wire(office, portal.transport()).collect()
    return f"/reports/{sealed.manifest.submission}/files/1"


async def test_an_attachment_that_can_not_be_opened_now_is_not_damaged(office: Office, attached: str) -> None:
    browser = await office.browser_of("bruno")
    with no_more_files():
        page = await browser.get(attached)
        assert page.status_code == 503
        assert SAID in page.text
    assert (await browser.get(attached)).content == b"a photograph"
    with office.database.use():
        assert await SealedFileRecord.filter(damaged_on__isnull=False).count() == 0


async def test_the_office_s_own_keys_that_can_not_be_read_now_are_not_lost(office: Office) -> None:
    office.app.state.office_safe._keys = None
    with no_more_files():
        page = await office.browser().log_in(office.world["bruno"])
        assert page.status_code == 503
        assert SAID in page.text
    office.clock.forward(seconds=30)
    await office.browser_of("bruno")
