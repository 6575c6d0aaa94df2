# SPDX-License-Identifier: AGPL-3.0-or-later
"""Somebody in danger, from the first page to what somebody who acts needs to know."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import NewContext
from tests.browser.mailbox_states import give_worker
from tests.browser.reporter import STORY, Reporter
from tests.servers import Program

TAPS_MAX = 8
ANSWERS_MAX = 3
COUNT_TAPS = """addEventListener("pointerdown", () => tapped(), true)"""


def count_taps(context: BrowserContext) -> list[int]:
    """One entry for each tap from now on, on whichever page."""
    taps: list[int] = []
    context.expose_function("tapped", lambda: taps.append(1))
    context.add_init_script(COUNT_TAPS)
    return taps


def open_short_way(page: Page, origin: str) -> Reporter:
    reporter = Reporter(page, origin)
    page.goto(f"{origin}/en/")
    page.get_by_role("link", name="Someone is in danger now").first.click()
    expect(reporter.panel("now")).to_be_visible()
    return reporter


def test_a_few_taps_lead_from_the_first_page_to_what_was_sent(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    taps = count_taps(context)
    page = context.new_page()
    reporter = open_short_way(page, portal_server.origin)
    # Nothing of which way somebody took stays in the address.
    assert page.url == f"{portal_server.origin}/en/demo-commission/report"
    required = reporter.panel("now").locator("[data-question][data-required]")
    assert required.count() <= ANSWERS_MAX
    page.get_by_text("Handed over within three days").click()
    page.get_by_text("Tomorrow").click()
    page.locator("#q-story").click()
    page.keyboard.type(STORY)
    reporter.go_on()
    expect(reporter.panel("code")).to_be_visible()
    expect(reporter.panel("code").get_by_text(re.compile("Step"))).to_be_hidden()
    reporter.type_back()
    # Into the first field; the second one comes by itself.
    taps.append(1)
    reporter.send()
    sent = reporter.panel("sent")
    expect(sent).to_be_visible()
    # Choosing something of a browser's own list is not a click: none is needed.
    assert len(taps) <= TAPS_MAX
    expect(sent).to_contain_text("nobody may have read it yet")
    expect(sent).to_contain_text("every few hours")
    expect(sent.get_by_text("in about a week")).to_be_hidden()

    # What nobody can see is nothing, and a broken character keeps nothing from being sent.
    page.locator("#more-name").fill("\u200b\u2060")
    sent.locator("[data-send-more]").click()
    expect(sent.locator("[data-more-part] [data-errors]")).to_contain_text("Write something")
    page.locator("#more-name").evaluate("field => { field.value = 'A name \\ud800 on paper'; }")
    page.locator("#more-lawyer").fill("+00 000 (invented)")
    with page.expect_request(re.compile("/api/v1/mailbox")):
        sent.locator("[data-send-more]").click()
    expect(sent.locator("[data-more-sent]")).to_be_visible()
    expect(page.locator("#more-name")).to_have_value("")
    expect(sent.locator("[data-more-part]")).to_be_hidden()


def test_the_short_way_and_the_long_one_have_the_same_answers(new_context: NewContext, portal_server: Program) -> None:
    page = new_context().new_page()
    reporter = open_short_way(page, portal_server.origin)
    reporter.go_on()
    problems = reporter.panel("now").locator("[data-errors] li")
    expect(problems).to_have_count(2)
    reporter.write("Written in a hurry")
    page.locator("[data-whole]").click()
    expect(reporter.panel("p-who")).to_be_visible()
    # Nobody who goes the long way has to name a danger.
    reporter.go_on()
    expect(page.locator("#q-story")).to_have_value("Written in a hurry")
    page.go_back()
    page.go_back()
    expect(reporter.panel("now")).to_be_visible()
    expect(page.locator("#q-story")).to_have_value("Written in a hurry")
    page.go_forward()
    page.go_forward()
    reporter.go_on()
    expect(reporter.panel("check")).to_be_visible()


@pytest.mark.parametrize("choice", ["Today", "On another day", "I don’t know the day"])
def test_the_moment_is_shown_as_it_was_given(new_context: NewContext, portal_server: Program, choice: str) -> None:
    page = new_context().new_page()
    page.clock.install(time="2026-11-28T12:00:00Z")
    reporter = Reporter(page, portal_server.origin)
    reporter.open_form()
    reporter.go_on()
    moment = page.locator('[data-question="handover"]')
    moment.get_by_text(choice).check()
    if choice == "On another day":
        page.locator("#q-handover-day").fill("3")
        page.locator("#q-handover-month").select_option("12")
        page.locator("#q-handover-year").fill("2026")
    if choice != "I don’t know the day":
        page.locator("#q-handover-hour").select_option("5")
        page.locator("#q-handover-about").check()
    words = {
        "Today": "about 28 November 2026, at 05:00",
        "On another day": "about 3 December 2026, at 05:00",
        "I don’t know the day": "I don’t know the day",
    }[choice]
    reporter.go_on()
    reporter.write()
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text(words)
    reporter.panel("check").locator(".summary__row", has_text="When is it to happen").locator("[data-change]").click()
    moment.locator("[data-clear]").click()
    reporter.go_on()
    expect(reporter.panel("check")).not_to_contain_text(words)


# What the last panel says, by how urgent the answers are, and by whether the code is kept.
SAID_AFTERWARDS = {
    "nobody may have read it yet": {"now"},
    "Look again every few hours": {"now", "kept"},
    "Look every day": {"soon", "kept"},
    "Look in about a week": {"none", "kept"},
    "Look for an answer with your code": {"kept"},
    "tell us with your code": {"kept"},
    "You chose to keep no code": {"without"},
    "What helps somebody who acts": {"now", "soon"},
    "We never contact you first": set(),
    "locked and safely stored": set(),
}
ANSWERS = {"now": ["#q-urgency-2"], "soon": ["#q-handover-unknown"], "none": []}


@pytest.mark.parametrize("keeps", ["kept", "without"])
@pytest.mark.parametrize("level", list(ANSWERS))
def test_what_is_said_afterwards_is_so(new_context: NewContext, portal_server: Program, level: str, keeps: str) -> None:
    """Every sentence of the table stands there exactly when all that it goes with is so."""
    context = new_context()
    fresh = {"day": "2026-05-01", "old": False}
    accepted = {"acknowledgement": "", "submission": "", "manifest": "", "newest": fresh, "asBefore": False}
    give_worker(context, "seal-worker", {"checkCharter": fresh, "submit": accepted})
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_on()
    for field in ANSWERS[level]:
        reporter.page.locator(field).check()
    reporter.go_on()
    reporter.write()
    reporter.go_on()
    reporter.go_on()
    if keeps == "kept":
        reporter.type_back()
    else:
        reporter.panel("code").locator("summary", has_text="I can’t write it down").click()
        reporter.page.locator("#without-code").check()
    reporter.send()
    sent = reporter.panel("sent")
    expect(sent).to_be_visible()
    for words, goes_with in SAID_AFTERWARDS.items():
        levels, code = goes_with & set(ANSWERS), goes_with - set(ANSWERS)
        is_so = (not levels or level in levels) and (not code or keeps in code)
        expect(sent.get_by_text(words)).to_be_visible(visible=is_so)
