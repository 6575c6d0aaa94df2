# SPDX-License-Identifier: AGPL-3.0-or-later
"""The way back with a code, in a real browser, against a real portal."""

import json
from random import Random

import pytest
from playwright.sync_api import Dialog, Request, expect

from crypto.receipt_code import add_checks, groups, new_code
from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter
from tests.servers import Program

NOTHING = "There is nothing new for this code."


def test_an_unknown_code_and_an_empty_mailbox_look_the_same(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    known = reporter.send_report()
    texts = []
    for code in (known, new_code(rng.randbytes)):
        reporter.open_return()
        reporter.enter_code(code)
        expect(reporter.panel("mailbox")).to_contain_text(NOTHING)
        reporter.page.locator("#kind-retaliation").check()
        reporter.page.locator("#body").fill("They threatened me.")
        reporter.page.locator("[data-follow-up] [data-send]").click()
        expect(reporter.page.locator("[data-followed-up]")).to_be_focused()
        texts.append(reporter.page.locator("main").inner_text())
        expect(reporter.page.locator("#body")).to_have_value("")
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "spell",
    [
        lambda digits: digits.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda digits: digits.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
        lambda digits: digits.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        lambda digits: "-".join(groups(digits)),
        lambda digits: f"\u202a{digits[:18]}\u202c\u200f {digits[18:]}\n",
    ],
    ids=["arabic", "persian", "full-width", "hyphens", "pasted marks"],
)
def test_a_code_is_taken_as_people_write_it(
    new_context: NewContext, portal_server: Program, rng: Random, spell: object
) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_return()
    reporter.enter_code(spell(new_code(rng.randbytes)))  # type: ignore[operator]
    expect(reporter.panel("mailbox")).to_contain_text(NOTHING)


def test_a_mistake_names_its_group_and_asks_nobody(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_return()
    requests: list[Request] = []
    context.on("request", lambda request: requests.append(request))  # noqa: PLW0108
    code = new_code(rng.randbytes)
    parts = list(groups(code))
    one_digit = parts.copy()
    one_digit[2] = str((int(parts[2][0]) + 1) % 10) + parts[2][1:]
    foreign = parts.copy()
    foreign[4] = "O" + parts[4][1:]
    error = reporter.page.locator("#code-error")
    for typed, words in (
        (one_digit, "Check group 3: a digit is wrong"),
        (foreign, "something other than digits in group 5"),
        (parts[:6], "5 digits are missing"),
        ([*parts, "12345"], "5 digits too many"),
        ([], "Type your code"),
    ):
        reporter.enter_code(" ".join(typed))
        expect(error).to_contain_text(words)
        expect(reporter.shown.locator("[data-errors]")).to_be_focused()
    assert requests == []


def test_two_groups_in_the_wrong_order_are_named(new_context: NewContext, portal_server: Program, rng: Random) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_return()
    parts = list(groups(new_code(rng.randbytes)))
    parts[1], parts[5] = parts[5], parts[1]
    reporter.enter_code(" ".join(parts))
    expect(reporter.page.locator("#code-error")).to_contain_text("Check groups 2 and 6")


def test_a_group_that_is_right_by_itself_and_wrong_in_the_code_is_said_with_the_last_digit(
    new_context: NewContext, portal_server: Program
) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_return()
    mine, other = (groups(add_checks(digits * 26)) for digits in "12")
    mixed = " ".join([mine[0], other[1], *mine[2:]])
    reporter.page.locator("#code").press_sequentially(mixed[:-1])
    tally = reporter.page.locator("[data-tally]")
    expect(tally).to_have_text("6 of 7 groups")
    reporter.page.locator("#code").press_sequentially(mixed[-1])
    words = "One of the groups is not as it was written. Compare all of them with your paper"
    expect(tally).to_have_text(words)
    reporter.enter_code(mixed)
    expect(reporter.page.locator("#code-error")).to_contain_text(words)


def test_a_wrong_group_is_said_while_typing(new_context: NewContext, portal_server: Program, rng: Random) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_return()
    field = reporter.page.locator("#code")
    first, second = groups(new_code(rng.randbytes))[:2]
    field.press_sequentially(first + second[:3])
    expect(field).to_have_value(f"{first} {second[:3]}")
    tally = reporter.page.locator("[data-tally]")
    expect(tally).to_have_text("1 of 7 groups")
    # One digit in ten is the right one at the end of a group.
    wrong = str((int(second[4]) + rng.randrange(1, 10)) % 10)
    field.press_sequentially(second[3] + wrong)
    expect(tally).to_contain_text("Check group 2")
    field.press("Backspace")
    field.press_sequentially(second[4])
    expect(tally).to_have_text("2 of 7 groups")


def test_the_code_is_in_no_request(new_context: NewContext, portal_server: Program, rng: Random) -> None:
    context = new_context()
    posts: list[Request] = []
    context.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_return()
    code = new_code(rng.randbytes)
    reporter.enter_code(code)
    expect(reporter.panel("mailbox")).to_be_visible()
    paths = [request.url.removeprefix(portal_server.origin) for request in posts]
    assert paths == ["/api/v1/mailbox", "/api/v1/mailbox/changes"]
    for request in posts:
        carried = request.post_data or ""
        assert code not in carried
        assert " ".join(groups(code)) not in carried
    assert set(json.loads(posts[0].post_data or "")) == {"mailbox", "token"}


def test_an_empty_message_is_not_sent(new_context: NewContext, portal_server: Program, rng: Random) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_return()
    reporter.enter_code(new_code(rng.randbytes))
    expect(reporter.panel("mailbox")).to_be_visible()
    reporter.page.locator("[data-follow-up] [data-send]").click()
    expect(reporter.page.locator("#body-error")).to_have_text("Write your message first")
    expect(reporter.page.locator("[data-follow-up] [data-errors]")).to_be_focused()


def test_close_asks_for_what_is_not_sent_and_leaves_nothing_on_the_page(
    new_context: NewContext, portal_server: Program, rng: Random
) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_return()
    reporter.enter_code(new_code(rng.randbytes))
    reporter.page.locator("#body").fill("A thing I began to write")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    reporter.page.once("dialog", stay)
    reporter.page.locator("[data-close]").click()
    expect(reporter.page.locator("[data-ask]")).to_be_visible()
    assert asked == ["beforeunload"]
    expect(reporter.page.locator("#body")).to_have_value("A thing I began to write")
    reporter.page.locator("[data-ask] summary").click()
    reporter.page.locator("[data-ask-end]").click()
    expect(reporter.panel("end")).to_contain_text("typed and not sent is gone")
    expect(reporter.panel("end").locator("[data-unsent]")).to_be_visible()
    reporter.shown.locator("[data-back]").click()
    reporter.page.once("dialog", lambda dialog: dialog.accept())
    reporter.page.locator("[data-close]").click()
    expect(reporter.panel("enter")).to_be_visible()
    expect(reporter.page.locator("#code")).to_have_value("")
    expect(reporter.page.locator("#body")).to_have_value("")


def test_opening_can_be_called_off(new_context: NewContext, portal_server: Program, rng: Random) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_return()
    context.route("**/api/v1/mailbox", lambda route: route.abort("internetdisconnected"))
    reporter.enter_code(new_code(rng.randbytes))
    expect(reporter.panel("opening").locator("[data-trouble]")).to_contain_text("The connection is gone")
    reporter.page.locator("[data-cancel]").click()
    expect(reporter.panel("enter")).to_be_visible()
    expect(reporter.shown.locator("[data-errors]")).to_be_hidden()
