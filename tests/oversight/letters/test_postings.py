# SPDX-License-Identifier: AGPL-3.0-or-later
"""Numbers of replies and thread notes: given once, by an office that was restored, to a portal that may lie."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from crypto.charter import Charter
from crypto.ids import CharterHash, SubmissionId
from crypto.message import message_id
from crypto.newest_charter import read_newest_charter
from crypto.note import SigningKey, VerifierKey
from crypto.posting import Posting, read_posting
from crypto.thread_note import ThreadNote
from oversight.collector.visit import WHOLE_EVERY_VISITS
from oversight.commission.records import CharterRecord
from oversight.letters import postings
from oversight.letters.postings import USED_UP, last_number
from oversight.letters.records import FollowUpRecord, PostingRecord, ReplyRecord, ThreadNoteRecord
from oversight.reports.records import CollectorStateRecord, SubmissionRecord
from oversight.wire.portal_errors import PortalAway, PortalRefused, PortalUnreachable
from tests.oversight.case_desk import store_at_both
from tests.oversight.office import Office
from tests.oversight.portal_simulator import Handler, PortalSimulator, Thread, answer, cut_connection, refusal
from tests.oversight.sealed_reports import (
    Wire,
    command,
    mailbox,
    sealed_follow_up,
    sealed_report,
    under_new_id,
    waiting_letter,
)
from tests.oversight.times_up import HangingTransport, TimesUp
from tests.people import REALM, TODAY
from tests.threads import succeed

pytestmark = pytest.mark.usefixtures("in_database")


@dataclass
class Exchange:
    """An office that has collected one report, and the portal that it exchanges letters with."""

    office: Office
    portal: PortalSimulator
    wire: Wire
    submission: SubmissionId

    @property
    def thread(self) -> Thread:
        return self.portal.thread(self.submission)

    @property
    def charters(self) -> Sequence[Charter]:
        return [self.office.world.charter]

    def note(self, *charters: Charter) -> ThreadNote:
        """The newest thread note, as the reporter's device reads it."""
        return self.thread.open(mailbox().identity, [*self.charters, *charters])

    def postings(self) -> list[Posting]:
        return [
            read_posting(posting.encode(), self.office.world.charter.office)
            for posting, _ in self.thread.replies.values()
        ]

    async def letter(self, number: int = 1, author: str = "bruno") -> ReplyRecord:
        return await waiting_letter(self.office.world, self.submission, number, author)

    async def forget(self) -> None:
        """What a restore from a backup takes away: everything after the report was collected."""
        for rows in (ReplyRecord, PostingRecord, ThreadNoteRecord, FollowUpRecord):
            await rows.all().delete()
        await CollectorStateRecord.all().delete()


@pytest.fixture
async def exchange(office: Office) -> Exchange:
    portal = PortalSimulator()
    sealed = sealed_report(office.world)
    portal.add(sealed)
    wire = Wire(office, portal.transport())
    await wire.collect()
    return Exchange(office, portal, wire, sealed.manifest.submission)


async def test_a_collected_report_gets_a_thread_note_at_once(exchange: Exchange) -> None:
    note = exchange.note()
    assert (note.realm, note.submission, note.day) == (REALM, exchange.submission, TODAY)
    assert note.manifest == exchange.portal.submissions[0].sealed.manifest_hash
    assert (note.oldest_reply, note.last_reply, note.last_message, note.held_count) == (1, 0, None, 0)
    assert (note.charter_number, note.charter) == (1, exchange.office.world.charter.hash)


async def test_letters_are_numbered_and_the_thread_note_that_goes_with_them_says_so(exchange: Exchange) -> None:
    first, second = await exchange.letter(1), await exchange.letter(2)
    await exchange.wire.collect()
    assert [(each.number, each.message) for each in exchange.postings()] == [(1, first.id), (2, second.id)]
    assert {(each.realm, each.posted, each.charter_number) for each in exchange.postings()} == {(REALM, TODAY, 1)}
    note = exchange.note()
    assert (note.oldest_reply, note.last_reply, note.last_message) == (1, 2, second.id)
    assert [row.posted_on for row in await ReplyRecord.all()] == [TODAY, TODAY]


async def test_a_letter_whose_answer_was_lost_keeps_its_number(exchange: Exchange) -> None:
    await exchange.letter(1)
    exchange.portal.lost_answers.append(cut_connection(path="/replies$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await exchange.wire.collect()
    exchange.portal.lost_answers.clear()
    await exchange.letter(2)
    await exchange.wire.collect()
    assert list(exchange.thread.replies) == [1, 2]
    assert [(row.number, row.held) for row in await PostingRecord.all().order_by("number")] == [(1, True), (2, True)]


async def test_the_day_of_a_letter_that_was_posted_before_stays_the_one_that_the_portal_has(
    exchange: Exchange,
) -> None:
    await exchange.letter(1)
    exchange.portal.lost_answers.append(cut_connection(path="/replies$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await exchange.wire.collect()
    exchange.portal.lost_answers.clear()
    exchange.office.clock.forward(days=1)
    await exchange.wire.collect()
    assert (await PostingRecord.get()).posted == TODAY


async def test_an_office_that_was_restored_takes_up_the_numbers_and_goes_on_after_them(exchange: Exchange) -> None:
    await exchange.letter(1)
    await exchange.letter(2)
    await exchange.wire.collect()
    before = exchange.thread.number
    await exchange.forget()
    third = await waiting_letter(exchange.office.world, exchange.submission, 1, sealed=b"after the restore")
    await exchange.wire.collect()
    assert [each.number for each in exchange.postings()] == [1, 2, 3]
    assert exchange.postings()[-1].message == third.id
    assert exchange.thread.number > before
    assert (exchange.note().last_reply, exchange.note().last_message) == (3, third.id)
    assert (await ReplyRecord.get()).posted_on == TODAY


async def test_two_offices_give_no_number_twice(exchange: Exchange) -> None:
    """What the other office posts is not known here until the portal refuses the number."""
    other = Posting(REALM, exchange.note().manifest, 1, message_id(b"the other office's"), 1, _hash(exchange), TODAY)
    note = other.sign(exchange.office.world.office_key).encode().decode()
    exchange.thread.replies[1] = (note, b"the other office's")
    mine = await exchange.letter(1)
    await exchange.wire.collect()
    assert [(each.number, each.message) for each in exchange.postings()] == [(1, other.message), (2, mine.id)]


async def test_postings_that_no_office_key_signed_are_not_taken_up(exchange: Exchange) -> None:
    manifest = exchange.note().manifest
    forged = Posting(REALM, manifest, 7, message_id(b"forged"), 1, _hash(exchange), TODAY)
    foreign = Posting(REALM, "0" * 64, 8, message_id(b"foreign"), 1, _hash(exchange), TODAY)
    notes = [
        forged.sign(exchange.office.world["bruno"].signing_key).encode().decode(),
        foreign.sign(exchange.office.world.office_key).encode().decode(),
        "no note",
        17,
    ]
    standing = {"number": 0, "last": 0, "postings": notes}
    refused = iter([refusal(409, "reply-number")])
    exchange.portal.faults += [_once("/replies", refused), _always("/thread", standing)]
    await exchange.letter(1)
    await exchange.wire.collect()
    assert [row.number for row in await PostingRecord.all()] == [1]


async def test_a_portal_does_not_use_up_the_numbers_of_a_thread(exchange: Exchange) -> None:
    standing = {"number": 999_999, "last": 999_999, "postings": []}
    refused = iter([refusal(409, "reply-number")])
    exchange.portal.faults += [_once("/replies", refused), _always("/thread", standing)]
    await exchange.letter(1)
    await exchange.wire.collect()
    assert list(exchange.thread.replies) == [1] and exchange.thread.number < 10


async def test_a_portal_that_lies_in_every_visit_leaves_the_thread_its_numbers(exchange: Exchange) -> None:
    """What it names is a little higher each time, and what it is sent then it takes."""
    sealed = exchange.portal.submissions[0].sealed
    for number in range(1, 25):
        row = await ThreadNoteRecord.get()
        standing = {"number": row.number + 9_000, "last": 9_000 * number, "postings": []}
        refused = iter([answer(200, {"refused": [exchange.submission]})])
        exchange.portal.faults[:] = [_once("/threads", refused), _always("/thread", standing)]
        exchange.portal.add_follow_up(exchange.submission, sealed_follow_up(sealed, exchange.office.world, number))
        await exchange.wire.collect()
        replies = iter([refusal(409, "reply-number")])
        exchange.portal.faults[:] = [_once("/replies", replies), _always("/thread", standing)]
        await exchange.letter(number)
        with suppress(PortalRefused):
            await exchange.wire.collect()
    assert (await ThreadNoteRecord.get()).number < 110_000
    assert await last_number(await SubmissionRecord.get()) <= 24


async def test_a_posting_that_the_portal_shows_many_times_is_read_once(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await exchange.letter(1)
    await exchange.wire.collect()
    [(posting, _)] = exchange.thread.replies.values()
    reads = []

    def read(data: bytes, office: Sequence[VerifierKey]) -> Posting:
        reads.append(data)
        return read_posting(data, office)

    monkeypatch.setattr(postings, "read_posting", read)
    exchange.portal.faults.append(_always("/thread", {"number": 0, "last": 1, "postings": [posting] * 1_000}))
    assert await postings.catch_up(exchange.wire.client(), await SubmissionRecord.get()) == 1
    assert len(reads) == 1
    assert [(row.message, row.number) for row in await PostingRecord.all()] == [(first.id, 1)]


async def test_when_no_number_is_left_the_page_says_so(exchange: Exchange) -> None:
    await ThreadNoteRecord.all().update(number=1_000_000)
    await exchange.letter(1)
    with pytest.raises(PortalUnreachable):
        await exchange.wire.collect()
    assert (await ReplyRecord.get()).problem == USED_UP
    page = (await (await exchange.office.browser_of("bruno")).get("/queue")).text
    assert "all numbers of this thread are used up" in page


async def test_a_portal_that_refuses_every_number_makes_one_letter_wait_and_no_other(exchange: Exchange) -> None:
    here = f"/{exchange.submission}/replies"
    exchange.portal.faults.append(
        lambda request: refusal(409, "reply-number") if request.url.path.endswith(here) else None
    )
    other = await store_at_both(exchange.portal, under_new_id(exchange.portal.submissions[0].sealed), TODAY)
    await exchange.letter(1)
    await waiting_letter(exchange.office.world, other.id, 2)
    exchange.portal.requests.clear()
    with pytest.raises(PortalRefused):
        await exchange.wire.collect()
    assert len([request for request in exchange.portal.requests if request.endswith(here)]) == 2
    assert [row.progress for row in await ReplyRecord.all().order_by("number")] == ["waiting", "posted"]


async def test_an_answer_that_is_no_posting_of_the_letter_leaves_it_waiting(exchange: Exchange) -> None:
    other = Posting(REALM, exchange.note().manifest, 1, message_id(b"other"), 1, _hash(exchange), TODAY)
    await exchange.letter(1)
    for posting in ("no note", other.sign(exchange.office.world.office_key).encode().decode()):
        exchange.portal.faults[:] = [_always("/replies", {"posting": posting})]
        with pytest.raises(PortalUnreachable):
            await exchange.wire.collect()
        assert (await ReplyRecord.get()).progress == "waiting"


async def test_letters_that_a_restored_portal_has_lost_are_brought_again_under_their_numbers(
    exchange: Exchange,
) -> None:
    first = await exchange.letter(1)
    await exchange.wire.collect()
    exchange.thread.replies.clear()
    second = await exchange.letter(2)
    await exchange.wire.collect()
    assert [(each.number, each.message) for each in exchange.postings()] == [(1, first.id), (2, second.id)]


async def test_the_lost_letter_of_a_former_member_is_not_signed_again_and_holds_up_no_other(exchange: Exchange) -> None:
    await exchange.letter(1)
    await exchange.wire.collect()
    exchange.thread.replies.clear()
    await _change_member(exchange, "bruno", "left")
    await exchange.letter(2, author="chiara")
    await exchange.wire.collect()
    assert list(exchange.thread.replies) == [2]
    assert [row.progress for row in await ReplyRecord.all().order_by("number")] == ["posted", "posted"]


@pytest.mark.parametrize("change", ["left", "ended", "role", "key"])
async def test_the_waiting_letter_of_a_former_member_is_never_signed(exchange: Exchange, change: str) -> None:
    """It waits in the outbox, signed by its author before they left or lost the role."""
    letter = await exchange.letter(1)
    await _change_member(exchange, "bruno", change)
    await exchange.wire.collect()
    row = await ReplyRecord.get()
    assert (row.refused, row.delivery, row.posted_on) == ("author-left", "author-left", None)
    assert not exchange.thread.replies and await PostingRecord.all().count() == 0
    page = (await (await exchange.office.browser_of("chiara")).get(f"/reports/{exchange.submission}")).text
    assert "not sent: whoever wrote it may not reply any more" in page
    assert letter.id not in exchange.portal.replies


async def test_what_went_out_before_its_author_left_counts_as_sent(exchange: Exchange) -> None:
    await exchange.letter(1)
    exchange.portal.lost_answers.append(cut_connection(path="/replies$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await exchange.wire.collect()
    exchange.portal.lost_answers.clear()
    await _change_member(exchange, "bruno", "left")
    await exchange.wire.collect()
    assert ((await ReplyRecord.get()).progress, list(exchange.thread.replies)) == ("posted", [1])


async def test_expired_replies_are_not_named_as_due(exchange: Exchange) -> None:
    first = await exchange.letter(1)
    await exchange.wire.collect()
    days = exchange.office.world.charter.reply_days
    exchange.office.clock.forward(days=days - 1)
    await exchange.wire.collect()
    assert exchange.note().oldest_reply == 1
    exchange.office.clock.forward(days=7)
    await exchange.wire.collect()
    note = exchange.note()
    assert (note.oldest_reply, note.last_reply, note.last_message) == (2, 1, first.id)


async def test_follow_ups_that_came_are_named_in_a_new_note_in_the_same_visit(exchange: Exchange) -> None:
    sealed = exchange.portal.submissions[0].sealed
    messages = [sealed_follow_up(sealed, exchange.office.world, number) for number in (1, 2)]
    for message in messages:
        exchange.portal.add_follow_up(exchange.submission, message)
    await exchange.wire.collect()
    note = exchange.note()
    assert (note.held_count, list(note.held)) == (2, [message_id(message) for message in messages])
    assert exchange.portal.receipted == set(note.held)


async def test_without_news_no_note_goes_out_until_the_week_is_over(exchange: Exchange) -> None:
    number = exchange.thread.number
    for _ in range(3):
        await exchange.wire.collect()
    # The day of the tests is a Sunday.
    assert (TODAY.weekday(), exchange.thread.number) == (6, number)
    exchange.office.clock.forward(days=1)
    for _ in range(2):
        await exchange.wire.collect()
    assert exchange.thread.number == number + 1
    assert exchange.note().day == TODAY + timedelta(days=1)


async def test_the_weekly_round_is_for_all_live_mailboxes_in_one_size(exchange: Exchange) -> None:
    sealed = exchange.portal.submissions[0].sealed
    for _ in range(40):
        exchange.portal.add(under_new_id(sealed))
    await exchange.wire.collect()
    closed = under_new_id(sealed)
    exchange.portal.add(closed)
    exchange.portal.add_control(closed.manifest.submission, command(close=True))
    exchange.portal.add_follow_up(exchange.submission, sealed_follow_up(sealed, exchange.office.world))
    await exchange.letter(1)
    await exchange.wire.collect()
    exchange.portal.rounds.clear()
    exchange.office.clock.forward(days=1)
    await exchange.wire.collect()
    assert [len(batch) for batch in exchange.portal.rounds] == [32, 9]
    assert len({size for batch in exchange.portal.rounds for size in batch}) == 1
    assert exchange.portal.thread(closed.manifest.submission).number <= 1


async def test_a_round_that_broke_off_is_made_again(exchange: Exchange) -> None:
    exchange.office.clock.forward(days=1)
    exchange.portal.faults.append(cut_connection(path="/threads$", method="POST"))
    with pytest.raises(PortalUnreachable):
        await exchange.wire.collect()
    exchange.portal.faults.clear()
    await exchange.wire.collect()
    assert exchange.note().day == TODAY + timedelta(days=1)


async def test_a_weekly_round_goes_on_where_it_broke_off(exchange: Exchange) -> None:
    """Of many thousand threads a visit has time for some: those with the last numbers would never get theirs."""
    for _ in range(70):
        exchange.portal.add(under_new_id(exchange.portal.submissions[0].sealed))
    await exchange.wire.collect()
    exchange.office.clock.forward(days=1)
    exchange.portal.rounds.clear()

    def go_away_after_one(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/threads") and exchange.portal.rounds:
            raise httpx.ConnectError("no connection", request=request)
        return None

    exchange.portal.faults.append(go_away_after_one)
    with pytest.raises(PortalAway):
        await exchange.wire.collect()
    exchange.portal.faults.clear()
    await exchange.wire.collect()
    assert [len(batch) for batch in exchange.portal.rounds] == [32, 32, 7]
    exchange.portal.rounds.clear()
    await exchange.wire.collect()
    assert exchange.portal.rounds == []


async def test_a_thread_note_goes_above_the_number_that_the_portal_has(exchange: Exchange) -> None:
    exchange.thread.notes[300] = b"of before the restore"
    exchange.office.clock.forward(days=1)
    await exchange.wire.collect()
    assert exchange.thread.number == 301 and exchange.note().day == TODAY + timedelta(days=1)


async def test_a_portal_that_refuses_a_threads_notes_stops_no_other(exchange: Exchange) -> None:
    other = sealed_report(exchange.office.world)
    exchange.portal.add(other)
    await exchange.wire.collect()
    exchange.thread.notes[999_999] = b"a number that no office gave"
    exchange.office.clock.forward(days=1)
    for _ in range(2):
        await exchange.wire.collect()
    [note] = [exchange.portal.thread(other.manifest.submission).open(mailbox().identity, list(exchange.charters))]
    assert note.day == TODAY + timedelta(days=1)


async def test_a_thread_whose_note_takes_too_long_fails_by_itself_and_comes_after_the_others(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        exchange.portal.add(under_new_id(exchange.portal.submissions[0].sealed))
    await exchange.wire.collect()
    ids = sorted(each.sealed.manifest.submission for each in exchange.portal.submissions)
    asked = []

    def hangs(request: httpx.Request) -> bool:
        if request.url.path.endswith("/threads"):
            asked.append([each for each in ids if each.encode() in request.content])
        return ids[0].encode() in request.content and request.url.path.endswith("/threads")

    exchange.wire.transport = HangingTransport(exchange.portal, TimesUp(monkeypatch), hangs)
    exchange.office.clock.forward(days=1)
    for _ in range(2):
        with pytest.raises(PortalUnreachable):
            await exchange.wire.collect()
        assert {row.submission for row in await ThreadNoteRecord.filter(stale=False)} == set(ids[1:])
        await ThreadNoteRecord.filter(submission=ids[1]).update(stale=True)
    assert (await ThreadNoteRecord.get(submission=ids[0])).problem == "slow"
    # All together; then each alone. In the second visit the one that failed stands last.
    assert asked == [ids, *([each] for each in ids), ids[:2], [ids[1]], [ids[0]]]


async def test_the_newest_charter_is_said_once_a_day_and_when_it_changes(exchange: Exchange) -> None:
    office = exchange.office.world.charter.office
    await exchange.wire.collect()
    assert len(exchange.portal.newest) == 1
    await _change_member(exchange, "daud", "left")
    await exchange.wire.collect()
    exchange.office.clock.forward(days=1)
    await exchange.wire.collect()
    said = [read_newest_charter(note, office) for note in exchange.portal.newest]
    assert [(note.number, note.day) for note in said] == [(1, TODAY), (2, TODAY), (2, TODAY + timedelta(days=1))]
    assert {(note.realm, note.slug) for note in said} == {(REALM, exchange.office.world.slug)}


async def test_one_refused_receipt_or_note_does_not_stop_the_rest_of_a_visit(exchange: Exchange) -> None:
    exchange.portal.faults.append(
        lambda request: (
            refusal(400, "malformed-request")
            if request.url.path.endswith(("/follow-ups/collection", "/newest-charter"))
            else None
        )
    )
    exchange.office.clock.forward(days=1)
    sealed = exchange.portal.submissions[0].sealed
    exchange.portal.add_follow_up(exchange.submission, sealed_follow_up(sealed, exchange.office.world))
    await exchange.letter(1)
    with pytest.raises(PortalRefused):
        await exchange.wire.collect()
    assert list(exchange.thread.replies) == [1] and exchange.note().held_count == 1


async def test_follow_ups_are_confirmed_by_their_ids_and_again_in_a_whole_round(exchange: Exchange) -> None:
    sealed = exchange.portal.submissions[0].sealed
    message = sealed_follow_up(sealed, exchange.office.world)
    exchange.portal.add_follow_up(exchange.submission, message)
    collector = exchange.wire.collector()
    with exchange.office.database.use():
        await collector.run()
        await collector.run()
        assert len(exchange.portal.confirmed) == 1
        for _ in range(WHOLE_EVERY_VISITS):
            await collector.run()
    await collector.close()
    assert len(exchange.portal.confirmed) == 2 and exchange.portal.receipted == {message_id(message)}
    assert await FollowUpRecord.all().count() == 1


def _hash(exchange: Exchange) -> CharterHash:
    return exchange.office.world.charter.hash


def _once(path: str, refusals: Iterator[httpx.Response]) -> Handler:
    return lambda request: next(refusals, None) if request.url.path.endswith(path) else None


def _always(path: str, content: object) -> Handler:
    return lambda request: answer(200, content) if request.url.path.endswith(path) else None


async def _change_member(exchange: Exchange, label: str, change: str) -> None:
    """A new charter, of which this member is no member any more, or another one."""
    world = exchange.office.world
    members = []
    for member in world.charter.members:
        if member.label != label:
            members.append(member)
        elif change == "ended":
            members.append(replace(member, valid_until=TODAY - timedelta(days=1)))
        elif change == "role":
            members.append(replace(member, roles=("publisher",)))
        elif change == "key":
            members.append(replace(member, verifier=SigningKey.from_seed(member.verifier.name, b"k" * 32).verifier))
    charter = succeed(world, world.charter, members=tuple(members))
    await CharterRecord.create(hash=charter.hash, number=charter.number, note=charter.note, published=True)
