# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office previews as the reporter will see it has the direction and the marks that the reporter gets."""

import re

import pytest

from oversight.members.records import MemberRecord
from tests.conftest import ROOT
from tests.oversight.office import Browser, Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, sealed_report

pytestmark = pytest.mark.usefixtures("in_database")
BODIES = {
    "one in Latin letters": "Thank you.",
    "one in Arabic letters": "شكرًا لك.",
    "both": "شكرًا لك.\n\nThe court wrote: “no”.\n\nAmina كتبت اليوم.",
}
LETTERS_SCRIPT = ROOT / "static" / "src" / "page" / "components" / "letters.js"
LETTERS_STYLE = ROOT / "static" / "css" / "components" / "letter.css"


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
def wire(office: Office, portal: PortalSimulator) -> Wire:
    return Wire(office, portal.transport())


@pytest.mark.parametrize("office_language", ["en", "ar"])
@pytest.mark.parametrize("written", BODIES)
async def test_a_letter_goes_in_the_direction_of_its_words(
    office: Office, portal: PortalSimulator, wire: Wire, office_language: str, written: str
) -> None:
    # The reporter wrote in a language that no program has data of.
    sealed = sealed_report(office.world, language="prs")
    portal.add(sealed)
    await wire.collect()
    await MemberRecord.filter(label="bruno").update(locale=office_language)
    browser = await office.browser_of("bruno")
    for language in ("prs", "en", "ar"):
        preview = await preview_of(browser, sealed.manifest.submission, language, BODIES[written])
        assert f'<div class="letter__body" lang="{language}" dir="auto">{BODIES[written]}</div>' in preview


def test_the_reporter_page_marks_a_letter_in_the_same_way() -> None:
    script = LETTERS_SCRIPT.read_text()
    assert re.findall(r"words\.(lang|dir) = (.*);", script) == [("lang", "language"), ("dir", '"auto"')]
    # The style that both pages have; the office's own must not undo it.
    assert '.letter__body[dir="auto"] {\n  unicode-bidi: plaintext;' in LETTERS_STYLE.read_text()
    for page in ("page", "office"):
        assert '@import "components/letter.css";' in (ROOT / "static" / "css" / f"{page}.css").read_text()


async def preview_of(browser: Browser, submission: str, language: str, body: str) -> str:
    written = await browser.post(f"/reports/{submission}/reply", language=language, body=body)
    return (await browser.get(written.headers["location"])).text
