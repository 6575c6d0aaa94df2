# SPDX-License-Identifier: AGPL-3.0-or-later
"""The open way, whole: a report becomes a case, the case a finding, and a stranger verifies what was published.

Reporter, registrar, investigator, publisher, chair and a reader of the register, each in a separate browser.
"""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.world import World, Writing, open_mailbox, reload_until_visible, write_report
from tests.servers import ROOT
from tests.waiting import SECONDS_MAX

STORY = "لم يقرأ القاضي التقرير الطبي، وقال إن الطائرة يوم الأربعاء."
LETTER_REASONS = "What you describe is within the mandate, and there are papers that can be checked."
TITLE = "A medical report that was not read"
SUMMARY = "A court decided on a surrender without reading the medical report that lay before it."
SECTION = "The file shows when it was handed in, and the decision does not mention it at all."


def test_a_report_becomes_a_finding_that_anyone_can_verify(world: World, tmp_path: Path) -> None:
    reporter = world.reporter()
    code = write_report(world, reporter.new_page(), Writing(STORY, consents=("CO-CASE", "CO-PUB-ANON")))
    reporter.close()
    pages = {label: world.member().new_page() for label in ("registrar", "investigator-1", "publisher", "chair")}
    for label, page in pages.items():
        world.log_in(page, world.founded.sheets[label])
    case = _open_case(world, pages)
    _bring_to_draft(world, pages, case)
    _write_and_publish(world, pages, case)
    _read_the_state_with_the_code(world, code)
    _verify_as_a_reader(world, tmp_path)
    _check_the_ledger(pages["chair"], case)
    assert world.complaints == []


def _open_case(world: World, pages: dict[str, Page]) -> str:
    """The registrar opens a case and gives it to those who declared before; its path."""
    registrar = pages["registrar"]
    reload_until_visible(registrar, "main a[href^='/reports/']")
    registrar.locator("main a[href^='/reports/']").first.click()
    expect(registrar.get_by_text(STORY)).to_be_visible()
    registrar.locator("a[href$='/case']").first.click()
    registrar.locator("[name=policy]").first.check()
    registrar.locator("[name=no_conflict]").check()
    _press(registrar, "/case")
    expect(registrar).to_have_url(re.compile("/cases/[0-9a-f]{32}"))
    case = "/cases/" + re.findall("/cases/([0-9a-f]{32})", registrar.url)[0]
    for label in ("investigator-1", "publisher", "chair"):
        pages[label].goto(f"{world.office.url}{case}/declare")
        pages[label].locator("[name=conflict][value=no]").check()
        _press(pages[label], "/declare")
        registrar.goto(f"{world.office.url}{case}/people")
        _press(registrar, f"/people/{label}/assign")
    return case


def _bring_to_draft(world: World, pages: dict[str, Page], case: str) -> None:
    """The main sequence of states, each move by a member who may make it; the chair approves, not the proposer."""
    registrar, investigator, chair = pages["registrar"], pages["investigator-1"], pages["chair"]
    _move(world, registrar, case, "ACKNOWLEDGED", ground="sent")
    _tell(world, registrar, case)
    _move(world, registrar, case, "TRIAGE")
    _move(world, registrar, case, "CONFLICT_CHECK")
    _move(world, registrar, case, "ASSIGNED", reasons="Salma reads the language.")
    registrar.goto(f"{world.office.url}{case}")
    expect(registrar.locator("form[action$='/approve']")).to_have_count(0)
    _approve(world, chair, case)
    _move(world, investigator, case, "ADMITTED", reasons=LETTER_REASONS)
    _approve(world, chair, case)
    _tell(world, chair, case)
    _move(world, investigator, case, "INVESTIGATING")
    _move(world, investigator, case, "FINDING_DRAFT")


def _write_and_publish(world: World, pages: dict[str, Page], case: str) -> None:
    """A draft, two signatures, a change that voids them, two again, the check, the decision, the register."""
    investigator, publisher, chair = pages["investigator-1"], pages["publisher"], pages["chair"]
    finding = f"{world.office.url}{case}/finding"
    investigator.goto(f"{finding}/edit")
    _fill_draft(investigator, SECTION)
    _keep(investigator)
    publisher.goto(finding)
    _press(publisher, "/finding/sign")
    investigator.goto(f"{finding}/edit")
    investigator.locator("[name=section_text]").first.fill(f"{SECTION} Nobody asked why.")
    _keep(investigator)
    publisher.goto(finding)
    expect(publisher.locator("main")).to_contain_text("the text has changed since")
    for page in (publisher, chair):
        page.goto(finding)
        _press(page, "/finding/sign")
    _move(world, investigator, case, "ADOPTED", reasons="The panel agrees.")
    _approve(world, chair, case)
    publisher.goto(finding)
    _press(publisher, "/finding/check")
    _move(world, publisher, case, "PUBLISHED", reasons="Checked; nothing in it leads to a person.")
    _approve(world, chair, case)
    publisher.goto(finding)
    _press(publisher, "/finding/publish")
    expect(publisher.locator("main")).to_contain_text("It stands in the register")


def _read_the_state_with_the_code(world: World, code: str) -> None:
    """The reporter learns state and reasons in the mailbox."""
    context = world.reporter()
    page = context.new_page()
    open_mailbox(world, page, code)
    letters = page.locator("[data-letters] article")
    expect(letters).to_have_count(2)
    expect(page.locator("[data-letters]")).to_contain_text(LETTER_REASONS)
    context.close()


def _verify_as_a_reader(world: World, folder: Path) -> None:
    """A stranger reads the finding without script and verifies the file by the command line."""
    context = world.browser.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{world.portal.url}/en/findings/")
    page.get_by_role("link", name=TITLE).click()
    expect(page.locator("h1")).to_have_text(TITLE)
    expect(page.locator("main")).to_contain_text(SUMMARY)
    with page.expect_download() as download:
        page.locator("main a[download], main a[href$='.json']").first.click()
    file = folder / "finding.json"
    download.value.save_as(file)
    context.close()
    assert _verify(file).returncode == 0
    file.write_text(file.read_text(encoding="utf-8").replace("was not read", "was not lost"), encoding="utf-8")
    refused = _verify(file)
    assert refused.returncode == 1
    assert "no signature matches" in refused.stderr


def _verify(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crypto", "verify", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def _check_the_ledger(page: Page, case: str) -> None:
    page.goto(re.sub("/cases/.*", f"{case}/ledger", page.url))
    expect(page.locator("main")).to_contain_text("unbroken")


def _move(world: World, page: Page, case: str, to: str, *, ground: str | None = None, reasons: str = "") -> None:
    page.goto(f"{world.office.url}{case}/transitions/{to}")
    if ground is not None:
        page.locator(f"[name=ground][value={ground}]").check()
    if reasons:
        page.locator("[name=reasons]").fill(reasons)
    _press(page, f"/transitions/{to}")


def _approve(world: World, page: Page, case: str) -> None:
    page.goto(f"{world.office.url}{case}")
    _press(page, "/approve")


def _tell(world: World, page: Page, case: str) -> None:
    """Send the letter that is ready for the reporter."""
    page.goto(f"{world.office.url}{case}")
    page.locator("form[action*='/tell/'] button").first.click()
    expect(page.locator("form[action*='/reply'] [name=body]")).not_to_be_empty()
    page.locator("form[action*='/reply'] button.button--main").first.click()
    page.locator("form[action*='/reply/send'] button").click()
    expect(page.locator("main")).to_be_visible()


def _fill_draft(page: Page, section: str) -> None:
    page.locator("[name=language]").select_option("en")
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=summary]").fill(SUMMARY)
    page.locator("[name=section_heading]").first.fill("What it finds")
    page.locator("[name=section_text]").first.fill(section)
    page.locator("[name=quarter]").fill("2026-Q3")
    page.locator("[name=grade][value=FN-SUBST]").check()
    page.locator("[name=standard][value=SP-RGB]").check()


def _keep(page: Page) -> None:
    page.locator("button[name=action][value=keep]").click()
    expect(page).to_have_url(re.compile("/finding(\\?|$)"))


def _press(page: Page, action: str) -> None:
    """Send the form whose address has this ending; a refusal would show an error summary."""
    page.locator(
        f"main form[action$='{action}'] button.button--main, main form[action$='{action}'] button"
    ).first.click()
    expect(page.locator(".error-summary")).to_have_count(0)
