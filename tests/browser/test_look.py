# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page and panel: no barrier to accessibility, no small target, no scrolling sideways on a narrow phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import NewContext
from tests.browser.pages_server import serve_pages
from tests.browser.screenshots import STATES, fill_shown_panel
from tests.conftest import ROOT

AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ["languages", "start", "protection", "missing", "return", "return-wrong", "return-forced"]
PAGES += [f"mailbox-{state}" for state in ("alarm", "older", "missing", "broken", "many", "sent")]
PAGES += [f"mailbox-{state}" for state in ("changed", "compared", "delete", "deleted", "end", "ended")]
# The panels of the form in their order; the last one is tried with its errors shown.
PANELS_MAX = 20
NARROW: ViewportSize = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with serve_pages() as origin:
        yield origin


def visit(new_context: NewContext, origin: str, state: str, locale: str, **options: object) -> Page:
    # The content policy keeps out the tools of these tests as well; pages are tried under it everywhere else.
    page = new_context(bypass_csp=True, java_script_enabled=state != "unscripted", **options).new_page()
    STATES[state](page, f"{origin}/{locale}")
    return page


def walk(page: Page) -> Iterator[str]:
    """Through the form from its first panel to the code, each filled in, and the errors of the last one."""
    for _ in range(PANELS_MAX):
        fill_shown_panel(page)
        name = page.locator("[data-panel]:visible").get_attribute("data-panel") or ""
        yield name
        if name == "code":
            page.locator("[data-send]").first.click()
            yield "code with errors"
            return
        if name == "p-story":
            page.locator("#q-story").fill("")
            page.locator("[data-panel]:visible [data-next]").click()
            yield "p-story with errors"
            fill_shown_panel(page)
        page.locator("[data-panel]:visible [data-next]").click()
    raise AssertionError("the form does not end")


def axe_violations(page: Page) -> list[object]:
    """What axe finds on the page as it is, in the light and in the dark."""
    found: list[object] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [(scheme, each["id"], [node["target"] for node in each["nodes"]]) for each in result["violations"]]
    return found


def overflowing(page: Page) -> list[str]:
    """Elements that reach out of the window, and the page itself if it can be scrolled sideways."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("html, main *, .bar *")].filter((element) => {
            const box = element.getBoundingClientRect();
            const outside = box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
            return outside || (element === document.documentElement && element.scrollWidth > innerWidth);
        }).map((element) => element.outerHTML.slice(0, 80))"""
    )
    return found


def overflowing_when_narrow(page: Page) -> list[str]:
    """The same on a narrow phone with letters twice as large, and the way to leave if it is out of sight there."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size(NARROW)
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%', 'important')")
    found = overflowing(page)
    expect(page.locator("[data-leave]")).to_be_in_viewport(ratio=1)
    page.evaluate("document.documentElement.style.removeProperty('font-size')")
    page.set_viewport_size(size)
    return found


def small_targets(page: Page) -> list[str]:
    """What can be pressed and is smaller than a thumb needs. Links within a sentence are as high as their line."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter((element) => {
            const box = (element.closest("label") ?? element).getBoundingClientRect();
            const inText = element.matches(".skip, .hidden-text, p a:not([class]), .error-summary__link");
            return box.width > 0 && !inText && (box.height < 24 || box.width < 24);
        }).map((element) => element.outerHTML.slice(0, 80))"""
    )
    return found


def barriers(page: Page) -> list[object]:
    """What keeps somebody out of the page as it is."""
    return [*axe_violations(page), *small_targets(page), *overflowing_when_narrow(page)]


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("state", PAGES)
def test_nothing_on_a_page_keeps_anybody_out(new_context: NewContext, origin: str, state: str, locale: str) -> None:
    page = visit(new_context, origin, state, locale)
    page.add_script_tag(path=AXE)
    assert barriers(page) == []


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_nothing_in_the_form_keeps_anybody_out(new_context: NewContext, origin: str, locale: str) -> None:
    page = visit(new_context, origin, "before", locale)
    page.add_script_tag(path=AXE)
    found = {panel: barriers(page) for panel in walk(page)}
    assert {"before", "p-story with errors", "check", "code with errors"} <= set(found)
    assert {panel: each for panel, each in found.items() if each} == {}


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_codes_read_from_left_to_right_in_every_language(new_context: NewContext, origin: str, locale: str) -> None:
    page = visit(new_context, origin, "code", locale)
    boxes = [group.bounding_box() for group in page.locator('[data-panel="code"] .code__group').all()]
    assert all(box is not None for box in boxes)
    places = [(round(box["y"]), box["x"]) for box in boxes if box is not None]
    assert len(places) == 7
    assert places == sorted(places)
    assert page.locator("[data-back-field]").first.evaluate("(field) => getComputedStyle(field).direction") == "ltr"


def test_the_form_can_be_filled_in_with_the_keyboard_alone(new_context: NewContext, origin: str) -> None:
    page = visit(new_context, origin, "before", "en")
    page.locator('[data-panel="before"] [data-next]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-panel="p-situation"] h1')).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#q-situation-1")).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#q-situation-2")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.locator('[data-panel="p-situation"] [data-clear]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('[data-panel="p-situation"] input:checked')).to_have_count(0)


def test_forced_colours_keep_every_control_visible(new_context: NewContext, origin: str) -> None:
    page = visit(new_context, origin, "checkboxes", "en", forced_colors="active")
    for name in (".button--main:visible", ".choice:visible", "[data-leave]"):
        assert page.locator(name).first.evaluate("(element) => getComputedStyle(element).borderTopStyle") == "solid"


def test_no_page_complains_in_the_console(new_context: NewContext, origin: str) -> None:
    page = new_context().new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for state in ("languages", "start", "protection", "return-wrong", "check"):
        STATES[state](page, f"{origin}/ar")
    assert said == []
