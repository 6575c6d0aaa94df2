# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files on the form: what became of the hidden details of each is said as it is, and names are what they look like."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewContext
from tests.browser.reporter import Reporter
from tests.servers import Program

CANARY = b"Xylokanarienvogel"
EXIF = b"\xff\xe1\x00\x19Exif\x00\x00" + CANARY
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + CANARY
DRAWN = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 40;
  canvas.getContext("2d").fillRect(5, 5, 20, 20);
  return canvas.toDataURL("image/jpeg").split(",")[1];
}"""


@pytest.fixture
def reporter(new_context: NewContext, portal_server: Program) -> Iterator[Reporter]:
    reporter = Reporter(new_context().new_page(), portal_server.origin)
    reporter.open_form()
    reporter.go_to_story()
    reporter.write()
    yield reporter


def photo(reporter: Reporter) -> bytes:
    """A JPEG that the browser draws, with Exif."""
    drawn = base64.b64decode(reporter.page.evaluate(DRAWN))
    return drawn[:2] + EXIF + drawn[2:]


def items(reporter: Reporter) -> Locator:
    return reporter.page.locator(".files__item")


def state(item: Locator) -> Locator:
    return item.locator("[data-state]:visible")


def test_what_became_of_hidden_details_is_said_as_it_is_and_the_rest_is_decided_by_the_person(
    reporter: Reporter,
) -> None:
    whole = photo(reporter)
    reporter.attach("whole.jpg", "image/jpeg", whole)
    reporter.attach("short.jpg", "image/jpeg", whole[:-20])
    reporter.attach("phone.jpg", "image/jpeg", HEIC)
    first, second, third = (items(reporter).nth(number) for number in range(3))
    expect(state(first)).to_have_text("Hidden details were removed, and the file was checked again.")
    expect(first.locator("canvas")).to_be_visible()
    expect(state(second)).to_contain_text("damaged")
    expect(state(third)).to_contain_text("save it as JPEG")
    reporter.go_on()
    expect(reporter.shown.locator("[data-errors]")).to_contain_text("Hidden details are not removed from short.jpg")
    second.locator("[data-as-is] input").check()
    expect(state(second)).to_contain_text("as it is on your device")
    # A cleaned copy in the place of the other one.
    third.locator("[data-replace] input").set_input_files(
        {"name": "copy.jpg", "mimeType": "", "buffer": whole}  # type: ignore[arg-type]
    )
    expect(items(reporter)).to_have_count(3)
    expect(state(third)).to_contain_text("were removed")
    reporter.go_on()
    lines = reporter.panel("check").locator(".summary__answer li")
    expect(lines).to_have_text(
        [
            "whole.jpg · 1 kB · hidden details removed",
            "short.jpg · 1 kB · as it is on your device",
            "copy.jpg · 1 kB · hidden details removed",
        ]
    )


def test_a_tick_that_is_taken_away_keeps_them_and_says_so(reporter: Reporter) -> None:
    reporter.attach("whole.jpg", "image/jpeg", photo(reporter))
    expect(state(items(reporter))).to_contain_text("were removed")
    items(reporter).locator("[data-strip] input").uncheck()
    expect(state(items(reporter))).to_contain_text("as it is on your device")
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text("as it is on your device")


def test_names_are_what_they_look_like_and_one_that_tells_a_time_can_be_changed_by_one_tap(reporter: Reporter) -> None:
    reporter.attach("\u202egpj.exe", "application/octet-stream", b"MZ")
    reporter.attach("IMG_20260303_031245.jpg", "image/jpeg", photo(reporter))
    first, second = items(reporter).nth(0), items(reporter).nth(1)
    expect(first.locator("[data-name]")).to_have_text("gpj.exe")
    expect(first.locator("[data-unseen]")).to_be_visible()
    expect(first.locator("[data-rename]")).to_be_hidden()
    second.locator("[data-suggest]").click()
    expect(second.locator("[data-name]")).to_have_text("file 2.jpg")
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text("file 2.jpg · ")
    expect(reporter.panel("check")).not_to_contain_text("20260303")


def test_fifty_files_dropped_at_once_an_empty_one_and_one_too_many_are_refused_with_their_reason(
    reporter: Reporter,
) -> None:
    reporter.attach("empty.txt", "text/plain", b"")
    expect(reporter.shown.locator("[data-errors]")).to_contain_text("This file is empty")
    reporter.page.evaluate("""() => {
      const data = new DataTransfer();
      for (let number = 0; number < 50; number += 1) data.items.add(new File(["x"], `${number}.txt`));
      dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }""")
    expect(items(reporter)).to_have_count(4)
    expect(reporter.shown.locator("[data-errors]")).to_contain_text("4.txt: You can add 4 files at most")
    items(reporter).nth(1).locator("[data-remove]").click()
    expect(items(reporter)).to_have_count(3)
    reporter.go_on()
    expect(reporter.panel("check")).to_contain_text("3.txt")


def test_a_file_that_changes_is_named_and_nothing_else_is_lost(reporter: Reporter, tmp_path: Path) -> None:
    kept, changing = tmp_path / "kept.txt", tmp_path / "changing.txt"
    for path in (kept, changing):
        path.write_text("x" * 50_000)
        reporter.page.locator("#q-files").set_input_files(path)
        expect(state(items(reporter).last)).to_contain_text("This kind of file")
    changing.write_text("y")
    reporter.go_on()
    reporter.go_on()
    reporter.type_back()
    reporter.send()
    expect(reporter.shown.locator("[data-errors]")).to_contain_text("“changing.txt” can no longer be read")
    reporter.shown.locator("[data-to-check]").click()
    expect(reporter.panel("check")).to_contain_text("kept.txt")
