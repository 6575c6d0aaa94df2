# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the reporter's pages say of a portal that lies, refuses or answers with somebody else's page is so."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter, refuse
from tests.servers import Program

NOBODYS_CODE = "31415 59266 53582 97934 23845 62642 33527"
SUCCESSORS = re.compile("/charters/.*/successors")
STILL_HERE = "What you wrote is still here."


def errors_of(reporter: Reporter) -> Locator:
    return reporter.shown.locator("[data-errors]:visible")


def at_the_code(context: BrowserContext, origin: str) -> Reporter:
    """Whether or not anything has come of the charter."""
    reporter = Reporter(context.new_page(), origin)
    reporter.open_form()
    reporter.go_to_code_without_news()
    reporter.type_back()
    return reporter


def in_a_mailbox(context: BrowserContext, origin: str) -> Reporter:
    """One of which nobody has spoken."""
    reporter = Reporter(context.new_page(), origin)
    reporter.open_return()
    reporter.enter_code(NOBODYS_CODE)
    expect(reporter.panel("mailbox")).to_be_visible()
    return reporter


def send_message(reporter: Reporter) -> None:
    reporter.page.locator('[data-panel="mailbox"] [data-send]').click()


@pytest.mark.parametrize("kind", ["offline", "full"])
def test_what_was_wrong_before_send_was_pressed_is_said_after_it_too(
    new_context: NewContext, portal_server: Program, kind: str
) -> None:
    context = new_context()
    context.route(
        SUCCESSORS,
        lambda route: route.abort("internetdisconnected") if kind == "offline" else refuse(route, 507, "storage-full"),
    )
    reporter = at_the_code(context, portal_server.origin)
    # Said where it is not shown yet, and hidden when Send is pressed.
    expect(reporter.panel("sending").locator("[data-trouble]")).not_to_have_attribute("hidden", "")
    reporter.send()
    expect(reporter.panel("sending").locator("[data-trouble]")).to_be_visible()


def test_nothing_says_that_a_report_which_was_taken_was_not_sent(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    taken = []

    def take(route: Route) -> None:
        taken.append(route.fetch().status)
        refuse(route, 400, "malformed-bundle")

    context.route("**/api/v1/submissions", take)
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.type_back()
    reporter.send()
    expect(errors_of(reporter)).to_contain_text("Do not count on it having arrived")
    context.route(SUCCESSORS, lambda route: refuse(route, 404, "charter-unknown"))
    reporter.page.locator("[data-retry]").click()
    expect(errors_of(reporter)).to_contain_text("can’t be used")
    expect(errors_of(reporter)).not_to_contain_text("nothing was sent")
    assert taken == [201]


def test_somebody_elses_page_in_the_place_of_the_charter_is_not_kept(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    charter = reporter.page.locator("[data-report]").get_attribute("data-charter-src")
    foreign = ["<html>Welcome to this network. Log in first.</html>"]
    context.route(
        f"**{charter}",
        lambda route: route.fulfill(status=200, body=foreign.pop()) if foreign else route.fallback(),
    )
    reporter = at_the_code(context, portal_server.origin)
    assert foreign == []
    retry, asked = reporter.page.locator("[data-retry]"), reporter.page.locator("[data-charter-old]")
    sent = reporter.panel("sent")
    # How old the charter is may be known by now; then whoever presses Send has been asked.
    reporter.send()
    expect(retry.or_(asked).or_(sent).locator("visible=true").first).to_be_visible()
    if retry.is_visible():
        # Send was pressed before anybody had looked at what had come.
        retry.click()
        expect(asked).to_be_visible()
    if not sent.is_visible():
        expect(asked.or_(sent).locator("visible=true").first).to_be_visible()
        if not sent.is_visible():
            reporter.send()
    expect(sent).to_be_visible()


def test_nothing_can_be_added_to_a_message_that_is_on_its_way(new_context: NewContext, portal_server: Program) -> None:
    """It would not be sent, and would be gone with what was."""
    context = new_context()
    reporter = in_a_mailbox(context, portal_server.origin)
    context.route("**/api/v1/mailbox/changes", lambda route: refuse(route, 503, "busy"))
    body = reporter.page.locator("#body")
    body.fill("They came back.")
    send_message(reporter)
    expect(reporter.page.locator("[data-follow-up] [data-trouble]")).to_be_visible()
    expect(body).not_to_be_editable()
    context.unroute("**/api/v1/mailbox/changes")
    expect(reporter.page.locator("[data-followed-up]")).to_be_visible()
    reporter.page.locator("[data-another]").click()
    expect(body).to_be_editable()
    expect(body).to_have_value("")


@pytest.mark.parametrize(("status", "code"), [(409, "damaged"), (400, "malformed-request")])
def test_nothing_is_said_to_be_still_there_where_nothing_was_written(
    new_context: NewContext, portal_server: Program, status: int, code: str
) -> None:
    context = new_context()
    context.route("**/api/v1/mailbox", lambda route: refuse(route, status, code))
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_return()
    reporter.enter_code(NOBODYS_CODE)
    expect(errors_of(reporter)).to_contain_text("Do not count on anything having been sent or changed")
    expect(errors_of(reporter)).not_to_contain_text(STILL_HERE)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (409, "state-conflict", "This site says that another device"),
        (429, "mailbox-full", "This site says that many messages are waiting"),
        (409, "damaged", "This site says that what it holds of this mailbox is damaged"),
    ],
)
def test_what_only_the_portal_knows_is_said_on_its_word(
    new_context: NewContext, portal_server: Program, status: int, code: str, words: str
) -> None:
    context = new_context()
    reporter = in_a_mailbox(context, portal_server.origin)
    context.route("**/api/v1/mailbox/changes", lambda route: refuse(route, status, code))
    reporter.page.locator("#body").fill("They came back.")
    send_message(reporter)
    expect(errors_of(reporter)).to_contain_text(words)
    expect(errors_of(reporter)).to_contain_text(STILL_HERE)


def test_a_message_that_is_too_long_only_when_it_is_written_down_is_told_what_to_do(
    new_context: NewContext, portal_server: Program
) -> None:
    """Quotes and line breaks take twice their room."""
    reporter = in_a_mailbox(new_context(), portal_server.origin)
    reporter.page.locator("#body").evaluate("(field, text) => { field.value = text; }", '"no"\n' * 9000)
    send_message(reporter)
    expect(errors_of(reporter)).to_contain_text("Send it in two parts")


@pytest.mark.parametrize("changes", [False, True])
def test_a_report_that_was_taken_without_an_acknowledgement_is_one_report_after_try_again(
    new_context: NewContext, portal_server: Program, changes: bool
) -> None:
    """Also when something was changed meanwhile; then the page says what has arrived."""
    context = new_context()
    answers: list[int] = []

    def lose_the_first(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer.status)
        if len(answers) == 1:
            refuse(route, 400, "malformed-bundle")
        else:
            route.fulfill(response=answer)

    context.route("**/api/v1/submissions", lose_the_first)
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.attach("paper.pdf", "application/pdf", b"%PDF" * 50_000)
    reporter.write()
    reporter.go_on()
    reporter.go_on()
    reporter.type_back()
    reporter.send()
    expect(errors_of(reporter)).to_contain_text("Do not count on it having arrived")
    if changes:
        reporter.page.locator("[data-to-check]").click()
        row = reporter.panel("check").locator(".summary__row", has_text="What happened?")
        row.locator("[data-change]").click()
        reporter.write("They took my brother, and his papers.")
        reporter.go_on()
        reporter.go_on()
        reporter.send()
    else:
        reporter.page.locator("[data-retry]").click()
    expect(reporter.panel("sent")).to_be_visible()
    expect(reporter.page.locator("[data-as-before]")).to_be_visible(visible=changes)
    assert answers == [201, 200]


def test_from_a_site_without_room_there_is_a_way_back_to_the_files(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    context.route("**/api/v1/uploads/**", lambda route: refuse(route, 507, "storage-full"))
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.attach("paper.pdf", "application/pdf", b"%PDF" * 5_000)
    reporter.write()
    reporter.go_on()
    reporter.go_on()
    reporter.type_back()
    reporter.send()
    expect(reporter.panel("sending").locator("[data-trouble]")).to_contain_text("has no room left")
    reporter.page.locator("[data-stop]").click()
    reporter.panel("check").locator(".summary__row", has_text="paper.pdf").locator("[data-change]").click()
    reporter.page.locator("[data-remove]").click()
    reporter.go_on()
    reporter.go_on()
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()
