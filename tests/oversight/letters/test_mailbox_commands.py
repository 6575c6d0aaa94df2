# SPDX-License-Identifier: AGPL-3.0-or-later
"""What reporters command their mailboxes: kept, obeyed, brought again, and by nobody else."""

import asyncio
import hashlib

import httpx
import pytest

from crypto.ids import SubmissionId
from crypto.note import SigningKey
from crypto.receipt_code import derive, new_code
from oversight.letters.mailbox_commands import collect_controls
from oversight.letters.records import ControlRecord, ReplyDraftRecord, ReplyRecord
from oversight.wire.list_reading import ListReading
from oversight.wire.portal_errors import PortalUnreachable
from tests.chance import fresh_bytes
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator, cut_connection, refusal
from tests.oversight.sealed_reports import Wire, command, mailbox, sealed_report, under_new_id, waiting_letter
from tests.oversight.times_up import HangingTransport, TimesUp
from tests.people import REALM, TODAY

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
async def wire(office: Office, portal: PortalSimulator) -> Wire:
    wire = Wire(office, portal.transport())
    office.app.state.transport = portal.transport()
    portal.add(sealed_report(office.world))
    await wire.collect()
    return wire


@pytest.fixture
def submission(portal: PortalSimulator, wire: Wire) -> SubmissionId:
    return portal.submissions[0].sealed.manifest.submission


async def test_a_closed_mailbox_is_shown_and_takes_no_reply(
    wire: Wire, portal: PortalSimulator, office: Office, submission: SubmissionId
) -> None:
    browser = await office.browser_of("bruno")
    here = f"/reports/{submission}"
    await browser.post(f"{here}/reply", language="ar", body="text")
    portal.add_control(submission, command(close=True))
    await wire.collect()
    page = (await browser.get(here)).text
    assert "The reporter has closed the mailbox" in page and f"{here}/reply" not in page
    form = await browser.get(f"{here}/reply")
    assert form.status_code == 409 and "The reporter has closed the mailbox" in form.text
    assert "<textarea" not in form.text
    await browser.post(f"{here}/reply", language="ar", body="another text")
    draft = await ReplyDraftRecord.get()
    answer = await browser.post(f"{here}/reply/send", draft=_token(draft))
    assert answer.headers["location"] == here
    assert await ReplyRecord.all().count() == 0 and not portal.replies


async def test_a_letter_that_waits_for_a_closed_mailbox_is_not_sent(
    wire: Wire, portal: PortalSimulator, office: Office, submission: SubmissionId
) -> None:
    await waiting_letter(office.world, submission)
    portal.add_control(submission, command(close=True))
    await wire.collect()
    assert (await ReplyRecord.get()).refused == "mailbox-closed" and not portal.replies
    page = (await (await office.browser_of("bruno")).get(f"/reports/{submission}")).text
    assert "not sent: the reporter has closed the mailbox" in page


async def test_deleted_replies_are_said_up_to_their_number(
    wire: Wire, portal: PortalSimulator, office: Office, submission: SubmissionId
) -> None:
    browser = await office.browser_of("bruno")
    assert "deleted the replies" not in (await browser.get(f"/reports/{submission}")).text
    for number in (3, 2):
        portal.add_control(submission, command(delete=number))
    await wire.collect()
    page = (await browser.get(f"/reports/{submission}")).text
    assert "The reporter deleted the replies up to number 3." in page and f"/reports/{submission}/reply" in page


@pytest.mark.parametrize("false", ["member", "realm", "mailbox", "text", "number", "empty"])
async def test_a_command_that_the_control_key_did_not_sign_counts_for_nothing_and_hides_no_other(
    wire: Wire, portal: PortalSimulator, office: Office, submission: SubmissionId, false: str
) -> None:
    other = derive(new_code(fresh_bytes), REALM)
    notes: dict[str, object] = {
        "member": command(close=True, key=SigningKey.from_seed(mailbox().mailbox_id, b"m" * 32)),
        "realm": command(close=True, realm="0" * 32),
        "mailbox": command(close=True, mailbox=other.mailbox_id, key=other.control_key),
        "text": "no note",
        "number": 9,
        "empty": "",
    }
    portal.add_control(submission, notes[false])
    portal.add_control("0" * 32, command(close=True))
    portal.add_control(submission, command(delete=1))
    await wire.collect()
    assert [(row.delete_to, row.close) for row in await ControlRecord.all()] == [(1, False)]


async def test_commands_are_brought_again_to_a_portal_that_lost_them(
    wire: Wire, portal: PortalSimulator, submission: SubmissionId
) -> None:
    note = command(close=True)
    portal.add_control(submission, note)
    await wire.collect()
    assert not portal.brought
    portal.controls.clear()
    # A collector that has just started reads the whole list.
    await wire.collect()
    assert portal.brought == [(submission, note)]


async def test_commands_that_take_too_long_to_bring_again_do_not_stop_those_after_them(
    office: Office, wire: Wire, portal: PortalSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        portal.add(under_new_id(portal.submissions[0].sealed))
    await wire.collect()
    ids = sorted(each.sealed.manifest.submission for each in portal.submissions)
    for each in ids:
        note = command(close=True)
        await ControlRecord.create(id=each * 2, submission=each, note=note, delete_to=0, close=True, day=TODAY)
    wire.transport = HangingTransport(
        portal, TimesUp(monkeypatch), lambda request: request.url.path.endswith(f"{ids[0]}/control")
    )
    await wire.collect()
    assert [submission for submission, _ in portal.brought] == ids[1:]


async def test_a_visit_that_is_broken_off_goes_on_with_the_next_command(wire: Wire, portal: PortalSimulator) -> None:
    portal.add(under_new_id(portal.submissions[0].sealed))
    await wire.collect()
    ids = sorted(each.sealed.manifest.submission for each in portal.submissions)
    for each in ids:
        await ControlRecord.create(
            id=each * 2, submission=each, note=command(close=True), delete_to=0, close=True, day=TODAY
        )

    def break_off(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith(f"{ids[0]}/control"):
            # As a step does whose time is over.
            raise asyncio.CancelledError
        return None

    portal.faults.append(break_off)
    client, reading = wire.client(), ListReading()
    with pytest.raises(asyncio.CancelledError):
        await collect_controls(client, reading, TODAY)
    await collect_controls(client, reading, TODAY)
    assert [submission for submission, _ in portal.brought] == ids[1:]


async def test_commands_that_one_portal_refuses_to_take_again_do_not_stop_the_visit(
    wire: Wire, portal: PortalSimulator, submission: SubmissionId
) -> None:
    portal.add_control(submission, command(delete=1))
    await wire.collect()
    portal.controls.clear()
    portal.faults.append(lambda request: refusal(404, "not-found") if request.url.path.endswith("/control") else None)
    await wire.collect()
    assert await ControlRecord.all().count() == 1


async def test_a_list_of_commands_that_breaks_off_is_read_again(
    wire: Wire, portal: PortalSimulator, submission: SubmissionId
) -> None:
    portal.add_control(submission, command(close=True))
    portal.faults.append(cut_connection(path="/controls$"))
    with pytest.raises(PortalUnreachable):
        await wire.collect()
    portal.faults.clear()
    await wire.collect()
    await wire.collect()
    assert await ControlRecord.all().count() == 1


def _token(draft: ReplyDraftRecord) -> str:
    return hashlib.sha256(draft.sealed).hexdigest()[:32]
