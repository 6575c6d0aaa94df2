# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sealed way, whole: a report written in Arabic on a phone, read and answered in the office, read with the code.

Two real programs, two real browsers, and a rare word that may be found in the office alone.
"""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.world import World, Writing, open_mailbox, reload_until_visible, write_report

CANARY = "زمردخبيئةٌ٧٣١"
FILE_CANARY = "quokkapapers-٩٤"
STORY = f"أخذوا أخي ليلًا ولم يقولوا إلى أين. الكلمة {CANARY} لا يعرفها أحد."
FILE_BYTES = f"{FILE_CANARY}: what the doctor wrote\n".encode() * 40_000
REPLY = "Thank you. We have read it, and we are writing to the ministry today."
FOLLOW_UP = f"شكرًا لكم. {CANARY}"
EXCLUDED = "investigator-2"
STARTED = r"portal: \d+ files may be open, so \d+ connections in each process\n"


def test_a_report_goes_sealed_to_the_office_and_the_answer_comes_back(world: World) -> None:
    code = _write_report(world)
    _check_canary_is_nowhere_on_the_portal(world)
    submission = _read_and_answer(world)
    _check_an_excluded_member_sees_nothing(world, submission)
    _read_the_answer_and_write_again(world, code)
    _check_the_follow_up_arrived(world, submission)
    _check_canary_is_nowhere_on_the_portal(world)
    assert world.complaints == []


def _write_report(world: World) -> str:
    """Write in Arabic at phone width, enclose a file, exclude a member, send; the receipt code."""
    context = world.reporter()
    page = context.new_page()
    file = {"name": f"{FILE_CANARY}.txt", "mimeType": "text/plain", "buffer": FILE_BYTES}
    code = write_report(world, page, Writing(STORY, file=file, exclude=EXCLUDED))
    with page.expect_download() as download:
        page.locator("[data-save]").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("amparo acknowledgement v1\n")
    _check_no_traces(context, page)
    context.close()
    return code


def _read_and_answer(world: World) -> str:
    """Log in, find the report in the queue, read it, take the file, answer; the submission's id."""
    page = world.member().new_page()
    world.log_in(page, world.founded.sheets["registrar"])
    link = page.locator("main a[href^='/reports/']").first
    reload_until_visible(page, "main a[href^='/reports/']")
    link.click()
    expect(page.get_by_text(STORY)).to_be_visible()
    story = page.get_by_text(STORY)
    assert story.evaluate("element => getComputedStyle(element).direction") == "rtl"
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(FILE_CANARY)).click()
    assert Path(download.value.path()).read_bytes() == FILE_BYTES
    submission = page.url.rstrip("/").split("/")[-1].split("?")[0]
    page.locator(f"a[href='/reports/{submission}/reply']").first.click()
    page.locator("[name=language]").select_option("en")
    page.locator("[name=body]").fill(REPLY)
    page.locator("main form[action$='/reply'] button[type=submit]").click()
    expect(page.locator(".preview")).to_contain_text(REPLY)
    page.locator("main form[action$='/send'] button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(REPLY)
    page.context.close()
    return submission


def _check_an_excluded_member_sees_nothing(world: World, submission: str) -> None:
    page = world.member().new_page()
    world.log_in(page, world.founded.sheets[EXCLUDED])
    expect(page.locator("main a[href^='/reports/']")).to_have_count(0)
    answer = page.request.get(f"{world.office.url}/reports/{submission}")
    assert answer.status == 404
    assert CANARY not in answer.text()
    page.context.close()


def _read_the_answer_and_write_again(world: World, code: str) -> None:
    context = world.reporter()
    page = context.new_page()
    open_mailbox(world, page, code)
    expect(page.locator("[data-letters]")).to_contain_text(REPLY)
    expect(page.locator("[data-fact=collected]")).to_be_visible()
    page.locator("#body").fill(FOLLOW_UP)
    page.locator("[data-panel=mailbox] [data-send]").click()
    expect(page.locator("[data-followed-up]")).to_be_visible()
    _check_no_traces(context, page)
    context.close()


def _check_the_follow_up_arrived(world: World, submission: str) -> None:
    page = world.member().new_page()
    world.log_in(page, world.founded.sheets["investigator-1"])
    page.goto(f"{world.office.url}/reports/{submission}")
    reload_until_visible(page, f"main :text('{FOLLOW_UP}')")
    page.locator("form[action='/lock'] button").first.click()
    expect(page.locator("[name=passphrase]")).to_be_visible()
    assert page.request.get(f"{world.office.url}/reports/{submission}", max_redirects=0).status == 303
    page.context.close()


def _check_canary_is_nowhere_on_the_portal(world: World) -> None:
    """In no file of the portal, no temporary file, no log, and in no request that the reporter's browser made."""
    needles = [text.encode(coding) for text in (CANARY, FILE_CANARY) for coding in ("utf-8", "utf-16-le")]
    searched = 0
    for folder in ("portal", "portal-temporary"):
        for path in (world.folder / folder).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                searched += len(data)
                assert not any(needle in data or needle in str(path).encode() for needle in needles), path
    assert searched > len(FILE_BYTES), "the sealed file itself was among what was searched"
    log = (world.folder / "portal.log").read_text()
    assert re.fullmatch(STARTED, log), "how many files and connections there may be, said at the start, and no more"
    bodies = world.bodies
    assert bodies
    for seen in [*bodies, *(request.url.encode() for request in world.requests)]:
        assert not any(needle in seen for needle in needles)


def _check_no_traces(context: BrowserContext, page: Page) -> None:
    assert context.cookies() == []
    assert context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}
    held = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,"
        " (await caches.keys()).length]"
    )
    assert held == [0, 0, 0, 0]
    assert context.service_workers == []
