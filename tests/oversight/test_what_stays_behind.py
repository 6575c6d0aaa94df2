# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a member's computer may keep of the office's pages: no copy in a cache, no name in the history."""

import re

import pytest
from starlette.routing import Route

from oversight.web.rendering import TEMPLATES
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import Wire, attachment, sealed_report

# What a title may say: numbers, references, what is done. Never who or what it is about.
TITLES = {"state.number", "submission.reference", "report.submission.reference", "before.number", "after.number"}
WORDS = {"number", "reference", "before", "after", "title", "action"}


def test_no_title_names_a_person_or_a_subject() -> None:
    titles = {}
    for path in sorted(TEMPLATES.glob("*.html")):
        found = re.search(r"{% block title %}(.*?){% endblock %}", path.read_text(encoding="utf-8"))
        if found and path.name != "base.html":
            titles[path.name] = found[1]
    assert len(titles) > 30
    for name, title in titles.items():
        values = re.findall(r"\w+=([\w.()]+)", title) + re.findall(r"{{ ([\w.()]+) }}", title)
        assert set(values) <= TITLES | WORDS, name


def test_no_browser_sends_what_is_typed_to_a_spelling_service_or_offers_it_again() -> None:
    # Whether spelling is looked at is inherited by every field of a page.
    assert '<body class="office" spellcheck="false">' in (TEMPLATES / "base.html").read_text(encoding="utf-8")
    fields = [field for path in TEMPLATES.glob("*.html") for field in typed_fields(path.read_text(encoding="utf-8"))]
    assert len(fields) > 5
    assert [field for field in fields if "autocomplete=" not in field or 'spellcheck="true"' in field] == []


def typed_fields(template: str) -> list[str]:
    found = re.findall(r"<(?:input|textarea)\b[^\n]*", template)
    return [
        field
        for field in found
        if not re.search(r'type="(hidden|checkbox|radio|{{ type }}" name="{{ name }}" value)', field)
    ]


def test_no_field_loses_an_empty_line_at_its_beginning() -> None:
    # Browsers leave out a newline that stands first in a text field: it is there, and is not what somebody wrote.
    fields = [
        field
        for path in TEMPLATES.glob("*.html")
        for field in re.findall(r"<textarea\b.*?</textarea>", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert len(fields) > 4
    assert [field for field in fields if not re.search(r">\n{{ [\w.\[\]]+ }}</textarea>$", field)] == []


@pytest.mark.parametrize("logged_in", [True, False])
async def test_no_page_of_the_office_may_be_kept_by_a_browser(office: Office, logged_in: bool) -> None:
    browser = await office.browser_of("bruno") if logged_in else office.browser()
    asked = set()
    for route in office.app.routes:
        assert isinstance(route, Route)
        if route.path.startswith("/assets/"):
            continue
        path = re.sub(r"{\w+(:int)?}", "1", route.path)
        for method in ("GET", "POST"):
            answer = await browser.client.request(method, path, headers={"sec-fetch-site": "same-origin"})
            assert answer.headers["cache-control"] == "no-store", (method, path)
            asked.add(path)
        if logged_in and path in ("/lock", "/logout"):
            office.clock.forward(seconds=30)
            await browser.log_in(office.world["bruno"])
    assert len(asked) > 40


async def test_a_download_is_not_kept_and_the_page_says_where_its_copy_stays(office: Office) -> None:
    portal = PortalSimulator()
    office.app.state.transport = portal.transport()
    sealed = sealed_report(office.world, attachments=[attachment(b"note")])
    portal.add(sealed)
    with office.database.use():
        await Wire(office, portal.transport()).collect()
    browser = await office.browser_of("bruno")
    page = f"/reports/{sealed.manifest.submission}"
    assert "A copy stays in the Downloads folder" in (await browser.get(page)).text
    answer = await browser.get(f"{page}/files/1")
    assert (answer.content, answer.headers["cache-control"]) == (b"note", "no-store")


async def test_after_locking_the_page_says_what_the_computer_may_still_hold(office: Office) -> None:
    browser = await office.browser_of("amina")
    answer = await browser.post("/lock")
    page = (await browser.get(answer.headers["location"])).text
    for words in ("Files that you downloaded", "What you copied", "other tabs", "history", "close every window"):
        assert words in page
    assert "What this computer" not in (await browser.get("/login")).text
