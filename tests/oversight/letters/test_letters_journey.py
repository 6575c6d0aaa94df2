# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a reporter's device through the real portal to a member's eyes, and back into the mailbox."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto.charter import Charter
from crypto.mailbox_answer import MailboxAnswer, read_mailbox_answer
from crypto.mailbox_change import add_follow_up, make_change
from crypto.mailbox_reader import read_chain, read_mailbox
from crypto.mailbox_view import ReadMailbox
from crypto.submission import SealedSubmission, open_state
from oversight.letters.records import FollowUpRecord, PostingRecord, ReplyDraftRecord, ReplyRecord, ThreadNoteRecord
from oversight.members.records import MemberRecord
from oversight.reports.records import SubmissionRecord
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Browser, Office
from tests.oversight.sealed_reports import STORY, Wire, attachment, first_keys, mailbox, sealed_follow_up, sealed_report
from tests.people import TODAY
from tests.portal.world import RunningPortal, running_portal

pytestmark = pytest.mark.usefixtures("in_database")
FILE = b"blood sugar 3.1 " * 9000
REPLY = "وصلتنا رسالتك. هل يستطيع المحامي إرسال القرار؟"


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[RunningPortal]:
    async with running_portal(tmp_path / "portal") as running:
        yield running


@pytest.fixture
def wire(office: Office, portal: RunningPortal) -> Wire:
    transport = httpx.ASGITransport(portal.app, raise_app_exceptions=False)
    office.app.state.transport = transport
    return Wire(office, transport)


async def ask(portal: RunningPortal) -> MailboxAnswer:
    """What the portal shows of the mailbox."""
    asked = {"mailbox": mailbox().mailbox_id, "token": mailbox().token.hex()}
    return read_mailbox_answer((await portal.client.post("/api/v1/mailbox", json=asked)).content)


def read_as_reporter(answer: MailboxAnswer, *charters: Charter) -> ReadMailbox:
    """What the reporter's device makes of what the portal shows, with the state that it shows."""
    state = open_state(answer.state, mailbox())
    chain = read_chain(state, [charter.note for charter in charters])
    return read_mailbox(answer, state, mailbox(), chain, None)


async def write_again(portal: RunningPortal, kind: str, body: str) -> None:
    """The reporter's device sends a follow-up with the state that names it."""
    shown = (await ask(portal)).state
    follow_up, state = add_follow_up(open_state(shown, mailbox()), TODAY, kind, body)
    answer = await portal.change(make_change(mailbox(), shown, state, follow_up=follow_up))
    assert answer.status_code == 202, answer.text


async def command(portal: RunningPortal, **commanded: Any) -> None:
    """The reporter deletes replies or closes the mailbox."""
    shown = (await ask(portal)).state
    answer = await portal.change(make_change(mailbox(), shown, open_state(shown, mailbox()), **commanded))
    assert answer.status_code == 202, answer.text


async def deliver(portal: RunningPortal, sealed: SealedSubmission) -> str:
    answer = await portal.submit(sealed.bundle())
    assert answer.status_code == 201, answer.text
    return sealed.manifest.submission


async def send_reply(browser: Browser, submission: str, body: str = REPLY) -> httpx.Response:
    """Write, preview, send, as the pages lead."""
    written = await browser.post(f"/reports/{submission}/reply", language="ar", body=body)
    assert written.headers["location"] == f"/reports/{submission}/reply/preview", written.text
    preview = (await browser.get(written.headers["location"])).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    assert token
    return await browser.post(f"/reports/{submission}/reply/send", draft=token[1])


async def test_a_report_is_read_and_answered_and_the_answer_opens_with_the_code(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world, attachments=[attachment(FILE)]))
    await wire.collect()
    browser = await office.browser_of("bruno")

    queue = (await browser.get("/queue")).text
    assert "R-0001" in queue and "torture or beating now" in queue and "Türkiye" in queue and "Arabic" in queue
    assert STORY not in queue

    page = (await browser.get(f"/reports/{submission}")).text
    assert f'lang="ar" dir="rtl">{STORY}</div>' in page
    assert "in the reporter’s browser" in page and "clinic note.txt" in page
    file = await browser.get(f"/reports/{submission}/files/1")
    assert file.content == FILE

    sent = await send_reply(browser, submission)
    assert sent.headers["location"] == f"/reports/{submission}?sent=posted#letters"
    found = await ask(portal)
    seen = read_as_reporter(found, office.world.charter)
    assert seen.alarms == () and seen.collected is not None
    [reply] = seen.replies
    assert reply.author is not None
    assert (reply.number, reply.body, reply.language, reply.author.label) == (1, REPLY, "ar", "bruno")
    assert (seen.confirmed, seen.missing) == (TODAY, ())


async def test_a_follow_up_arrives_in_the_thread_and_one_by_a_stranger_is_shown_as_broken(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    sealed = sealed_report(office.world)
    submission = await deliver(portal, sealed)
    await write_again(portal, "retaliation", "They moved him to another cell.")
    shown = (await ask(portal)).state
    forged = sealed_follow_up(
        sealed, office.world, 2, keys=replace(first_keys(sealed, office.world), message_mac=b"x" * 32)
    )
    change = make_change(mailbox(), shown, open_state(shown, mailbox()), follow_up=forged)
    assert (await portal.change(change)).status_code == 202
    await wire.collect()
    browser = await office.browser_of("bruno")
    assert "2 new messages" in (await browser.get("/queue")).text
    page = (await browser.get(f"/reports/{submission}")).text
    assert page.count("They moved him to another cell.") == 1
    assert "Something happened after the report" in page
    assert "was not made by the holder of the receipt code" in page
    assert "new message" not in (await browser.get("/queue")).text
    assert {row.seen_by for row in await FollowUpRecord.all()} == {"bruno"}


async def test_a_follow_up_is_said_to_be_fetched_once_the_office_holds_it(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    await deliver(portal, sealed_report(office.world))
    await wire.collect()
    await write_again(portal, "message", "One thing more.")
    before = read_as_reporter(await ask(portal), office.world.charter)
    await wire.collect()
    after = read_as_reporter(await ask(portal), office.world.charter)
    assert [[(sent.number, sent.fetched) for sent in seen.sent] for seen in (before, after)] == [
        [(1, False)],
        [(1, True)],
    ]
    assert await FollowUpRecord.filter(confirmed=True).count() == 1


async def test_a_mailbox_that_the_reporter_closes_takes_no_letter_and_gets_no_note(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    await send_reply(browser, submission)
    await command(portal, delete=1)
    await wire.collect()
    assert "deleted the replies up to number 1" in (await browser.get(f"/reports/{submission}")).text
    await command(portal, close=True)
    office.clock.forward(days=1)
    portal.clock.now = office.clock.now
    await wire.collect()
    browser = await office.browser_of("bruno")
    assert (await browser.get(f"/reports/{submission}/reply")).status_code == 409
    assert (await ask(portal)).thread is None


async def test_a_letter_meets_a_closed_mailbox_before_the_office_knows(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    await command(portal, close=True)
    browser = await office.browser_of("bruno")
    sent = await send_reply(browser, submission)
    assert sent.headers["location"] == f"/reports/{submission}?sent=mailbox-closed#letters"
    assert "The reply was not sent" in (await browser.get(sent.headers["location"])).text


async def test_a_member_is_recused_and_the_weekly_round_brings_the_reporter_keys_that_only_the_others_have(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    room = CaseRoom(office)
    case = await room.open_case(submission)
    await room.bring_in(case, "bruno", "chiara")
    await room.do("chiara", case, "/people/bruno/renew", kind="recused", reason="He knows the judge.")
    await wire.collect()
    before = read_as_reporter(await ask(portal), office.world.charter)
    assert before.state.thread.keys.generation == 0, "renewals wait for the weekly round"

    office.clock.forward(days=7)
    portal.clock.now = office.clock.now
    await wire.collect()
    found = await ask(portal)
    seen = read_as_reporter(found, office.world.charter)
    assert seen.state.thread.keys.generation == 1
    follow_up, state = add_follow_up(seen.state, office.clock().date(), "message", "Only for those who stayed.")
    assert (await portal.change(make_change(mailbox(), found.state, state, follow_up=follow_up))).status_code == 202
    await wire.collect()
    readers = {label: await office.browser_of(label) for label in ("chiara", "daud")}
    pages = {label: (await browser.get(f"/reports/{submission}")).text for label, browser in readers.items()}
    assert "Only for those who stayed." in pages["chiara"] and "Doubtful" not in pages["chiara"]
    assert "Only for those who stayed." not in pages["daud"]


async def test_an_office_that_was_restored_goes_on_in_the_same_mailbox(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    await send_reply(browser, submission)
    for rows in (ReplyRecord, PostingRecord, ThreadNoteRecord):
        await rows.all().delete()
    sent = await send_reply(browser, submission, "After the restore.")
    assert sent.headers["location"].endswith("?sent=posted#letters")
    seen = read_as_reporter(await ask(portal), office.world.charter)
    assert [(reply.number, reply.body) for reply in seen.replies] == [(1, REPLY), (2, "After the restore.")]
    assert (seen.alarms, seen.missing) == ((), ())


async def test_a_member_whom_the_reporter_excluded_finds_nothing_by_page_or_by_request(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world, exclude=["bruno"], attachments=[attachment(FILE)]))
    await wire.collect()
    excluded, reader = await office.browser_of("bruno"), await office.browser_of("chiara")
    assert submission in (await reader.get("/queue")).text
    queue = (await excluded.get("/queue")).text
    assert submission not in queue and "R-0001" not in queue and "0 reports" in queue
    here = f"/reports/{submission}"
    for path in (here, f"{here}/files/1", f"{here}/reply", f"{here}/reply/preview"):
        assert (await excluded.get(path)).status_code == 404, path
    for path in (f"{here}/reply", f"{here}/reply/send", f"{here}/reply/discard"):
        answer = await excluded.post(path, language="ar", body="text", draft="0" * 32)
        assert answer.status_code == 404, path
    assert (await SubmissionRecord.get()).opened_on is None
    unknown = await excluded.get(f"/reports/{'0' * 32}")
    known = await excluded.get(here)
    assert known.text == unknown.text.replace("0" * 32, submission)


@pytest.mark.parametrize("roles", [["auditor"], ["administrator"], ["auditor", "administrator"], []])
async def test_who_has_no_reading_role_sees_no_content_though_the_key_would_open_it(
    office: Office, portal: RunningPortal, wire: Wire, roles: list[str]
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    await MemberRecord.filter(label="elif").update(roles=roles)
    browser = await office.browser_of("elif")
    queue = await browser.get("/queue")
    assert "Your role does not include reading reports" in queue.text and "R-0001" not in queue.text
    assert (await browser.get(f"/reports/{submission}")).status_code == 404
    assert (await browser.post(f"/reports/{submission}/reply", body="x", language="ar")).status_code == 404


async def test_a_publisher_reads_and_does_not_reply(office: Office, portal: RunningPortal, wire: Wire) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("elif")
    page = await browser.get(f"/reports/{submission}")
    assert page.status_code == 200 and "/reply" not in page.text
    assert (await browser.get(f"/reports/{submission}/reply")).status_code == 404
    assert (await browser.post(f"/reports/{submission}/reply", body="x", language="ar")).status_code == 404


async def test_a_reply_waits_while_the_portal_is_away_and_goes_out_once(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    office.app.state.transport = httpx.MockTransport(_unreachable)
    sent = await send_reply(browser, submission)
    assert sent.headers["location"] == f"/reports/{submission}?sent=waiting#letters"
    assert "The portal has not taken it yet" in (await browser.get(sent.headers["location"])).text
    assert "waiting to be sent" in (await browser.get(f"/reports/{submission}")).text
    assert (await ask(portal)).messages == ()
    await wire.collect()
    await ReplyRecord.all().update(posted_on=None)
    await wire.collect()
    assert len((await ask(portal)).messages) == 1
    assert "in the mailbox" in (await browser.get(f"/reports/{submission}")).text


async def test_a_second_click_on_send_makes_no_second_letter(office: Office, portal: RunningPortal, wire: Wire) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    await browser.post(f"/reports/{submission}/reply", language="ar", body=REPLY)
    preview = (await browser.get(f"/reports/{submission}/reply/preview")).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    assert token
    for _ in range(2):
        answer = await browser.post(f"/reports/{submission}/reply/send", draft=token[1])
        assert answer.status_code == 303
    assert await ReplyRecord.all().count() == 1


async def test_what_changed_after_the_preview_is_not_sent_unseen(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    here = f"/reports/{submission}/reply"
    await browser.post(here, language="ar", body="first")
    seen = re.search(r'name="draft" value="([0-9a-f]{32})"', (await browser.get(f"{here}/preview")).text)
    assert seen
    await browser.post(here, language="ar", body="second")
    answer = await browser.post(f"{here}/send", draft=seen[1])
    assert answer.headers["location"] == f"{here}/preview?changed"
    assert await ReplyRecord.all().count() == 0


async def test_a_draft_rests_sealed_under_the_members_own_key(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser, other = await office.browser_of("bruno"), await office.browser_of("chiara")
    await browser.post(f"/reports/{submission}/reply", language="ar", body="rare-draft-word")
    row = await ReplyDraftRecord.get()
    assert b"rare-draft-word" not in row.sealed and len(row.sealed) >= 4096
    assert "rare-draft-word" in (await browser.get(f"/reports/{submission}/reply")).text
    assert "rare-draft-word" not in (await other.get(f"/reports/{submission}/reply")).text
    await browser.post(f"/reports/{submission}/reply/discard")
    assert await ReplyDraftRecord.all().count() == 0


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"language": "ar", "body": "  "}, "Write the reply"),
        ({"language": "ar", "body": "ب" * 33_000}, "The reply is too long"),
        ({"language": "xx", "body": "text"}, "Choose one of the languages"),
    ],
)
async def test_a_reply_that_can_t_be_sent_is_given_back_with_the_reason(
    office: Office, portal: RunningPortal, wire: Wire, form: dict[str, str], message: str
) -> None:
    submission = await deliver(portal, sealed_report(office.world))
    await wire.collect()
    browser = await office.browser_of("bruno")
    answer = await browser.post(f"/reports/{submission}/reply", **form)
    assert answer.status_code == 422 and message in answer.text and form["body"].strip() in answer.text
    assert await ReplyDraftRecord.all().count() == 0


async def test_nothing_that_a_reporter_wrote_stands_in_the_offices_files_in_the_clear(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    sealed = sealed_report(office.world, attachments=[attachment(b"rare-file-canary" * 2000, "rare-name-canary.txt")])
    submission = await deliver(portal, sealed)
    await wire.collect()
    browser = await office.browser_of("bruno")
    await browser.get("/queue")
    page = (await browser.get(f"/reports/{submission}")).text
    assert "rare-canary-word" in page and "rare-name-canary" in page
    assert (await browser.get(f"/reports/{submission}/files/1")).content.startswith(b"rare-file-canary")
    await send_reply(browser, submission, "rare-reply-canary")
    words = (b"rare-canary-word", b"rare-name-canary", b"rare-file-canary", b"rare-reply-canary")
    folder = office.settings.data
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.startswith("office.sqlite3") for path in files)
    for path in files:
        content = path.read_bytes()
        assert not [word for word in words if word in content], path


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)
