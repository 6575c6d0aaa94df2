# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report form in a real browser, against a real portal."""

import re
from pathlib import Path

from playwright.sync_api import Page, Request, Route, expect

from portal.kit.i18n import country_names
from tests.browser.answering import Commission
from tests.browser.conftest import NewContext
from tests.browser.mailbox_states import give_worker
from tests.browser.reporter import STORY, Reporter
from tests.servers import Program

CANARY = "Xylokanarienvogel"
# Rolls of cash registers, A6 both ways, A4: millimetres.
PAPER = ((58, 120), (80, 130), (105, 148), (148, 105), (210, 297))
# In pixels.
MM = 96 / 25.4
ACCEPTED = {"acknowledgement": "amparo acknowledgement v1\n", "submission": "", "manifest": ""}


def test_a_report_goes_from_the_first_panel_to_its_acknowledgement(
    new_context: NewContext, portal_server: Program
) -> None:
    reporter = Reporter(new_context(accept_downloads=True).new_page(), portal_server.origin)
    reporter.open_form()
    code = reporter.send_report()
    assert re.fullmatch(r"\d{5}( \d{5}){6}", code)
    assert " ".join(reporter.code_groups) == code
    with reporter.page.expect_download() as download:
        reporter.page.locator("[data-save]").click()
    assert download.value.suggested_filename == "note.txt"
    assert Path(download.value.path()).read_text().startswith("amparo acknowledgement v1\n")


def test_nothing_typed_is_in_any_request_in_the_clear(
    new_context: NewContext, portal_server: Program, tmp_path: Path
) -> None:
    context = new_context()
    before_send: list[Request] = []
    requests: list[Request] = []
    context.on("request", lambda request: requests.append(request))  # noqa: PLW0108
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.attach(f"{CANARY}-photo.txt", "text/plain", CANARY.encode() * 9000)
    reporter.write(f"{CANARY} wrote this")
    reporter.go_on()
    reporter.go_on()
    reporter.type_back()
    before_send = list(requests)
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()

    assert {request.method for request in before_send} == {"GET"}
    paths = [request.url.removeprefix(portal_server.origin) for request in before_send]
    # Nobody needs to have typed anything for these: they are the same for everyone who opens the form.
    public = re.compile("/assets/.*|/en/demo-commission/report|/api/v1/charters/[0-9a-f]{64}/successors")
    assert all(public.fullmatch(path) for path in paths)
    sent = [request for request in requests if request not in before_send]
    assert {"POST", "PUT"} <= {request.method for request in sent}
    for request in requests:
        assert request.url.startswith(portal_server.origin)
        carried = request.url.encode() + str(request.all_headers()).encode() + (request.post_data_buffer or b"")
        assert CANARY.encode() not in carried
    stored = [path for path in portal_server.log.parent.rglob("*") if path.is_file()]
    assert len(stored) > 2
    assert not [path for path in stored if CANARY.encode() in path.read_bytes() or CANARY in str(path)]


def test_back_and_forward_move_one_panel_and_keep_the_answers(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    page = reporter.page
    reporter.open_form()
    address = page.url
    reporter.go_on()
    page.locator("#q-situation-2").check()
    reporter.go_on()
    reporter.write("My words")
    page.go_back()
    expect(reporter.panel("p-who")).to_be_visible()
    expect(page.locator("#q-situation-2")).to_be_checked()
    page.go_back()
    expect(reporter.panel("before")).to_be_visible()
    page.go_forward()
    expect(reporter.panel("p-who")).to_be_visible()
    page.go_forward()
    expect(reporter.panel("p-what")).to_be_visible()
    expect(page.locator("#q-story")).to_have_value("My words")
    # How far somebody came is in no address.
    assert page.url == address
    reporter.panel("p-what").locator("[data-back]").click()
    expect(reporter.panel("p-who")).to_be_visible()


def test_change_comes_back_to_the_check_in_one_step(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write("First words")
    reporter.go_on()
    check = reporter.panel("check")
    check.locator(".summary__row", has_text="Which place?").locator("[data-change]").click()
    expect(reporter.panel("p-who")).to_be_visible()
    reporter.page.locator("#q-place").fill("A harbour town")
    reporter.go_on()
    expect(check).to_be_visible()
    expect(check).to_contain_text("A harbour town")
    reporter.page.go_back()
    expect(reporter.panel("p-what")).to_be_visible()


def test_the_check_shows_choices_as_bullets_and_each_text_in_its_own_direction(
    new_context: NewContext, portal_server: Program
) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin, "ar")
    page = reporter.page
    reporter.open_form()
    reporter.go_on()
    page.locator("#q-situation-2").check()
    for number in (1, 2):
        page.locator(f"#q-urgency-{number}").check()
    reporter.go_on()
    reporter.write("They took him.\nTwice.")
    page.locator("#q-when-year").fill("2024")
    reporter.go_on()
    rows = reporter.panel("check").locator(".summary__row")
    urgency = rows.filter(has_text="هل هناك خطر").locator("[data-answer]")
    assert urgency.locator("li").all_inner_texts() == ["التسليم خلال ثلاثة أيام", "عنف الآن"]
    assert rows.filter(has_text="ما الذي ينطبق").locator("[data-answer] li").count() == 0
    # English words on an Arabic page run from left to right; a year alone stays where the page begins its lines.
    story, year = (rows.filter(has_text=words).locator("[data-answer]") for words in ("They took him", "2024"))
    assert story.evaluate("(element) => getComputedStyle(element).direction") == "ltr"
    assert story.inner_text() == "They took him.\nTwice."
    assert year.evaluate("(element) => getComputedStyle(element).direction") == "rtl"
    assert year.locator("bdi").inner_text() == "2024"
    more = rows.filter(has_text="They took him").get_by_role("button", name="الجواب كله")
    expect(more).to_be_hidden()
    rows.filter(has_text="They took him").locator("[data-change]").click()
    reporter.write("They took him. " * 300)
    reporter.go_on()
    expect(more).to_have_attribute("aria-expanded", "false")
    folded = story.bounding_box()
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    whole = story.bounding_box()
    assert folded is not None
    assert whole is not None
    assert folded["height"] * 3 < whole["height"]


def test_a_required_question_left_out_is_said_and_takes_the_focus(
    new_context: NewContext, portal_server: Program
) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    page = reporter.page
    reporter.open_form()
    reporter.go_to_story()
    title = page.title()
    reporter.go_on()
    summary = reporter.shown.locator("[data-errors]")
    expect(summary).to_be_focused()
    expect(page).to_have_title(f"Error: {title}")
    expect(page.locator("#q-story-error")).to_have_text("Answer this question: What happened?")
    summary.locator("a").click()
    expect(page.locator("#q-story")).to_be_focused()
    assert "#" not in page.url
    reporter.write()
    reporter.go_on()
    expect(reporter.panel("check")).to_be_visible()
    expect(page).to_have_title(title)


def test_forward_does_not_jump_over_a_required_answer(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.page.go_back()
    expect(reporter.panel("check")).to_be_visible()
    reporter.page.go_back()
    reporter.write("")
    reporter.page.go_forward()
    expect(reporter.panel("check")).to_be_visible()
    reporter.go_on()
    expect(reporter.panel("p-what").locator("[data-errors]")).to_be_visible()
    reporter.write("Now there is something")
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text("Now there is something")


def test_a_date_that_can_not_be_is_said(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    page = reporter.page
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    error = page.locator('[data-question="when"] .field__error')
    cases = (("3", "2", "", "Write the year too"), ("31", "2", "2024", "no such day"), ("1", "1", "24", "four digits"))
    for day, month, year, words in cases:
        page.locator("#q-when-day").fill(day)
        page.locator("#q-when-month").select_option(month)
        page.locator("#q-when-year").fill(year)
        reporter.go_on()
        expect(error).to_contain_text(words)
    page.locator("#q-when-day").fill("٢٩")
    page.locator("#q-when-month").select_option("2")
    page.locator("#q-when-year").fill("۲۰۲۴")
    page.locator("#q-when-about").check()
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text("about 29 February 2024")


def test_countries_stand_in_the_order_of_the_pages_alphabet(new_context: NewContext, portal_server: Program) -> None:
    for locale, first, switzerland in (("en", "Afghanistan", "Switzerland"), ("ar", "آيسلندا", "سويسرا")):
        reporter = Reporter(new_context().new_page(), portal_server.origin, locale)
        reporter.open_form()
        options = reporter.page.locator("#q-country option")
        assert options.nth(2).text_content() == first
        values = [option.get_attribute("value") for option in options.all()]
        assert values[:2] == ["", "ZZ"]
        assert sorted(values[2:]) == sorted(country_names(locale))
        reporter.go_on()
        reporter.page.locator("#q-country").select_option("CH")
        reporter.go_on()
        reporter.write()
        reporter.go_on()
        expect(reporter.panel("check")).to_contain_text(switzerland)


def test_a_browser_that_can_not_name_countries_offers_their_codes(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    context.add_init_script("delete Intl.DisplayNames")
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    assert reporter.page.locator('#q-country option[value="CH"]').text_content() == "CH"


def test_what_could_lead_to_a_person_is_pointed_out(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    for story, warned in (
        ("Ring my sister at +41 44 123 45 67", True),
        ("اتصل على ٠٧٩١٢٣٤٥٦٧٨", True),
        ("I am at someone@example.org", True),
        ("On 12.03.2024 they took 14 000 from us", False),
    ):
        reporter.open_form()
        reporter.go_to_story()
        reporter.write(story)
        reporter.go_on()
        row = reporter.panel("check").locator(".summary__row", has_text="What happened?")
        expect(row.locator("[data-warning]")).to_be_visible(visible=warned)


def test_somebody_has_to_be_left_who_can_read_it(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    members = reporter.page.locator('[data-question="exclude"] input')
    for number in range(members.count()):
        members.nth(number).check()
    reporter.go_on()
    expect(reporter.shown.locator("[data-errors]")).to_contain_text("at least one person")
    check = reporter.panel("check")
    names = [name.inner_text() for name in reporter.shown.locator('[data-question="exclude"] bdi').all()]
    for number in range(1, members.count()):
        members.nth(number).uncheck()
    reporter.go_on()
    assert check.locator("[data-readers] li:visible bdi").all_inner_texts() == names[1:]
    assert check.locator("[data-left-out] li:visible bdi").all_inner_texts() == names[:1]
    expect(check.locator("[data-nobody-left-out]")).to_be_hidden()
    expect(check.locator("[data-left-out] li").first).to_contain_text("takes reports in")
    reporter.page.go_back()
    members.first.uncheck()
    reporter.go_on()
    assert sorted(check.locator("[data-readers] li:visible bdi").all_inner_texts()) == sorted(names)
    expect(check.locator("[data-left-out]")).to_be_hidden()
    expect(check.locator("[data-nobody-left-out]")).to_be_visible()


def test_sending_waits_for_two_groups_typed_right(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    sent: list[Request] = []
    context.on("request", lambda request: sent.append(request) if request.method != "GET" else None)
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    errors = reporter.shown.locator("[data-errors]")
    reporter.send()
    expect(errors.locator("li")).to_have_count(1)
    expect(errors).to_contain_text("Type group")
    reporter.type_back()
    wrong = reporter.page.locator("[data-back-field]").first
    right = wrong.input_value()
    wrong.fill(str((int(right) + 1) % 100_000).zfill(5))
    reporter.send()
    expect(errors).to_contain_text("is not the same")
    expect(reporter.panel("code")).to_be_visible()
    assert sent == []
    wrong.fill("".join(chr(ord("٠") + int(digit)) for digit in right))
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()


def test_the_groups_are_typed_with_the_code_out_of_sight(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    page = reporter.page
    reporter.open_form()
    reporter.go_to_code()
    groups = reporter.code_groups
    panel, fields = reporter.panel("code"), page.locator("[data-back-field]")
    asked = [int(label.split()[-1]) for label in page.locator("[data-back-label]").all_inner_texts()]
    fields.first.focus()
    # Nobody sees or hears a group of the code now, and nothing of it is in the page.
    assert not [group for group in groups if group in panel.inner_html()]
    assert not re.search(r"\d{5}", panel.aria_snapshot())
    expect(panel.locator("[data-print]")).to_be_hidden()
    expect(panel.get_by_role("status").filter(has_text="covered")).to_be_visible()
    page.keyboard.type(groups[asked[0] - 1])
    expect(fields.last).to_be_focused()
    page.keyboard.type(groups[asked[1] - 1][:3])
    reporter.send()
    expect(panel.locator("[data-errors]")).to_contain_text(f"Group {asked[1]} has five digits")
    expect(panel.locator("[data-errors] li")).to_have_count(1)
    panel.locator("[data-uncover]").click()
    assert reporter.code_groups == groups
    expect(panel.get_by_role("list", name="Your code")).to_be_focused()
    assert [field.input_value() for field in fields.all()] == ["", ""]
    fields.last.focus()
    panel.locator(".more__summary", has_text="write it down").click()
    panel.locator("[data-without-code]").check()
    assert reporter.code_groups == groups


def test_who_can_not_write_the_code_down_may_go_on(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.shown.locator(".more__summary", has_text="write it down").click()
    expect(reporter.shown).to_contain_text("nobody will be able to answer you")
    reporter.page.locator("[data-without-code]").check()
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()


def test_two_presses_of_send_make_one_submission(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    posts: list[Request] = []
    context.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.type_back()
    reporter.page.locator('[data-panel="code"] [data-send]').dblclick()
    expect(reporter.panel("sent")).to_be_visible()
    assert len(posts) == 1


def test_two_tabs_never_share_a_code(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    tabs = [Reporter(context.new_page(), portal_server.origin) for _ in range(2)]
    for tab in tabs:
        tab.open_form()
        tab.go_to_code()
    codes = [" ".join(tab.code_groups) for tab in tabs]
    assert codes[0] != codes[1]
    for tab in reversed(tabs):
        tab.type_back()
        tab.send()
        expect(tab.panel("sent")).to_be_visible()
    assert [" ".join(tab.code_groups) for tab in tabs] == codes


def test_after_sending_nothing_leads_back_to_the_answers(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.send_report("Words that must be gone")
    reporter.page.evaluate("history.back()")
    expect(reporter.panel("sent")).to_be_visible()
    assert reporter.page.locator("#q-story").input_value() == ""
    assert "Words that must be gone" not in reporter.page.content()


def test_a_network_that_is_gone_is_said_and_sending_goes_on_by_itself(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.type_back()
    context.route("**/api/v1/**", lambda route: route.abort("internetdisconnected"))
    reporter.send()
    trouble = reporter.panel("sending").locator("[data-trouble]")
    expect(trouble).to_be_visible()
    expect(trouble).to_contain_text("Nothing is lost")
    context.unroute("**/api/v1/**")
    expect(reporter.panel("sent")).to_be_visible()


def send_without_news(reporter: Reporter) -> None:
    """Write and send a report while nothing is known of the charter."""
    reporter.open_form()
    reporter.go_to_code_without_news()
    reporter.type_back()
    reporter.send()
    expect(reporter.panel("sending")).to_be_visible()


def on_a_line_that_holds(new_context: NewContext, server: Program, asset: str) -> Reporter:
    """A report that is sent while the first request for this asset stalls; whatever is asked after it gets through."""
    Commission(server).confirm_charter()
    context = new_context()
    held: list[Route] = []
    context.route(asset, lambda route: route.continue_() if held else held.append(route))
    page = context.new_page()
    page.clock.install()
    reporter = Reporter(page, server.origin)
    send_without_news(reporter)
    assert len(held) == 1
    # For as long as the first one may take.
    page.clock.fast_forward(31_000)
    return reporter


def test_a_script_that_stalls_is_started_again_and_what_was_typed_is_sent(
    new_context: NewContext, portal_server: Program
) -> None:
    reporter = on_a_line_that_holds(new_context, portal_server, "**/assets/seal-worker*")
    expect(reporter.panel("sent")).to_be_visible()


def test_a_charter_that_stalls_is_said_and_asked_for_again(new_context: NewContext, portal_server: Program) -> None:
    reporter = on_a_line_that_holds(new_context, portal_server, "**/assets/charter-*")
    expect(reporter.panel("sending").locator("[data-trouble]")).to_contain_text("The connection is gone")
    reporter.page.clock.fast_forward(6_000)
    expect(reporter.panel("sent")).to_be_visible()


def test_an_answer_that_can_not_be_mended_by_waiting_leaves_the_answers_alone(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code("Still here")
    reporter.type_back()
    refusal = '{"error": {"code": "too-large", "message": "", "field": null}}'
    context.route(
        "**/api/v1/**", lambda route: route.fulfill(status=413, body=refusal, content_type="application/json")
    )
    reporter.send()
    expect(reporter.panel("sending").locator("[data-errors]")).to_contain_text("Do not count on it")
    reporter.page.locator("[data-to-check]").click()
    expect(reporter.panel("check")).to_contain_text("Still here")
    # Something may have been sent before it failed.
    expect(reporter.panel("check").locator("[data-unsent]")).to_be_hidden()
    context.unroute("**/api/v1/**")
    reporter.go_on()
    # What was typed of the code is still there.
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()


def test_the_journey_leaves_no_storage_behind(new_context: NewContext, portal_server: Program) -> None:
    context = new_context()
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    code = reporter.send_report()
    reporter.open_return()
    reporter.enter_code(code)
    expect(reporter.panel("mailbox")).to_be_visible()
    assert context.cookies() == []
    assert _stored(reporter.page) == [0, 0, [], [], 0, ""]


def _stored(page: Page) -> object:
    return page.evaluate(
        """async () => [
            localStorage.length, sessionStorage.length,
            (await indexedDB.databases()).map((each) => each.name), await caches.keys(),
            (await navigator.serviceWorker.getRegistrations()).length, window.name,
        ]"""
    )


def test_the_printed_receipt_is_one_page_with_the_code_and_nothing_that_tells(
    new_context: NewContext, portal_server: Program
) -> None:
    for locale in ("en", "ar"):
        reporter = Reporter(new_context().new_page(), portal_server.origin, locale)
        reporter.open_form()
        reporter.go_to_code()
        groups = reporter.code_groups
        reporter.page.emulate_media(media="print")
        text = reporter.page.locator("body").inner_text()
        assert re.findall(r"\d{5}", text) == groups
        assert reporter.page.locator("button:visible, a:visible, input:visible, h1:visible").count() == 0
        assert "Demonstration" not in text
        assert "لجنة" not in text
        assert len(text.split()) < 40
        assert reporter.page.title() in ("Write", "كتابة")
        for width, height in PAPER:
            paper = reporter.page.pdf(width=f"{width}mm", height=f"{height}mm")
            assert paper.count(b"/Type /Page\n") == 1
            reporter.page.set_viewport_size({"width": int(width * MM), "height": int(height * MM)})
            for group in reporter.shown.locator(".code__group").all():
                box = group.bounding_box()
                assert box is not None
                assert box["x"] >= 4 * MM
                assert box["x"] + box["width"] <= (width - 4) * MM
                assert box["y"] + box["height"] <= height * MM
                points = group.evaluate("(element) => parseFloat(getComputedStyle(element).fontSize) * 72 / 96")
                assert points >= 24


def test_a_picture_of_the_code_is_made_when_it_is_asked_for_and_goes_with_the_person(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context(accept_downloads=True)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url) if "/picture-" in request.url else None)
    reporter = Reporter(context.new_page(), portal_server.origin)
    page = reporter.page
    page.add_init_script(
        """const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
        window.blobs = new Set();
        URL.createObjectURL = (blob) => { const url = make(blob); window.blobs.add(url); return url; };
        URL.revokeObjectURL = (url) => { window.blobs.delete(url); revoke(url); };"""
    )
    reporter.open_form()
    reporter.go_to_code()
    panel = reporter.panel("code")
    picture = panel.locator("[data-picture]")
    assert asked == []
    picture.locator("summary").click()
    expect(picture).to_contain_text("A picture is easily found")
    image = picture.locator("img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 330)
    assert len(asked) == 1
    with page.expect_download() as download:
        picture.locator("a[download]").click()
    assert download.value.suggested_filename == "note.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    # It is covered together with the digits.
    page.locator("[data-back-field]").first.focus()
    expect(image).to_be_hidden()
    assert page.evaluate("window.blobs.size") == 0
    panel.locator("[data-uncover]").click()
    picture.locator("summary").click()
    expect(image).to_be_visible()
    assert page.evaluate("window.blobs.size") == 1
    left = page.evaluate("document.querySelector('[data-leave]').click(), window.blobs.size")
    assert left == 0


def test_without_script_the_page_says_why_it_can_not_send(new_context: NewContext, portal_server: Program) -> None:
    page = new_context(java_script_enabled=False).new_page()
    for locale in ("en", "ar"):
        page.goto(f"{portal_server.origin}/{locale}/demo-commission/report")
        first = page.locator("main > *").first
        expect(first).to_have_class(re.compile("without-script"))
        expect(first).to_be_visible()
        expect(page.locator('[data-panel="p-who"]')).to_be_visible()
        expect(page.locator('[data-panel="p-what"]')).to_be_visible()
        assert page.locator("input:visible, textarea:visible, select:visible, button:visible").count() == 0
        expect(page.locator("[data-leave]")).to_be_visible()


def form_with_worker(new_context: NewContext, portal: Program, **answers: object) -> Reporter:
    """The form with a worker that gives these answers, two groups of the code typed back."""
    context = new_context()
    give_worker(context, "seal-worker", answers)
    reporter = Reporter(context.new_page(), portal.origin)
    reporter.open_form()
    reporter.go_to_code()
    reporter.type_back()
    return reporter


def test_the_day_on_which_the_charter_was_confirmed_is_said_before_sending(
    new_context: NewContext, portal_server: Program
) -> None:
    Commission(portal_server).confirm_charter()
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_code()
    expect(reporter.page.locator("[data-charter-day]")).to_contain_text("(today)")
    expect(reporter.page.locator("[data-charter-old]")).to_be_hidden()


def test_who_was_warned_of_an_old_charter_may_send_all_the_same(
    new_context: NewContext, portal_server: Program
) -> None:
    old = {"day": "2026-01-02", "old": True}
    reporter = form_with_worker(new_context, portal_server, checkCharter=old, submit=ACCEPTED)
    expect(reporter.page.locator("[data-charter-old]")).to_contain_text("You can wait")
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()


def test_a_clock_that_is_days_from_the_portals_is_said_at_the_start_and_before_sending(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    told = {"day": "2026-01-02", "old": False, "clock": "2026-01-03"}
    give_worker(context, "seal-worker", {"checkCharter": told, "submit": ACCEPTED})
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    expect(reporter.panel("before").locator("[data-clock]")).to_contain_text("This site says 3 January 2026")
    reporter.go_to_code()
    expect(reporter.panel("code").locator("[data-clock]")).to_contain_text("set it right")
    reporter.type_back()
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()


def test_a_year_of_another_calendar_is_put_right_by_a_tap(new_context: NewContext, portal_server: Program) -> None:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    reporter.page.locator("#q-when-year").fill("۱۴۰۳")
    reporter.go_on()
    expect(reporter.shown.locator("[data-errors]")).to_contain_text("Solar Hijri")
    reporter.shown.get_by_role("button", name="Change it to 2024").click()
    expect(reporter.shown.locator("[data-errors]")).to_be_hidden()
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text("about 2024")


def test_a_charter_that_was_replaced_is_said_before_anything_is_typed(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    give_worker(context, "seal-worker", {"checkCharter": {"error": "charter-replaced"}})
    reporter = Reporter(context.new_page(), portal_server.origin)
    reporter.open_form()
    notice = reporter.panel("before").locator("[data-replaced]")
    expect(notice).to_be_visible()
    with context.expect_page() as opened:
        notice.locator("a").click()
    expect(opened.value.locator("[data-report]")).to_be_visible()


def test_a_charter_that_is_replaced_meanwhile_loses_no_answer(new_context: NewContext, portal_server: Program) -> None:
    fresh = {"day": "2026-01-02", "old": False}
    replaced = {"error": "charter-replaced"}
    reporter = form_with_worker(new_context, portal_server, checkCharter=fresh, submit=replaced)
    reporter.send()
    expect(reporter.panel("sending").locator("[data-replaced]")).to_be_visible()
    reporter.page.locator("[data-to-check]").click()
    expect(reporter.panel("check")).to_contain_text(STORY)


def test_news_of_the_charter_that_come_late_are_said_before_anything_is_sent(
    new_context: NewContext, portal_server: Program
) -> None:
    context = new_context()
    # The charter itself does not come until the person has pressed "Send".
    held: list[Route] = []
    context.route("**/assets/charter-*", lambda route: held.append(route))  # noqa: PLW0108
    reporter = Reporter(context.new_page(), portal_server.origin)
    give_worker(context, "seal-worker", {"checkCharter": {"day": None, "old": True}, "submit": ACCEPTED})
    send_without_news(reporter)
    held[0].continue_()
    expect(reporter.panel("code").locator("[data-charter-old]")).to_be_focused()
    reporter.send()
    expect(reporter.panel("sent")).to_be_visible()
