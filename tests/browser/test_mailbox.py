# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the return page shows and does with each mailbox that its worker may find."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewContext
from tests.browser.mailbox_states import (
    KINDS,
    MAILBOXES,
    MANIFEST,
    Mailbox,
    alarm,
    day,
    mailbox,
    show_mailbox,
    unspoken,
)
from tests.browser.pages_server import serve_pages
from tests.browser.reporter import Reporter
from tests.browser.screenshots import CODE

WORDS = "They threatened my sister."


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with serve_pages() as origin:
        yield origin


def open_mailbox(new_context: NewContext, origin: str, shown: Mailbox, **answers: object) -> Reporter:
    context = new_context()
    show_mailbox(context, shown, **answers)
    reporter = Reporter(context.new_page(), origin)
    reporter.open_return()
    reporter.enter_code(CODE)
    expect(reporter.panel("mailbox")).to_be_visible()
    return reporter


def send(reporter: Reporter) -> None:
    reporter.page.locator("#body").fill(WORDS)
    reporter.page.locator("[data-follow-up] [data-send]").click()


def ask(reporter: Reporter, what: str) -> Locator:
    reporter.page.locator("[data-ask] summary").click()
    reporter.page.locator(f"[data-ask-{what}]").click()
    expect(reporter.panel(what).locator("h1")).to_be_focused()
    return reporter.panel(what)


def facts(page: Page) -> set[str]:
    shown = page.locator("[data-fact]:visible").all()
    return {fact.get_attribute("data-fact") or "" for fact in shown}


def test_before_the_commission_has_spoken_a_true_code_and_any_other_look_the_same(
    new_context: NewContext, origin: str
) -> None:
    seen = []
    for known in (True, False):
        reporter = open_mailbox(new_context, origin, unspoken(known))
        texts = [reporter.page.locator("main").inner_text()]
        send(reporter)
        expect(reporter.page.locator("[data-followed-up]")).to_be_focused()
        texts.append(reporter.page.locator("main").inner_text())
        for step in ("delete", "end"):
            panel = ask(reporter, step)
            texts.append(panel.inner_text())
            panel.locator("[data-back]").click()
            reporter.page.locator("[data-ask] summary").click()
        ask(reporter, "end").locator("[data-end]").click()
        expect(reporter.panel("ended")).to_be_visible()
        texts.append(reporter.panel("ended").inner_text())
        seen.append(texts)
    assert "There is nothing new for this code." in seen[0][0]
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("calm", {"collected", "confirmed", "newest"}),
        ("stale", {"collected", "confirmed", "stale", "newest"}),
        ("older", {"collected", "confirmed", "older", "unchecked"}),
        ("unconfirmed", {"collected", "unconfirmed", "replaced", "newest"}),
    ],
)
def test_what_the_office_confirmed_is_said_with_its_age(
    new_context: NewContext, origin: str, state: str, expected: set[str]
) -> None:
    reporter = open_mailbox(new_context, origin, MAILBOXES[state])
    assert facts(reporter.page) == expected
    if state == "calm":
        expect(reporter.page.locator('[data-fact="confirmed"]')).to_contain_text("(3 days ago)")
    calm = reporter.page.locator("[data-status].notice--good")
    expect(calm).to_have_count(1 if state == "calm" else 0)


def test_a_day_to_come_has_no_age(new_context: NewContext, origin: str) -> None:
    reporter = open_mailbox(new_context, origin, mailbox(confirmed={"day": day(-9), "older": False}))
    expect(reporter.page.locator('[data-fact="confirmed"]')).not_to_contain_text("(")


def test_own_messages_are_told_by_number_and_day_and_whether_they_were_fetched(
    new_context: NewContext, origin: str
) -> None:
    page = open_mailbox(new_context, origin, MAILBOXES["calm"]).page
    expect(page.locator("[data-sent-tally]")).to_have_text("Your own messages: 1 of 2 fetched")
    rows = page.locator(".sent__item")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Message 2")
    assert [row.inner_text().endswith("not fetched yet") for row in rows.all()] == [True, False]


def test_missing_messages_stand_in_their_place(new_context: NewContext, origin: str) -> None:
    page = open_mailbox(new_context, origin, MAILBOXES["missing"]).page
    titles = page.locator(".letter [data-number]").all_inner_texts()
    assert titles == ["Message 6", "Messages 4 to 5 are missing", "Message 2 is missing", "Message 1"]
    expect(page.locator("[data-missing]")).to_contain_text("a backup was restored")


def test_a_broken_message_is_said_without_its_text_and_hides_no_other(new_context: NewContext, origin: str) -> None:
    page = open_mailbox(new_context, origin, MAILBOXES["broken"]).page
    letters = page.locator(".letter")
    assert [letter.locator("[data-problem]:visible").count() for letter in letters.all()] == [1, 1, 0, 1]
    expect(letters.nth(2).locator("[data-body]")).to_have_text("We have read your report.")
    expect(letters.nth(3)).to_contain_text("A message without a number")


@pytest.mark.parametrize("kind", KINDS)
def test_an_alarm_comes_first_says_its_kind_and_stops_the_writing(
    new_context: NewContext, origin: str, kind: str
) -> None:
    page = open_mailbox(new_context, origin, mailbox(alarms=[alarm(kind)])).page
    expect(page.locator("[data-alarm] h2")).to_be_focused()
    kinds = page.locator("[data-alarm] [data-kind]:visible")
    expect(kinds).to_have_count(1)
    expect(kinds).to_have_attribute("data-kind", kind)
    for element in page.locator("[data-writing]").all():
        expect(element).to_be_hidden()
    expect(page.locator("[data-no-writing]")).to_be_visible()
    expect(page.locator(".notice--good:visible")).to_have_count(0)


def test_the_evidence_is_saved_as_one_text(new_context: NewContext, origin: str) -> None:
    alarms = [alarm("collection", "first note\n", "second note\n"), alarm("thread", "second note\n")]
    page = open_mailbox(new_context, origin, mailbox(alarms=alarms)).page
    with page.expect_download() as download:
        page.locator("[data-save-evidence]").click()
    assert download.value.suggested_filename == "evidence.txt"
    text = Path(download.value.path()).read_text()
    assert text.startswith("first note\n")
    assert text.count("second note") == 1


@pytest.mark.parametrize(
    ("note", "result"),
    [
        (f"amparo acknowledgement v1\nrealm\nsubmission\n{MANIFEST}\n", "same"),
        (f"amparo acknowledgement v1\nrealm\nsubmission\n{'0' * 64}\n{MANIFEST}\n", "other"),
        (f"some other text\nrealm\nsubmission\n{MANIFEST}\n", "no-note"),
        ("amparo acknowledgement v1\n" + "x" * 20_000, "no-note"),
    ],
)
def test_a_saved_proof_is_compared_on_the_device(new_context: NewContext, origin: str, note: str, result: str) -> None:
    page = open_mailbox(new_context, origin, MAILBOXES["calm"]).page
    page.locator("[data-compare] summary").click()
    file = {"name": "note.txt", "mimeType": "text/plain", "buffer": note.encode()}
    page.locator("#note").set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator("[data-compared]:visible")).to_have_attribute("data-compared", result)


@pytest.mark.parametrize("code", ["mailbox-changed", "state-conflict", "mailbox-full", "damaged", "failed"])
def test_a_message_that_was_not_sent_stays_in_the_field(new_context: NewContext, origin: str, code: str) -> None:
    reporter = open_mailbox(new_context, origin, MAILBOXES["calm"], followUp={"error": code})
    send(reporter)
    errors = reporter.page.locator("[data-follow-up] [data-errors]")
    expect(errors).to_be_focused()
    expect(errors.locator("li")).not_to_be_empty()
    expect(reporter.page.locator("#body")).to_have_value(WORDS)


def test_a_sent_message_appears_among_ones_own(new_context: NewContext, origin: str) -> None:
    more = [*MAILBOXES["calm"]["sent"], {"number": 3, "day": day(0), "fetched": False}]
    reporter = open_mailbox(new_context, origin, MAILBOXES["calm"], followUp=mailbox(sent=more))
    send(reporter)
    expect(reporter.page.locator(".sent__item")).to_have_count(3)
    expect(reporter.page.locator("#body")).to_have_value("")


def test_deleting_says_what_it_does_and_keeps_what_was_typed(new_context: NewContext, origin: str) -> None:
    reporter = open_mailbox(new_context, origin, MAILBOXES["calm"], deleteMessages=mailbox(messages=[]))
    reporter.page.locator("#body").fill(WORDS)
    panel = ask(reporter, "delete")
    expect(panel).to_contain_text("This can’t be undone.")
    panel.locator("[data-delete]").click()
    expect(reporter.page.locator("[data-deleted]")).to_be_focused()
    expect(reporter.page.locator(".letter")).to_have_count(0)
    expect(reporter.page.locator("#body")).to_have_value(WORDS)


def test_ending_leaves_nothing_on_the_page_and_leads_on(new_context: NewContext, origin: str) -> None:
    reporter = open_mailbox(new_context, origin, MAILBOXES["calm"])
    reporter.page.locator("#body").fill(WORDS)
    ask(reporter, "end").locator("[data-end]").click()
    expect(reporter.panel("ended").locator("h1")).to_be_focused()
    assert "We have read your report" not in reporter.page.content()
    expect(reporter.page.locator("#body")).to_have_value("")
    reporter.panel("ended").locator("a").click()
    expect(reporter.page.locator(".start__ways")).to_be_visible()


@pytest.mark.parametrize("step", ["delete", "end"])
def test_what_failed_is_said_where_it_was_asked(new_context: NewContext, origin: str, step: str) -> None:
    failing = {"error": "mailbox-changed"}
    reporter = open_mailbox(new_context, origin, MAILBOXES["calm"], deleteMessages=failing, closeMailbox=failing)
    panel = ask(reporter, step)
    panel.locator(f"[data-{step}]").click()
    expect(panel.locator("[data-errors]")).to_be_focused()
    panel.locator("[data-back]").click()
    expect(reporter.panel("mailbox")).to_be_visible()


@pytest.mark.parametrize("state", sorted(MAILBOXES))
def test_every_state_survives_a_reload_and_a_second_tab(new_context: NewContext, origin: str, state: str) -> None:
    reporter = open_mailbox(new_context, origin, MAILBOXES[state])
    other = Reporter(reporter.page.context.new_page(), origin)
    other.open_return()
    expect(other.panel("enter")).to_be_visible()
    other.page.close()
    expect(reporter.panel("mailbox")).to_be_visible()
    reporter.page.reload()
    expect(reporter.panel("enter")).to_be_visible()
    expect(reporter.page.locator("#code")).to_have_value("")
    expect(reporter.page.locator(".letter")).to_have_count(0)
