# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole journey, report and return, where a browser or a line has less than ours: it doesn't fail at the end."""

from pathlib import Path
from random import Random

from playwright.sync_api import Browser, Page, Route, expect

from crypto.receipt_code import new_code
from tests.browser.answering import AnsweredReport
from tests.browser.browsing import CHROMIUM_ARGUMENTS, TIMEOUT_MS
from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter
from tests.servers import Program

ANSWER = "We have read your report."
LACKING = Path(__file__).with_name("lacking.js").read_text(encoding="utf-8")
# No script is compiled, and WebAssembly is not there.
NOTHING_COMPILED = "--js-flags=--jitless --noexpose_wasm"


def send_report(page: Page, portal: Program, hidden_details: str, *files: bytes) -> None:
    """From the first panel to "It has arrived", with files, of whose hidden details the form says this."""
    reporter = Reporter(page, portal.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    for file in files:
        reporter.attach("recording", "application/octet-stream", file)
    states = page.locator(".files__item [data-state]:visible")
    expect(states).to_have_count(len(files))
    for state in states.all():
        expect(state).to_have_attribute("data-state", hidden_details)
    reporter.go_on()
    expect(reporter.panel("check")).to_be_visible()
    reporter.go_on()
    expect(reporter.panel("code")).to_be_visible()
    reporter.type_back()
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()


def come_back(page: Page, portal: Program, code: str) -> None:
    """Read an answer with this code, write a message, and see it among one's own."""
    answered = AnsweredReport(portal, code)
    answered.collect()
    answered.reply(ANSWER, "en")
    reporter = Reporter(page, portal.origin)
    reporter.open_return()
    reporter.enter_code(code)
    expect(page.locator(".letter [data-body]")).to_have_text(ANSWER)
    page.locator("#body").fill("They threatened my sister.")
    page.locator("[data-follow-up] [data-send]").click()
    expect(page.locator("[data-followed-up]")).to_be_focused()
    expect(page.locator(".sent__item")).to_have_count(1)


def test_a_chromium_that_compiles_nothing_goes_through_the_whole_journey(
    browser: Browser, chromium: str, portal_server: Program, rng: Random
) -> None:
    # While Playwright runs there can't be a second one, but another browser of it.
    arguments = [*CHROMIUM_ARGUMENTS, NOTHING_COMPILED]
    poor = browser.browser_type.launch(executable_path=chromium, args=arguments)
    try:
        page = poor.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        send_report(page, portal_server, "other", rng.randbytes(1_000_000))
        assert page.evaluate("typeof WebAssembly") == "undefined"
        come_back(page, portal_server, new_code(rng.randbytes))
    finally:
        poor.close()


def test_a_browser_without_all_that_the_oldest_ones_lack_goes_through_the_whole_journey(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    context = new_context()
    workers: list[str] = []
    errors: list[str] = []

    def start_poorly(route: Route) -> None:
        """A worker's script after what takes the features away."""
        answer = route.fetch()
        workers.append(route.request.url)
        route.fulfill(response=answer, body=LACKING + answer.text())

    context.add_init_script(LACKING)
    context.route("**/*-worker*.js", start_poorly)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    printed = new_context().new_page()
    send_report(page, portal_server, "removed", printed.pdf(), printed.screenshot(type="jpeg"))
    come_back(page, portal_server, new_code(rng.randbytes))
    # Whatever could not be taken away would be an error of the page, or of a worker that then begins nothing.
    assert page.evaluate("Object.hasOwn") is None
    assert errors == []
    # Of the form, of pictures, of PDF files, of the return page.
    assert len(workers) == 4


def test_once_the_form_is_tried_nothing_but_the_api_is_needed_to_send(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    expect(reporter.page.locator('[data-tried=""]')).to_have_count(1)
    reporter.page.wait_for_load_state("networkidle")
    refused: list[str] = []

    def refuse_all_but_the_api(route: Route) -> None:
        if "/api/v1/" in route.request.url:
            route.continue_()
            return
        refused.append(route.request.url)
        route.abort("internetdisconnected")

    context.route("**/*", refuse_all_but_the_api)
    reporter.send_report()
    assert refused == []
