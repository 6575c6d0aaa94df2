# SPDX-License-Identifier: AGPL-3.0-or-later
"""A browser that can't do what is needed is told so on the first panel; what was typed survives every link."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import NewContext
from tests.browser.pages_server import serve_pages
from tests.people import SLUG

FORM, RETURN = f"/en/{SLUG}/report", "/en/return"


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with serve_pages() as origin:
        yield origin


def without_keys(route: Route) -> None:
    """The worker's script in a browser that derives none."""
    answer = route.fetch()
    before = "Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined });"
    route.fulfill(response=answer, body=before + answer.text())


@pytest.mark.parametrize(("path", "held"), [(FORM, "[data-next]:visible"), (RETURN, "[data-open]:visible")])
def test_a_browser_that_lacks_something_is_told_before_anything_is_typed(
    new_context: NewContext, origin: str, path: str, held: str
) -> None:
    page = new_context().new_page()
    page.route("**/*-worker*.js", without_keys)
    page.goto(origin + path)
    expect(page.locator('[data-panel]:visible [data-lack="unsupported"]')).to_be_visible()
    expect(page.locator(held)).to_have_count(0)


@pytest.mark.parametrize("path", [FORM, RETURN])
def test_a_browser_that_can_is_told_nothing(new_context: NewContext, origin: str, path: str) -> None:
    page = new_context().new_page()
    page.goto(origin + path)
    expect(page.locator('[data-tried=""]')).to_have_count(1)
    expect(page.locator("[data-lack]:visible, [data-late]:visible")).to_have_count(0)


@pytest.mark.parametrize("path", [FORM, RETURN])
def test_a_browser_that_knows_no_modules_says_that_it_is_too_old(
    new_context: NewContext, origin: str, path: str
) -> None:
    page = new_context().new_page()
    page.add_init_script("delete HTMLScriptElement.prototype.noModule")
    page.route("**/form*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.route("**/return*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(origin + path)
    expect(page.locator('[data-panel]:visible [data-lack="unsupported"]')).to_be_visible()
    expect(page.locator(".loading")).to_be_hidden()


def test_a_browser_that_can_t_read_a_module_says_that_it_is_too_old(new_context: NewContext, origin: str) -> None:
    page = new_context().new_page()
    page.route("**/form*.js", lambda route: route.fulfill(body="let = ;", content_type="text/javascript"))
    page.goto(origin + FORM)
    expect(page.locator('[data-panel]:visible [data-lack="unsupported"]')).to_be_visible()


@pytest.mark.parametrize(("path", "field"), [(FORM, "textarea"), (RETURN, "#body")])
def test_no_link_throws_away_what_was_typed(new_context: NewContext, origin: str, path: str, field: str) -> None:
    page = new_context().new_page()
    page.goto(origin + path)
    expect(page.locator("[data-ready]")).to_have_count(1)
    page.evaluate(
        """(field) => {
          const typed = document.querySelector(field);
          typed.value = "They took my brother.";
          typed.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        field,
    )
    # Every link of the page, shown or not; the click itself is held back after the guard has seen it.
    kept = page.evaluate(
        """() => {
          document.addEventListener("click", (event) => event.preventDefault());
          const links = [...document.querySelectorAll("a[href]")];
          const leading = links.filter((link) => !("leave" in link.dataset) && link.getAttribute("href")[0] !== "#");
          leading.forEach((link) => link.click());
          return leading.map((link) => [link.target, link.rel]);
        }"""
    )
    assert len(kept) >= 4
    assert all(target == "_blank" and "noopener" in rel for target, rel in kept)
    assert page.url == origin + path
