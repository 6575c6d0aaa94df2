# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a commission answered, as the reporter sees it."""

from pathlib import Path
from random import Random

from playwright.sync_api import Page, expect

from crypto.note import SigningKey
from crypto.receipt_code import new_code
from tests.browser.answering import OTHER_MANIFEST, AnsweredReport
from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter
from tests.conftest import ROOT
from tests.servers import Program

AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"
FIRST = "We have read your report.\n\nPlease tell us who was there."
LAST = "شكرًا لك. كتبنا اليوم إلى المحكمة <b>بلا أسماء</b>."


def test_messages_stand_newest_first_and_a_broken_one_hides_no_other(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    code = new_code(rng.randbytes)
    report = AnsweredReport(portal_server, code)
    report.confirm_charter()
    report.collect()
    stranger = SigningKey.generate(f"{report.world.slug}/bruno")
    report.reply(FIRST, "en")
    report.reply("Send us your name.", "en", signing_key=stranger)
    report.reply("Nobody can open this", "en", readable=False)
    report.reply(LAST, "ar")

    page = new_context(bypass_csp=True).new_page()
    open_mailbox(page, portal_server, code)
    letters = page.locator(".letter")
    expect(letters).to_have_count(4)
    expect(page.locator('[data-fact="collected"]')).to_contain_text("The commission fetched your report on")
    expect(page.locator('[data-fact="confirmed"]')).to_contain_text("(today)")
    expect(page.locator('[data-fact="newest"]')).to_contain_text("(today)")
    expect(page.locator("[data-nothing]")).to_be_hidden()

    newest = letters.nth(0)
    expect(newest.locator("[data-number]")).to_have_text("Message 4")
    expect(newest).to_contain_text("From Bruno Keller, of the commission")
    expect(newest.locator("[data-body]")).to_have_text(LAST)
    expect(newest.locator("[data-body]:dir(rtl)")).to_be_visible()
    expect(newest.locator("[data-body]")).to_have_attribute("lang", "ar")
    assert newest.locator("b").count() == 0
    expect(letters.nth(1).locator('[data-problem="unreadable"]')).to_be_visible()
    expect(letters.nth(2).locator('[data-problem="unsigned"]')).to_be_visible()
    assert "Send us your name" not in page.content()
    expect(letters.nth(3).locator("[data-body]")).to_have_text(FIRST)
    expect(letters.nth(3).locator("[data-body]:dir(ltr)")).to_be_visible()

    page.add_script_tag(path=AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("axe.run(document).then((found) => found.violations.map((each) => each.id))") == []


def open_mailbox(page: Page, portal: Program, code: str) -> Reporter:
    reporter = Reporter(page, portal.origin)
    reporter.open_return()
    reporter.enter_code(code)
    expect(reporter.panel("mailbox")).to_be_visible()
    return reporter


def test_a_reply_that_the_portal_keeps_back_is_missed(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    code = new_code(rng.randbytes)
    report = AnsweredReport(portal_server, code)
    report.collect()
    report.reply(FIRST, "en")
    report.confirm(last=2)
    page = new_context().new_page()
    open_mailbox(page, portal_server, code)
    assert page.locator(".letter [data-number]").all_inner_texts() == ["Message 2 is missing", "Message 1"]


def test_an_office_that_holds_another_report_is_an_alarm_with_its_evidence(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    code = new_code(rng.randbytes)
    report = AnsweredReport(portal_server, code)
    report.collect()
    report.confirm(last=0, manifest=OTHER_MANIFEST)
    page = new_context().new_page()
    open_mailbox(page, portal_server, code)
    expect(page.locator("[data-alarm] h2")).to_be_focused()
    expect(page.locator('[data-kind="thread"]')).to_be_visible()
    expect(page.locator("[data-follow-up]")).to_be_hidden()
    with page.expect_download() as download:
        page.locator("[data-save-evidence]").click()
    assert OTHER_MANIFEST in Path(download.value.path()).read_text()


def test_what_was_deleted_stays_deleted_and_an_ended_mailbox_looks_unknown(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    code = new_code(rng.randbytes)
    report = AnsweredReport(portal_server, code)
    report.collect()
    report.reply(FIRST, "en")
    page = new_context().new_page()
    reporter = open_mailbox(page, portal_server, code)
    page.locator("[data-ask] summary").click()
    page.locator("[data-ask-delete]").click()
    page.locator("[data-delete]").click()
    expect(page.locator("[data-deleted]")).to_be_focused()
    open_mailbox(page, portal_server, code)
    expect(page.locator('[data-fact="collected"]')).to_be_visible()
    expect(page.locator(".letter")).to_have_count(0)
    page.locator("[data-ask] summary").click()
    page.locator("[data-ask-end]").click()
    page.locator("[data-end]").click()
    expect(reporter.panel("ended")).to_be_visible()
    open_mailbox(page, portal_server, code)
    expect(page.locator("[data-nothing]")).to_be_visible()
    expect(page.locator("[data-status]")).to_be_hidden()
