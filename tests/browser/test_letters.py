# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a commission answered, as the reporter sees it."""

from random import Random

from playwright.sync_api import expect

from crypto.note import SigningKey
from crypto.receipt_code import new_code
from tests.browser.answering import AnsweredReport
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
    report.collect()
    stranger = SigningKey.generate(f"{report.world.slug}/bruno")
    report.reply(FIRST, "en")
    report.reply("Send us your name.", "en", signing_key=stranger)
    report.reply("Nobody can open this", "en", readable=False)
    report.reply(LAST, "ar")

    page = new_context(bypass_csp=True).new_page()
    reporter = Reporter(page, portal_server.origin)
    reporter.open_return()
    reporter.enter_code(code)
    letters = page.locator(".letter")
    expect(letters).to_have_count(4)
    expect(page.locator("[data-collected]")).to_contain_text("The commission fetched your report on")
    expect(page.locator("[data-nothing]")).to_be_hidden()

    newest = letters.nth(0)
    expect(newest).to_contain_text("From Bruno Keller, of the commission")
    expect(newest.locator("[data-body]")).to_have_text(LAST)
    expect(newest.locator("[data-body]")).to_have_attribute("dir", "rtl")
    expect(newest.locator("[data-body]")).to_have_attribute("lang", "ar")
    assert newest.locator("b").count() == 0
    expect(letters.nth(1)).to_contain_text("can’t be opened")
    expect(letters.nth(2)).to_contain_text("not signed by anyone of your commission")
    assert "Send us your name" not in page.content()
    expect(letters.nth(3).locator("[data-body]")).to_have_text(FIRST)
    expect(letters.nth(3).locator("[data-body]")).to_have_attribute("dir", "ltr")

    page.add_script_tag(path=AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate("axe.run(document).then((found) => found.violations.map((each) => each.id))") == []
