# SPDX-License-Identifier: AGPL-3.0-or-later
"""The real portal, the real office and the reporter's reader, while whoever runs the portal lies to both.

The attacker has the portal's database, its key and what a former member had. What they lack is the reporter's code and
the office's key.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from crypto.acknowledgement import Acknowledgement
from crypto.ids import SubmissionId
from crypto.instruction import Instruction
from crypto.mailbox_view import ReadMailbox
from crypto.mailbox_visit import PortalRefusedError, Visit, delete_shown, instruct, send_follow_up, visit
from crypto.manifest import GRANT_FILE, REPORT_FILE, STATE_FILE, URGENCY_FILE
from crypto.message import message_id
from crypto.receipt_code import new_code
from crypto.submission import SealedSubmission
from oversight.commission.records import CharterRecord
from oversight.letters.records import FollowUpRecord as CollectedFollowUp
from oversight.reports.records import StuckArrivalRecord
from oversight.reports.records import SubmissionRecord as CollectedSubmission
from portal.api.refusals import Refusal
from portal.storage.records import FollowUpRecord, MailboxRecord, ReplyRecord, SubmissionRecord, ThreadRecord
from tests.chance import fresh_bytes
from tests.oversight.letters.test_letters_journey import send_reply
from tests.oversight.office import Office
from tests.oversight.sealed_reports import DIGITS, Wire, mailbox, sealed_follow_up, sealed_report
from tests.people import PORTAL_ORIGIN, REALM, TODAY, portal_key
from tests.portal.world import RunningPortal, running_portal
from tests.threads import succeed

pytestmark = pytest.mark.usefixtures("in_database")


class Line:
    """The reporter's requests, made from a thread of their own to the portal in this loop."""

    def __init__(self, portal: RunningPortal) -> None:
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(portal.app), base_url=f"{PORTAL_ORIGIN}/api/v1/")
        self.loop = asyncio.get_running_loop()

    def get(self, path: str) -> bytes:
        return self._wait(self.client.get(path))

    def post(self, path: str, body: bytes, *, once: bool = False) -> bytes:
        return self._wait(self.client.post(path, content=body, headers={"content-type": "application/json"}))

    def _wait(self, request) -> bytes:  # type: ignore[no-untyped-def]
        answer: httpx.Response = asyncio.run_coroutine_threadsafe(request, self.loop).result(60)
        if answer.is_error:
            raise PortalRefusedError(answer.json()["error"]["code"])
        return answer.content


@dataclass
class Way:
    """Everything between the reporter and the commission."""

    office: Office
    portal: RunningPortal
    wire: Wire
    line: Line

    async def deliver(self, sealed: SealedSubmission) -> SubmissionId:
        answer = await self.portal.submit(sealed.bundle())
        assert answer.status_code == 201, answer.text
        return sealed.manifest.submission

    async def collect(self) -> None:
        await self.wire.collect()

    async def look(self, digits: str = DIGITS) -> Visit:
        return await asyncio.to_thread(visit, self.line, digits)

    async def read(self) -> ReadMailbox:
        found = (await self.look()).found
        assert found is not None
        return found

    async def write(self, body: str) -> None:
        before = await self.look()
        await asyncio.to_thread(send_follow_up, self.line, before, TODAY, "message", body)

    async def answer(self, submission: SubmissionId, label: str = "bruno") -> None:
        sent = await send_reply(await self.office.browser_of(label), submission)
        assert sent.headers["location"].endswith("?sent=posted#letters")

    def at_the_portal(self):  # type: ignore[no-untyped-def]
        """The portal's database, in the attacker's hands."""
        return self.portal.app.state.database.use()


@pytest.fixture
async def way(office: Office, tmp_path: Path) -> AsyncIterator[Way]:
    async with running_portal(tmp_path / "portal") as portal:
        transport = httpx.ASGITransport(portal.app, raise_app_exceptions=False)
        office.app.state.transport = transport
        line = Line(portal)
        yield Way(office, portal, Wire(office, transport), line)
        await line.client.aclose()


def numbers(found: ReadMailbox) -> list[tuple[int | None, str | None]]:
    return [(reply.number, reply.problem) for reply in found.replies]


class TestTheHonestWay:
    async def test_both_sides_know_what_the_other_has(self, way: Way) -> None:
        submission = await way.deliver(sealed_report(way.office.world))
        assert not (await way.read()).shown
        await way.collect()
        await way.answer(submission)
        await way.write("One thing more.")
        found = await way.read()
        assert [(sent.number, sent.fetched) for sent in found.sent] == [(1, False)]
        await way.collect()
        found = await way.read()
        assert [(sent.number, sent.fetched) for sent in found.sent] == [(1, True)]
        assert numbers(found) == [(1, None)]
        assert (found.missing, found.alarms, found.older, found.replaced) == ((), (), False, False)
        assert (found.collected, found.confirmed, found.newest_day) == (TODAY, TODAY, TODAY)
        page = (await (await way.office.browser_of("bruno")).get(f"/reports/{submission}")).text
        assert "One thing more." in page

    async def test_a_code_that_opens_nothing_writes_into_the_void(self, way: Way) -> None:
        stranger = new_code(fresh_bytes)
        before = await way.look(stranger)
        assert before.found is None
        await asyncio.to_thread(send_follow_up, way.line, before, TODAY, "message", "noise")
        await way.collect()
        assert await CollectedFollowUp.all().count() == 0

    async def test_who_closes_the_mailbox_finds_nothing_and_the_office_still_gets_what_was_sent(self, way: Way) -> None:
        submission = await way.deliver(sealed_report(way.office.world))
        await way.collect()
        await way.answer(submission)
        await way.write("The last word.")
        await asyncio.to_thread(delete_shown, way.line, await way.look(), close=True)
        assert (await way.look()).found is None
        await way.collect()
        page = (await (await way.office.browser_of("bruno")).get(f"/reports/{submission}")).text
        assert "The last word." in page


class TestInstructions:
    async def instruct(self, way: Way, act: str, *codes: str) -> None:
        await asyncio.to_thread(instruct, way.line, await way.look(), TODAY, act, codes)

    async def page(self, way: Way, submission: SubmissionId) -> str:
        await way.collect()
        return (await (await way.office.browser_of("bruno")).get(f"/reports/{submission}")).text

    async def test_what_the_reporter_permits_is_shown_as_signed_with_the_code(self, way: Way) -> None:
        submission = await way.deliver(sealed_report(way.office.world))
        await self.instruct(way, "permit", "CO-SOMETHING")
        await self.instruct(way, "withdraw")
        page = await self.page(way, submission)
        assert "The reporter permits:" in page and "CO-SOMETHING" in page
        assert "The reporter withdraws the report." in page
        assert "Signed with the receipt code" in page

    async def test_whoever_opened_the_report_can_not_permit_in_the_reporters_name(self, way: Way) -> None:
        """A member has the message key and the thread's recipient, and the portal takes the follow-up in."""
        sealed = sealed_report(way.office.world)
        submission = await way.deliver(sealed)
        said = Instruction(REALM, sealed.manifest_hash, 1, "permit", ("CO-PUB-NAMED",))
        bruno = way.office.world["bruno"].signing_key
        forged = [
            said.sign(replace(bruno, name=sealed.manifest.mailbox)).encode().decode(),
            said.text(),
            "I permit everything.",
        ]
        with way.at_the_portal():
            for number, body in enumerate(forged, 1):
                message = sealed_follow_up(sealed, way.office.world, number, kind="instruction", body=body)
                await FollowUpRecord.create(
                    slug=way.office.world.slug,
                    submission=submission,
                    message=message_id(message),
                    day=TODAY,
                    sealed=message,
                )
        page = await self.page(way, submission)
        assert "The reporter permits:" not in page
        assert page.count("it was not made by the holder of the receipt code") == len(forged)

    async def test_a_true_instruction_in_another_message_does_not_count(self, way: Way) -> None:
        sealed = sealed_report(way.office.world)
        submission = await way.deliver(sealed)
        said = Instruction(REALM, sealed.manifest_hash, 1, "withdraw").sign(mailbox().control_key).encode().decode()
        with way.at_the_portal():
            message = sealed_follow_up(sealed, way.office.world, 2, kind="instruction", body=said)
            await FollowUpRecord.create(
                slug=way.office.world.slug,
                submission=submission,
                message=message_id(message),
                day=TODAY,
                sealed=message,
            )
        assert "withdraws the report" not in await self.page(way, submission)


class TestASwappedReport:
    async def swap(self, way: Way, true: SealedSubmission, other: SealedSubmission, acknowledged: str) -> None:
        """Store the sealed files of another report under the id of the true one; the mailbox stays the true one's."""
        with way.at_the_portal():
            await SubmissionRecord.filter(submission=true.manifest.submission).update(
                manifest=other.manifest_bytes,
                manifest_sha256=other.manifest_hash,
                commitment=other.commitment,
                report=other.files[REPORT_FILE],
                grant=other.files[GRANT_FILE],
                urgency=other.files[URGENCY_FILE],
                acknowledgement=acknowledged,
            )

    def made_for(self, way: Way, true: SealedSubmission, **changes: str) -> SealedSubmission:
        """The attacker's report with a mailbox of their own, under the victim's id."""
        own = sealed_report(way.office.world, receipt_digits=new_code(fresh_bytes))
        manifest = replace(own.manifest, submission=true.manifest.submission, **changes)
        return replace(own, manifest=manifest, manifest_bytes=manifest.encode())

    async def test_with_the_true_acknowledgement_it_is_not_collected(self, way: Way) -> None:
        true = sealed_report(way.office.world)
        await way.deliver(true)
        with way.at_the_portal():
            acknowledged = (await SubmissionRecord.get(submission=true.manifest.submission)).acknowledgement
        await self.swap(way, true, self.made_for(way, true), acknowledged)
        await way.collect()
        assert (await StuckArrivalRecord.get()).problem == "acknowledgement"
        assert await CollectedSubmission.all().count() == 0

    async def test_with_a_second_acknowledgement_the_reporter_sees_that_the_portal_lied(self, way: Way) -> None:
        true = sealed_report(way.office.world)
        submission = await way.deliver(true)
        other = self.made_for(way, true)
        lie = Acknowledgement(REALM, submission, other.manifest_hash, other.commitment, TODAY)
        await self.swap(way, true, other, lie.sign(portal_key()).encode().decode())
        await way.collect()
        found = await way.read()
        assert {alarm.kind for alarm in found.alarms} == {"acknowledgement", "collection"}
        assert found.shown and found.collected is None

    async def test_the_victims_mailbox_can_not_be_claimed_by_another_report(self, way: Way) -> None:
        """A manifest that names the victim's mailbox id without its keys is no manifest."""
        true = sealed_report(way.office.world)
        with pytest.raises(Exception, match="does not commit"):
            self.made_for(way, true, mailbox=true.manifest.mailbox)

    async def test_another_report_in_the_victims_own_mailbox_is_told_at_opening(self, way: Way) -> None:
        """The attacker knows S, V and the token's hash from the true manifest, and lacks what only the code gives."""
        true = sealed_report(way.office.world)
        submission = await way.deliver(true)
        own = self.made_for(way, true)
        claimed = true.manifest
        manifest = replace(
            own.manifest,
            mailbox=claimed.mailbox,
            recipient=claimed.recipient,
            control=claimed.control,
            token_sha256=claimed.token_sha256,
        )
        other = replace(own, manifest=manifest, manifest_bytes=manifest.encode())
        lie = Acknowledgement(REALM, submission, other.manifest_hash, other.commitment, TODAY)
        await self.swap(way, true, other, lie.sign(portal_key()).encode().decode())
        await way.collect()
        page = (await (await way.office.browser_of("bruno")).get(f"/reports/{submission}")).text
        assert "rare-canary-word" not in page
        assert {alarm.kind for alarm in (await way.read()).alarms} >= {"collection"}


class TestAThinnedThread:
    async def answered(self, way: Way, times: int) -> SubmissionId:
        submission = await way.deliver(sealed_report(way.office.world))
        await way.collect()
        for _ in range(times):
            await way.answer(submission)
        return submission

    async def test_a_dropped_reply_is_missing(self, way: Way) -> None:
        submission = await self.answered(way, 3)
        with way.at_the_portal():
            await ReplyRecord.filter(submission=submission, number=2).delete()
        assert (await way.read()).missing == (2,)

    async def test_a_reply_held_back_since_the_last_visit_is_missing_once_the_note_is_shown(self, way: Way) -> None:
        submission = await self.answered(way, 1)
        with way.at_the_portal():
            await ReplyRecord.filter(submission=submission).delete()
        assert (await way.read()).missing == (1,)

    async def test_a_rewound_note_is_told(self, way: Way) -> None:
        submission = await self.answered(way, 1)
        with way.at_the_portal():
            before = await ThreadRecord.get(submission=submission)
        await way.answer(submission)
        await way.read()
        with way.at_the_portal():
            await ThreadRecord.filter(submission=submission).update(note=bytes(before.note))
        assert (await way.read()).older

    async def test_a_dropped_follow_up_is_never_fetched_and_the_reporter_sees_it(self, way: Way) -> None:
        submission = await self.answered(way, 1)
        await way.write("first")
        await way.write("second")
        with way.at_the_portal():
            first = await FollowUpRecord.filter(submission=submission).order_by("sequence").first()
            assert first is not None
            await first.delete()
        await way.collect()
        assert [(sent.number, sent.fetched) for sent in (await way.read()).sent] == [(1, False), (2, True)]

    async def test_another_reporters_state_in_place_of_ones_own_opens_nothing(self, way: Way) -> None:
        await self.answered(way, 1)
        other = sealed_report(way.office.world, receipt_digits=new_code(fresh_bytes))
        state = other.files[STATE_FILE]
        with way.at_the_portal():
            await MailboxRecord.all().update(state=state, state_sha256=hashlib.sha256(state).hexdigest())
        assert (await way.look()).found is None

    async def test_a_portal_that_takes_no_state_can_not_keep_the_messages_from_being_read(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def conflict(*_: object) -> Refusal:
            return Refusal("state-conflict")

        await self.answered(way, 1)
        monkeypatch.setattr("portal.mailbox.mailboxes._refusal", conflict)
        found = await way.look()
        assert found.found is not None
        assert (numbers(found.found), found.saved) == ([(1, None)], False)


async def test_a_report_under_a_charter_that_was_replaced_is_marked(way: Way) -> None:
    world = way.office.world
    newer = succeed(world, world.charter)
    await CharterRecord.create(hash=newer.hash, number=newer.number, note=newer.note, published=True)
    with way.at_the_portal():
        await way.portal.app.state.assembly.charters.take(newer.note, None)
    submission = await way.deliver(sealed_report(world))
    await way.collect()
    page = (await (await way.office.browser_of("bruno")).get(f"/reports/{submission}")).text
    assert "Sealed under an older charter" in page and "Charter 2 was in force" in page
