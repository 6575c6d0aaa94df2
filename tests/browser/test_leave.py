# SPDX-License-Identifier: AGPL-3.0-or-later
"""Leave now: the page is gone at once, and Back and Forward show nothing of ours."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter
from tests.servers import Program, portal_program, post_test_charter

ELSEWHERE = "http://elsewhere.test/"
PASTE = "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })); }"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A portal whose way out is another site, which `away` plays."""
    program = portal_program(tmp_path_factory.mktemp("portal"), PORTAL_LEAVE_URL=ELSEWHERE)
    program.start()
    post_test_charter(program)
    yield program
    program.stop()


def away(new_context: NewContext, **options: object) -> Page:
    context = new_context(**options)
    context.route(f"{ELSEWHERE}**", lambda route: route.fulfill(body="Weather", content_type="text/html"))
    page = context.new_page()
    page.goto(f"{ELSEWHERE}first")
    return page


def test_a_long_text_without_a_space_keeps_nobody_from_leaving(new_context: NewContext, portal: Program) -> None:
    page = away(new_context)
    reporter = Reporter(page, portal.origin)
    reporter.open_form()
    reporter.go_to_story()
    # 200 KB, at once.
    text = "س" * 100_000
    page.locator("#q-story").evaluate(PASTE, text)
    reporter.go_on()
    expect(reporter.panel("check")).to_be_visible()
    assert text in (reporter.panel("check").text_content() or "")
    page.locator("[data-leave]").click()
    expect(page).to_have_url(ELSEWHERE)


def test_leaving_the_form_shows_the_other_site_and_back_shows_nothing_of_ours(
    new_context: NewContext, portal: Program
) -> None:
    page = away(new_context)
    page.goto(f"{portal.origin}/en/")
    reporter = Reporter(page, portal.origin)
    reporter.open_form()
    reporter.go_to_code("Words that must not be seen again")
    page.go_back()
    page.go_back()
    expect(reporter.panel("p-what")).to_be_visible()
    page.locator("[data-leave]").click()
    expect(page).to_have_url(ELSEWHERE)
    for step in ("back", "back", "forward", "back", "forward", "forward"):
        page.evaluate(f"history.{step}()")
        expect(page.locator("body")).to_have_text("Weather")
        expect(page).to_have_url(re.compile(f"^{ELSEWHERE}"))


def test_back_between_our_own_pages_still_works(new_context: NewContext, portal: Program) -> None:
    page = away(new_context)
    page.goto(f"{portal.origin}/en/")
    page.locator('.paths__link[href="/en/protection"]').click()
    expect(page).to_have_url(f"{portal.origin}/en/protection")
    page.go_back()
    expect(page).to_have_url(f"{portal.origin}/en/")
    expect(page.locator("h1")).to_be_visible()


def test_a_browser_that_does_not_tell_where_it_came_from_keeps_one_entry_for_all_our_pages(
    new_context: NewContext, portal: Program
) -> None:
    page = away(new_context)
    page.add_init_script("delete Window.prototype.navigation; delete window.navigation;")
    page.goto(f"{portal.origin}/en/")
    assert page.evaluate("typeof window.navigation") == "undefined"
    page.locator('.paths__link[href="/en/protection"]').click()
    expect(page).to_have_url(f"{portal.origin}/en/protection")
    page.locator("[data-leave]").click()
    expect(page).to_have_url(ELSEWHERE)
    page.go_back()
    expect(page).to_have_url(f"{ELSEWHERE}first")


def test_leaving_wipes_the_page_before_the_other_one_answers(new_context: NewContext, portal: Program) -> None:
    page = away(new_context)
    reporter = Reporter(page, portal.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write("Words that must not be seen again")
    left = page.evaluate(
        """() => {
            const story = document.querySelector("#q-story");
            document.querySelector("[data-leave]").click();
            return [document.body, story.value, document.title, document.documentElement.textContent];
        }"""
    )
    assert left == [None, "", "", ""]
    expect(page).to_have_url(ELSEWHERE)


def test_leaving_asks_no_question_although_something_was_typed(new_context: NewContext, portal: Program) -> None:
    page = away(new_context)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    reporter = Reporter(page, portal.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    page.locator("[data-leave]").click()
    expect(page).to_have_url(ELSEWHERE)
    assert asked == []


def test_closing_the_form_by_mistake_is_asked_about(new_context: NewContext, portal: Program) -> None:
    page = away(new_context)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    reporter = Reporter(page, portal.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    page.goto(f"{portal.origin}/en/")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("path", ["/", "/en/", "/ar/return", "/en/protection", "/ar/nothing-here"])
def test_every_page_can_be_left_with_and_without_script(new_context: NewContext, portal: Program, path: str) -> None:
    for scripted in (True, False):
        page = away(new_context, java_script_enabled=scripted)
        page.goto(f"{portal.origin}{path}")
        button = page.locator("[data-leave]")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        page.mouse.wheel(0, 2000)
        expect(button).to_be_in_viewport(ratio=1)
        button.click()
        expect(page).to_have_url(ELSEWHERE)
