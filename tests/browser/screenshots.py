# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of every page and state, to be looked at: ``python -m tests.browser.screenshots [WORD…]``.

They go to ``var/screenshots``, named ``<state>-<language>-<view>-<scheme>.png``. With words, only the states whose
names hold one of them. The views are a phone, a narrow phone at twice the text size, and a desktop.
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from crypto.receipt_code import new_code
from tests.browser.browsing import CHROMIUM_ARGUMENTS, TIMEOUT_MS
from tests.browser.mailbox_states import MAILBOXES, give_worker, show_mailbox
from tests.browser.pages_server import serve_pages
from tests.conftest import ROOT

OUT = ROOT / "var" / "screenshots"
SLUG = "demo-commission"
STORY = (
    "They came at six in the morning and took my brother. Nobody showed a paper. He was questioned without a lawyer "
    "for two days. You can reach my sister under +41 44 123 45 67.\n\n" + "He has not seen a doctor since. " * 12
)
CODE = new_code(lambda size: bytes(range(size)))
_PANELS_MAX = 20


def _start(page: Page, base: str) -> None:
    page.goto(f"{base}/")


def _languages(page: Page, base: str) -> None:
    page.goto(base.rsplit("/", 1)[0] + "/")


def _protection(page: Page, base: str) -> None:
    page.goto(f"{base}/protection")


def _missing(page: Page, base: str) -> None:
    page.goto(f"{base}/nothing-here")


def _return(page: Page, base: str) -> None:
    page.goto(f"{base}/return")
    page.locator("[data-return][data-ready]").wait_for()


def _return_wrong(page: Page, base: str) -> None:
    _return(page, base)
    page.locator("#code").fill("12345 67890 12345")
    page.locator("[data-open]").click()


def _mailbox(name: str) -> Callable[[Page, str], None]:
    def visit(page: Page, base: str) -> None:
        show_mailbox(page.context, MAILBOXES[name])
        _return(page, base)
        page.locator("#code").fill(CODE)
        page.locator("[data-open]").click()
        page.locator('[data-panel="mailbox"]').wait_for()

    return visit


def _mailbox_after(*presses: str) -> Callable[[Page, str], None]:
    """An open mailbox with a message begun, after these buttons were pressed."""

    def visit(page: Page, base: str) -> None:
        _mailbox("calm")(page, base)
        page.context.unroute("**/mailbox-worker*")
        page.locator("#body").fill("They threatened my sister.")
        for press in presses:
            page.locator(press).click()
        page.wait_for_function("!document.querySelector('[data-working]:not([hidden])')")

    return visit


_DELETE = ("[data-ask] summary", "[data-ask-delete]")
_END = ("[data-ask] summary", "[data-ask-end]")


def _conflict(page: Page, base: str) -> None:
    show_mailbox(page.context, MAILBOXES["calm"], followUp={"error": "mailbox-changed"})
    _return(page, base)
    page.locator("#code").fill(CODE)
    page.locator("[data-open]").click()
    page.locator("#body").fill("They threatened my sister.")
    page.locator('[data-panel="mailbox"] [data-send]').click()
    page.locator("[data-follow-up] [data-errors]").wait_for()


def _compared(page: Page, base: str) -> None:
    _mailbox("calm")(page, base)
    page.locator("[data-compare] summary").click()
    file = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"amparo acknowledgement v1\na\nb\nc\n"}
    page.locator("#note").set_input_files(file)  # type: ignore[arg-type]
    page.locator('[data-compared="other"]').wait_for()


def _forced(page: Page, base: str) -> None:
    _return(page, base)
    page.locator("details summary").first.click()


def _charter(*notices: str) -> Callable[[Page, str], None]:
    """The last step of the form with what there is to say of the charter."""

    def visit(page: Page, base: str) -> None:
        _go_to("code")(page, base)
        for notice in notices:
            element = page.locator(f'[data-panel="code"] [data-{notice}]')
            element.evaluate("(element) => { element.hidden = false; }")

    return visit


def _before(page: Page, base: str) -> None:
    page.goto(f"{base}/{SLUG}/report")
    page.locator("[data-report][data-ready]").wait_for()


def _go_to(panel: str) -> Callable[[Page, str], None]:
    def visit(page: Page, base: str) -> None:
        _before(page, base)
        for _ in range(_PANELS_MAX):
            if page.locator(f'[data-panel="{panel}"]').is_visible():
                return
            fill_shown_panel(page)
            page.locator("[data-panel]:visible [data-next]").click()
        raise RuntimeError(f"{panel} is not reached")

    return visit


def fill_shown_panel(page: Page) -> None:
    """Something in every field of the panel that is shown, long texts and long names among it."""
    shown = page.locator("[data-panel]:visible")
    for field in shown.locator("textarea").all():
        field.fill(STORY)
    for field in shown.locator("input[type=radio]").all()[:1] + shown.locator("input[type=checkbox]:visible").all()[:2]:
        field.check()
    if shown.locator("#q-files").count():
        for name, kind in (
            ("DSC_2041.jpg", "image/jpeg"),
            ("a very long name of a court decision.pdf", "application/pdf"),
        ):
            file = {"name": name, "mimeType": kind, "buffer": b"x" * 240_000}
            shown.locator("#q-files").set_input_files(file)  # type: ignore[arg-type]


def _filled(panel: str) -> Callable[[Page, str], None]:
    def visit(page: Page, base: str) -> None:
        _go_to(panel)(page, base)
        fill_shown_panel(page)

    return visit


def _story_missing(page: Page, base: str) -> None:
    _go_to("p-story")(page, base)
    page.locator("[data-panel]:visible [data-next]").click()


def _code_wrong(page: Page, base: str) -> None:
    _go_to("code")(page, base)
    page.locator("[data-back-field]").first.fill("12345")
    page.locator("[data-send]").click()


# Why sending takes longer: the kinds of formats/worker-calls.js.
TROUBLES = ("offline", "busy", "long", "full", "work")


def _sending(kind: str) -> Callable[[Page, str], None]:
    def visit(page: Page, base: str) -> None:
        fresh = {"day": "2026-05-01", "old": False}
        give_worker(page.context, "seal-worker", {"checkCharter": fresh, "submit": {"kind": kind, "share": 0.4}})
        _go_to("code")(page, base)
        groups = page.locator('[data-panel="code"] .code__group').all_inner_texts()
        for index, label in enumerate(page.locator("[data-back-label]").all_inner_texts()):
            page.locator("[data-back-field]").nth(index).fill(groups[int(label.split()[-1]) - 1])
        page.locator("[data-send]").first.click()
        page.locator('[data-panel="sending"] [data-trouble]').wait_for()

    return visit


def _now(page: Page, base: str) -> None:
    page.goto(f"{base}/{SLUG}/report#now")
    page.locator("[data-report][data-ready]").wait_for()


def _now_filled(page: Page, base: str) -> None:
    _now(page, base)
    fill_shown_panel(page)
    page.locator("#q-handover-1").check()


def _now_missing(page: Page, base: str) -> None:
    _now(page, base)
    page.locator("[data-panel]:visible [data-next]").click()


def _surrender(page: Page, base: str) -> None:
    _go_to("p-surrender")(page, base)
    page.locator("#q-handover-date").check()


def _groups(page: Page, base: str) -> None:
    _go_to("p-what")(page, base)
    page.locator("#q-what-1").evaluate("field => { field.closest('details').open = true; }")
    page.locator("#q-what-1").check()


def _sent(way: Callable[[Page, str], None]) -> Callable[[Page, str], None]:
    def visit(page: Page, base: str) -> None:
        fresh = {"day": "2026-05-01", "old": False}
        accepted = {"acknowledgement": "", "submission": "", "manifest": "", "newest": fresh}
        give_worker(page.context, "seal-worker", {"checkCharter": fresh, "submit": accepted})
        way(page, base)
        page.locator("[data-panel]:visible [data-next]").click()
        page.locator("#without-code").evaluate("field => field.click()")
        page.locator('[data-panel="code"] [data-send]').click()
        page.locator('[data-panel="sent"]').wait_for()
        page.locator("[data-more-part]").wait_for()

    return visit


def _mailbox_waits(kind: str) -> Callable[[Page, str], None]:
    def visit(page: Page, base: str) -> None:
        show_mailbox(page.context, MAILBOXES["calm"], followUp={"kind": kind, "share": 0.4})
        _return(page, base)
        page.locator("#code").fill(CODE)
        page.locator("[data-open]").click()
        page.locator("#body").fill("They threatened my sister.")
        page.locator('[data-panel="mailbox"] [data-send]').click()
        page.locator("[data-follow-up] [data-trouble]").wait_for()

    return visit


def _unscripted(page: Page, base: str) -> None:
    page.goto(f"{base}/{SLUG}/report")


STATES: dict[str, Callable[[Page, str], None]] = {
    "languages": _languages,
    "start": _start,
    "protection": _protection,
    "missing": _missing,
    "return": _return,
    "return-wrong": _return_wrong,
    "return-forced": _forced,
    **{f"mailbox-{name}": _mailbox(name) for name in MAILBOXES},
    "mailbox-sent": _mailbox_after("[data-follow-up] [data-send]"),
    "mailbox-changed": _conflict,
    "mailbox-compared": _compared,
    "mailbox-delete": _mailbox_after(*_DELETE),
    "mailbox-deleted": _mailbox_after(*_DELETE, "[data-delete]"),
    "mailbox-end": _mailbox_after(*_END),
    "mailbox-ended": _mailbox_after(*_END, "[data-end]"),
    "before": _before,
    "now": _now,
    "now-filled": _now_filled,
    "now-missing": _now_missing,
    "sent-now": _sent(_now_filled),
    "surrender": _surrender,
    "groups": _groups,
    "choice": _filled("p-situation"),
    "checkboxes": _filled("p-danger"),
    "story": _filled("p-story"),
    "story-missing": _story_missing,
    "date": _go_to("p-when"),
    "place": _go_to("p-place"),
    "files": _filled("p-files"),
    "members": _filled("p-exclude"),
    "check": _go_to("check"),
    "code": _go_to("code"),
    "code-wrong": _code_wrong,
    "code-charter-old": _charter("charter-day", "charter-old"),
    "code-charter-replaced": _charter("replaced"),
    **{f"sending-{kind}": _sending(kind) for kind in TROUBLES},
    **{f"mailbox-waits-{kind}": _mailbox_waits(kind) for kind in TROUBLES},
    "unscripted": _unscripted,
}


@dataclass(frozen=True)
class View:
    """The window of a picture; ``text`` multiplies the font size."""

    name: str
    width: int
    height: int
    text: float = 1
    scheme: str = "light"


def take(browser: Browser, origin: str, state: str, locale: str, view: View) -> Path:
    """One picture of the whole page; its path."""
    context = browser.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        java_script_enabled=state != "unscripted",
        bypass_csp=view.text != 1,
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: print(f"{state}: {error}", file=sys.stderr))
    STATES[state](page, f"{origin}/{locale}")
    if view.text != 1:
        page.add_style_tag(content=f"html {{ font-size: {view.text * 100:.0f}% !important; }}")
    path = OUT / f"{state}-{locale}-{view.name}-{view.scheme}.png"
    page.screenshot(path=path, full_page=True)
    context.close()
    return path


PHONE = View("phone", 390, 844)
NARROW = View("narrow", 320, 640, text=2)
DARK = View("phone", 390, 844, scheme="dark")
DESK = View("desk", 1280, 860)
_TAKEN = (("en", PHONE), ("en", NARROW), ("en", DARK), ("en", DESK), ("ar", PHONE), ("ar", NARROW))


def main(words: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    chosen = [state for state in STATES if not words or any(word in state for word in words)]
    with serve_pages() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or os.environ["AMPARO_CHROMIUM"], args=CHROMIUM_ARGUMENTS
        )
        for state in chosen:
            for locale, view in _TAKEN:
                print(take(browser, origin, state, locale, view))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
