# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys of a thread after somebody must not read on: what they can still open and forge, with a portal's help.

Who was shut out has all keys that they ever had, every row of the office and all that the portal keeps.
"""

import re

import pytest

from crypto.age import PqIdentity
from crypto.errors import CryptoError
from crypto.event import open_part, read_event
from crypto.grant import open_case_grant, open_grant, open_thread_grant
from crypto.key_renewal import SignedRenewal, open_renewal
from crypto.manifest import GRANT_FILE
from crypto.message import message_id, open_follow_up, open_reply
from crypto.sealed_parts import Keys, Renewal
from crypto.submission import SealedSubmission
from crypto.thread_keys import ThreadKeys
from oversight.cases.records import CaseGrantRecord
from oversight.commission.charters import charters_by_hash
from oversight.ledger.records import EventRecord
from oversight.letters.records import FollowUpRecord, ReplyRecord
from oversight.letters.thread_keys import announce_renewals, pending_renewal
from oversight.reports.records import (
    SealedFileRecord,
    SubmissionRecord,
    ThreadGrantRecord,
    ThreadRenewalRecord,
)
from tests.oversight.case_desk import Desk, store
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Office
from tests.oversight.sealed_reports import first_keys, mailbox, sealed_follow_up, sealed_report
from tests.people import TODAY

pytestmark = pytest.mark.usefixtures("in_database")
DOUBTFUL = "written with keys that somebody who left also has"


@pytest.fixture
def room(office: Office) -> CaseRoom:
    return CaseRoom(office)


async def reach(office: Office, label: str) -> set[PqIdentity]:
    """Every identity that somebody can come by who has this person's keys and every row of the office."""
    found = {office.world[label].identity}
    charters = await charters_by_hash()
    grants = [bytes(row.sealed or b"") for row in await SealedFileRecord.filter(name=GRANT_FILE)]
    later = [bytes(row.sealed) for row in await ThreadGrantRecord.all()]
    of_cases = [bytes(row.sealed) for row in await CaseGrantRecord.all()]
    events = [read_event(bytes(row.note), charters) for row in await EventRecord.all().order_by("id")]
    while True:
        before = len(found)
        for data, opener in (
            *((data, open_grant) for data in grants),
            *((data, open_thread_grant) for data in later),
            *((data, open_case_grant) for data in of_cases),
        ):
            try:
                found.add(opener(data, list(found)).identity)  # type: ignore[operator]
            except CryptoError:
                continue
        for event in events:
            for identity in list(found):
                try:
                    part = open_part(event, identity)
                except CryptoError:
                    continue
                if isinstance(part, Renewal):
                    found.update(entry.identity for entry in part.identities)
                if isinstance(part, Renewal | Keys):
                    found.update(entry.identity for entry in part.threads)
        if len(found) == before:
            return found


def opens(identities: set[PqIdentity], sealed: bytes) -> bool:
    """Whether one of these identities opens a message, whoever it says that it is from."""
    for identity in identities:
        try:
            open_follow_up(sealed, identity, bytes(32))
        except CryptoError as error:
            if "recipient" not in type(error).__name__.lower():
                return True
            continue
        return True
    return False


async def reply(room: CaseRoom, label: str, submission: str, body: str) -> bytes:
    """Write and send a reply as the pages lead; the sealed file."""
    await room.post(label, f"/reports/{submission}/reply", language="ar", body=body)
    preview = (await room.get(label, f"/reports/{submission}/reply/preview")).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    assert token, preview
    sent = await room.post(label, f"/reports/{submission}/reply/send", draft=token[1])
    assert sent.status_code == 303, sent.text
    return bytes((await ReplyRecord.filter(submission=submission).order_by("-number").first()).sealed)  # type: ignore[union-attr]


async def arrive(sealed: bytes, submission: str) -> None:
    """The portal hands over a follow-up."""
    sequence = await FollowUpRecord.all().count() + 1
    await FollowUpRecord.create(
        id=message_id(sealed), sequence=sequence, submission=submission, day=TODAY, sealed=sealed
    )


async def brought(submission: str) -> SignedRenewal:
    """What the next weekly round brings to the reporter."""
    await announce_renewals()
    sealed = await pending_renewal(submission)
    return open_renewal(sealed, mailbox().identity, list((await charters_by_hash()).values()))


async def received(office: Office, **changes: object) -> SealedSubmission:
    sealed = sealed_report(office.world, **changes)
    await store(sealed, TODAY)
    return sealed


async def recused_case(room: CaseRoom, sealed: SealedSubmission) -> str:
    """A case of the report that Amina, Chiara and Bruno held, until Bruno was recused."""
    case = await room.open_case(sealed.manifest.submission)
    await room.bring_in(case, "bruno", "chiara")
    await room.do("chiara", case, "/people/bruno/renew", kind="recused", reason="He knows the judge.")
    return case


async def test_a_recused_member_opens_neither_the_next_reply_nor_the_renewal_nor_what_the_reporter_writes_then(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    before = sealed_follow_up(sealed, office.world)
    await recused_case(room, sealed)
    answer = await reply(room, "chiara", submission, "We have read it.")
    renewal = await brought(submission)
    after = sealed_follow_up(sealed, office.world, 2, keys=renewal.keys, generation=1)
    stolen = await reach(office, "bruno")
    assert opens(stolen, before)
    [row] = await ThreadRenewalRecord.filter(submission=submission)
    assert not opens(stolen, answer) and not opens(stolen, bytes(row.sealed)) and not opens(stolen, after)
    for label in ("chiara", "amina"):
        assert opens(await reach(office, label), answer) and opens(await reach(office, label), after), label
    read = open_reply(answer, mailbox().identity, [office.world.charter])
    assert read.keys == renewal.keys
    assert (renewal.keys.generation, renewal.signer.label, renewal.manifest) == (1, "chiara", sealed.manifest_hash)


async def test_what_is_forged_with_old_keys_is_doubtful_once_the_reporter_used_newer_ones(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    await recused_case(room, sealed)
    renewal = await brought(submission)
    await arrive(sealed_follow_up(sealed, office.world, 1, body="The first message."), submission)
    await arrive(
        sealed_follow_up(sealed, office.world, 2, keys=renewal.keys, generation=1, body="The second."), submission
    )
    page = (await room.get("chiara", f"/reports/{submission}")).text
    assert "The first message." in page and "The second." in page and DOUBTFUL not in page
    await arrive(sealed_follow_up(sealed, office.world, 3, body="I withdraw everything."), submission)
    page = (await room.get("chiara", f"/reports/{submission}")).text
    assert page.count(DOUBTFUL) == 1 and page.index(DOUBTFUL) < page.index("I withdraw everything.")
    assert "has not arrived" not in page


async def test_a_follow_up_under_old_keys_that_says_it_is_under_new_ones_is_broken(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    await recused_case(room, sealed)
    old = first_keys(sealed, office.world)
    lying = ThreadKeys(1, old.recipient, old.message_mac)
    await arrive(sealed_follow_up(sealed, office.world, 1, keys=lying, generation=1, body="Forged."), submission)
    page = (await room.get("chiara", f"/reports/{submission}")).text
    assert "Forged." not in page and "was not made by the holder of the receipt code" in page


async def test_missing_and_repeated_messages_of_the_reporter_are_said_by_their_number(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    for number, body in ((1, "One."), (3, "Three."), (7, "Seven."), (7, "Seven again.")):
        await arrive(sealed_follow_up(sealed, office.world, number, body=body), submission)
    page = (await room.get("chiara", f"/reports/{submission}")).text
    assert "message number 2 has not arrived" in page and "messages number 4 to 6 have not arrived" in page
    assert page.count("another message has the same number") == 2


async def test_a_follow_up_of_another_manifest_is_broken(room: CaseRoom, office: Office) -> None:
    sealed = await received(office)
    await arrive(sealed_follow_up(sealed, office.world, manifest="0" * 64, body="Moved."), sealed.manifest.submission)
    page = (await room.get("chiara", f"/reports/{sealed.manifest.submission}")).text
    assert "Moved." not in page and "Incident" in page


async def test_a_reader_who_does_not_hold_the_case_reads_the_old_letters_and_can_not_reply_with_old_keys(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    await arrive(sealed_follow_up(sealed, office.world, body="Before."), submission)
    await recused_case(room, sealed)
    renewal = await brought(submission)
    await arrive(
        sealed_follow_up(sealed, office.world, 2, keys=renewal.keys, generation=1, body="Not for all."), submission
    )
    page = (await room.get("daud", f"/reports/{submission}")).text
    assert "Before." in page and "Not for all." not in page and "Those who have them can read it" in page
    assert "Write to the reporter" not in page
    assert (await FollowUpRecord.get(sequence=2)).seen_on is None
    await room.post("daud", f"/reports/{submission}/reply", language="ar", body="With old keys.")
    preview = (await room.get("daud", f"/reports/{submission}/reply/preview")).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    assert token
    refused = await room.post("daud", f"/reports/{submission}/reply/send", draft=token[1])
    assert "you don’t have the new ones" in refused.text
    assert await ReplyRecord.all().count() == 0


async def test_nobody_replies_while_somebody_in_conflict_holds_the_case(room: CaseRoom, office: Office) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    case = await room.open_case(submission)
    await room.bring_in(case, "bruno", "chiara")
    await room.do("bruno", case, "/declare", conflict="yes")
    await room.post("chiara", f"/reports/{submission}/reply", language="ar", body="Too early.")
    preview = (await room.get("chiara", f"/reports/{submission}/reply/preview")).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    assert token
    refused = await room.post("chiara", f"/reports/{submission}/reply/send", draft=token[1])
    assert "renew them first" in refused.text
    await room.do("chiara", case, "/people/bruno/renew", kind="recused", reason="He declared it.")
    assert not opens(await reach(office, "bruno"), await reply(room, "chiara", submission, "Now."))


@pytest.mark.parametrize("by", ["/queue", "/reports/{}"])
async def test_a_raw_report_gets_new_keys_when_a_reader_left_the_desk(room: CaseRoom, office: Office, by: str) -> None:
    sealed = await received(office, exclude=["chiara"])
    submission = sealed.manifest.submission
    await room.get("daud", f"/reports/{submission}")
    assert (await SubmissionRecord.get(id=submission)).generation == 0
    await Desk(office.world, office.clock.now).dismiss("bruno")
    await room.get("daud", by.format(submission))
    assert (await SubmissionRecord.get(id=submission)).generation == 1
    renewal = await brought(submission)
    assert (renewal.signer.label, renewal.keys.generation) == ("daud", 1)
    after = sealed_follow_up(sealed, office.world, keys=renewal.keys, generation=1, body="For those who stay.")
    assert not opens(await reach(office, "bruno"), after)
    assert not opens(await reach(office, "chiara"), after), "who was excluded never gets keys"
    await arrive(after, submission)
    for label in ("amina", "daud"):
        assert "For those who stay." in (await room.get(label, f"/reports/{submission}")).text, label
    assert not opens(await reach(office, "bruno"), await reply(room, "amina", submission, "Thank you."))
    await room.get("daud", "/queue")
    assert (await SubmissionRecord.get(id=submission)).generation == 1, "once is enough"


async def test_a_case_gets_all_keys_of_a_report_that_was_renewed_before(room: CaseRoom, office: Office) -> None:
    sealed, desk = await received(office), Desk(office.world, office.clock.now)
    submission = sealed.manifest.submission
    await desk.dismiss("bruno")
    await room.get("daud", "/queue")
    first = await brought(submission)
    await desk.dismiss("daud")
    await room.get("amina", f"/reports/{submission}")
    second = await brought(submission)
    case = await room.open_case(submission)
    await room.bring_in(case, "chiara")
    await room.do("chiara", case, "/people/amina/renew", kind="left", reason="Her part is done.")
    third = await brought(submission)
    assert [first.keys.generation, second.keys.generation, third.keys.generation] == [1, 2, 3]
    for number, keys in enumerate((first_keys(sealed, office.world), first.keys, second.keys, third.keys), 1):
        generation, body = keys.generation, f"Under generation {keys.generation}."
        await arrive(
            sealed_follow_up(sealed, office.world, number, keys=keys, generation=generation, body=body), submission
        )
    page = (await room.get("chiara", f"/reports/{submission}")).text
    assert all(f"Under generation {generation}." in page for generation in range(4)) and DOUBTFUL not in page
    assert "Under generation 2." in (await room.get("amina", f"/reports/{submission}")).text
    assert "Under generation 3." not in (await room.get("amina", f"/reports/{submission}")).text


async def test_a_reader_in_conflict_who_never_held_the_case_is_shut_out_of_the_thread(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    case = await room.open_case(submission)
    await room.bring_in(case, "chiara")
    await room.do("bruno", case, "/declare", conflict="yes")
    await room.get("chiara", f"/reports/{submission}")
    renewal = await brought(submission)
    after = sealed_follow_up(sealed, office.world, keys=renewal.keys, generation=1)
    assert not opens(await reach(office, "bruno"), after)
    assert opens(await reach(office, "chiara"), after) and opens(await reach(office, "daud"), after)
    await room.get("chiara", f"/reports/{submission}")
    assert (await SubmissionRecord.get(id=submission)).generation == 1
    await room.do("chiara", case, "/people/amina/renew", kind="left", reason="Her part is done.")
    assert (await brought(submission)).keys.generation == 2


async def test_a_renewal_waits_for_the_weekly_round_and_then_goes_with_every_note(
    room: CaseRoom, office: Office
) -> None:
    sealed = await received(office)
    submission = sealed.manifest.submission
    await announce_renewals()
    await recused_case(room, sealed)
    assert await pending_renewal(submission) == b""
    await announce_renewals()
    assert await pending_renewal(submission)
