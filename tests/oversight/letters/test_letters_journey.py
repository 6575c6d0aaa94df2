# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a reporter's device through the real portal to a member's eyes, and back into the mailbox."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from crypto.encoding import decode_base64, encode_base64
from crypto.message import FollowUp, open_reply, seal_follow_up
from crypto.submission import SealedSubmission, open_state
from oversight.letters.records import FollowUpRecord, ReplyDraftRecord, ReplyRecord
from oversight.members.records import MemberRecord
from oversight.reports.records import SubmissionRecord
from tests.oversight.office import Browser, Office
from tests.oversight.sealed_reports import STORY, Wire, attachment, mailbox, sealed_report
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
    found = await portal.read_mailbox(mailbox())
    state = open_state(decode_base64(found["state"]), mailbox())
    assert (state.submission, state.charter) == (submission, office.world.charter.hash)
    [message] = found["messages"]
    reply = open_reply(decode_base64(message["sealed"]), mailbox().identity, [office.world.charter])
    assert (reply.body, reply.language, reply.signer.label) == (REPLY, "ar", "bruno")
    assert found["collection"] is not None


async def test_a_follow_up_arrives_in_the_thread_and_one_by_a_stranger_is_shown_as_broken(
    office: Office, portal: RunningPortal, wire: Wire
) -> None:
    sealed = sealed_report(office.world)
    submission = await deliver(portal, sealed)
    found = await portal.read_mailbox(mailbox())
    thread = open_state(decode_base64(found["state"]), mailbox()).recipient
    follow_up = FollowUp(submission, TODAY, "retaliation", "They moved him to another cell.")
    for key in (mailbox().message_mac, b"x" * 32):
        body = {
            "mailbox": mailbox().mailbox_id,
            "token": mailbox().token.hex(),
            "sealed": encode_base64(seal_follow_up(follow_up, key, thread)),
        }
        assert (await portal.client.post("/api/v1/mailbox/follow-ups", json=body)).status_code == 202
    await wire.collect()
    browser = await office.browser_of("bruno")
    assert "2 new messages" in (await browser.get("/queue")).text
    page = (await browser.get(f"/reports/{submission}")).text
    assert page.count("They moved him to another cell.") == 1
    assert "Something happened after the report" in page
    assert "was not made by the holder of the receipt code" in page
    assert "new message" not in (await browser.get("/queue")).text
    assert {row.seen_by for row in await FollowUpRecord.all()} == {"bruno"}


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
    assert "waiting to be sent" in (await browser.get(f"/reports/{submission}")).text
    assert (await portal.read_mailbox(mailbox()))["messages"] == []
    await wire.collect()
    await ReplyRecord.all().update(posted_on=None)
    await wire.collect()
    assert len((await portal.read_mailbox(mailbox()))["messages"]) == 1
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
