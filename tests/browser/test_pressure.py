# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal under pressure, busy or full, as reporters meet it: the real worker, a real portal."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Request, Route, expect

from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter, refuse
from tests.servers import Program, portal_program, post_test_charter

CALCULATES = "your device calculates something first"
HEADER = "amparo-work"


@pytest.fixture(scope="module")
def small_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A portal with two turns, and the charter of the test commission."""
    portal = portal_program(Path(tmp_path_factory.mktemp("small")), PORTAL_WAITING_MAX="2")
    portal.start()
    post_test_charter(portal)
    yield portal
    portal.stop()


@pytest.fixture
def pressed(small_portal: Program) -> Program:
    """The same after somebody took one of the turns: it asks for work for some minutes."""
    headers = {"content-digest": f"sha-256=:{'A' * 43}=:"}
    httpx.put(f"{small_portal.origin}/api/v1/uploads/{'0' * 32}/attachment-1.age/0", headers=headers)
    assert asked(small_portal)
    return small_portal


def asked(portal: Program) -> bool:
    return httpx.get(f"{portal.origin}/api/v1/work").json()["work"] is not None


def writes(context: BrowserContext) -> list[Request]:
    """What the page sends from now on that the portal could ask work for."""
    sent: list[Request] = []
    paths = ("/api/v1/submissions", "/api/v1/uploads/", "/api/v1/mailbox/changes")
    context.on(
        "request",
        lambda request: (
            sent.append(request) if request.method != "GET" and any(path in request.url for path in paths) else None
        ),
    )
    return sent


def ready_to_send(context: BrowserContext, origin: str) -> Reporter:
    reporter = Reporter(context.new_page(), origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.type_back()
    return reporter


def test_a_report_with_a_file_goes_through_under_pressure(new_context: NewContext, pressed: Program) -> None:
    context = new_context()
    sent = writes(context)
    reporter = Reporter(context.new_page(), pressed.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.attach("photo.txt", "text/plain", b"x" * 5000)
    reporter.write()
    reporter.go_on()
    reporter.go_on()
    reporter.type_back()
    # Everything that the notice ever said.
    reporter.page.evaluate(
        """() => {
            window.said = new Set();
            const notice = document.querySelector('[data-panel="sending"] [data-trouble]');
            const bar = notice.querySelector("progress");
            const note = () => notice.hidden || window.said.add(notice.innerText + bar.hidden);
            new MutationObserver(note).observe(notice, { subtree: true, childList: true, attributes: true });
        }"""
    )
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()
    said = reporter.page.evaluate("[...window.said]")
    assert any(CALCULATES in words and words.endswith("false") for words in said)
    works = [request.headers[HEADER] for request in sent if HEADER in request.headers]
    assert len(works) == len(set(works)) == 2
    # One part was sent before the portal had asked; the report was not sent in vain.
    assert len(sent) == 3


def test_below_the_threshold_no_work_is_asked_or_done(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    asked_for: list[Request] = []
    context.on("request", lambda request: asked_for.append(request) if request.url.endswith("/work") else None)
    sent = writes(context)
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.send_report()
    assert asked_for == []
    assert sent
    assert not any(HEADER in request.headers for request in sent)


def test_a_message_is_sent_under_pressure_and_reading_is_not_held_up(new_context: NewContext, pressed: Program) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), pressed.origin)
    reporter.open_form()
    code = reporter.send_report()
    reporter.open_return()
    sent = writes(context)
    reporter.enter_code(code)
    expect(reporter.panel("mailbox")).to_be_visible()
    assert not any(HEADER in request.headers for request in sent)
    reporter.page.locator("#body").fill("They came back.")
    reporter.page.locator('[data-panel="mailbox"] [data-send]').click()
    expect(reporter.page.locator("[data-followed-up]")).to_be_visible()
    assert HEADER in sent[-1].headers


def test_a_network_that_goes_in_the_middle_of_it_loses_nothing(new_context: NewContext, pressed: Program) -> None:
    context = new_context()
    reporter = ready_to_send(context, pressed.origin)
    cut: list[str] = []

    def break_off(route: Route) -> None:
        if HEADER in route.request.headers and not cut:
            cut.append(route.request.headers[HEADER])
            route.abort("internetdisconnected")
        else:
            route.continue_()

    context.route("**/api/v1/submissions", break_off)
    sent = writes(context)
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()
    assert len(cut) == 1
    assert sent[-1].headers[HEADER] not in cut


def test_a_busy_portal_is_said_and_it_goes_on_by_itself(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    reporter = ready_to_send(context, portal_server.origin)
    context.route("**/api/v1/submissions", lambda route: refuse(route, 503, "busy"))
    reporter.send()
    trouble = reporter.panel("sending").locator("[data-trouble]")
    expect(trouble).to_contain_text("The site can’t take it at the moment. Nothing is lost")
    expect(trouble.locator("progress")).to_be_hidden()
    context.unroute("**/api/v1/submissions")
    expect(reporter.panel("sent")).to_be_visible()


def test_a_portal_without_room_is_said_in_its_own_words_and_asked_again(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    code = reporter.send_report()

    def full(route: Route) -> None:
        refuse(route, 507, "storage-full")

    context.route("**/api/v1/submissions", full)
    form = ready_to_send(context, portal_server.origin)
    form.send()
    trouble = form.panel("sending").locator("[data-trouble]")
    expect(trouble).to_contain_text("The site has no room left.")
    context.unroute("**/api/v1/submissions")
    expect(form.panel("sent")).to_be_visible()

    reporter.open_return()
    reporter.enter_code(code)
    expect(reporter.panel("mailbox")).to_be_visible()
    context.route("**/api/v1/mailbox/changes", full)
    reporter.page.locator("#body").fill("They came back.")
    reporter.page.locator('[data-panel="mailbox"] [data-send]').click()
    expect(reporter.page.locator("[data-follow-up] [data-trouble]")).to_contain_text("The site has no room left")
    context.unroute("**/api/v1/mailbox/changes")
    expect(reporter.page.locator("[data-followed-up]")).to_be_visible()
