# SPDX-License-Identifier: AGPL-3.0-or-later
"""Replies and thread notes: numbered, together, each number once (docs/protocol.md §8.1, §9.1, §10)."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crypto.age import PqIdentity, seal
from crypto.encoding import encode_base64, encode_json
from crypto.ids import CharterHash, MessageId, SubmissionId
from crypto.note import SigningKey
from portal.office_api import threads
from portal.storage.records import ReplyRecord
from tests.chance import fresh_id
from tests.people import TODAY, found_test_commission
from tests.portal.charters.test_charters import post as post_charter
from tests.portal.charters.test_charters import successor
from tests.portal.threads import Thread, post_notes, reply_body, start_thread
from tests.portal.world import RunningPortal, error_code, publish

MALFORMED = (400, "malformed-request")
REPLY_DAYS = 90


async def thread_of(portal: RunningPortal, thread: Thread) -> dict[str, Any]:
    answer = await portal.office("GET", f"{thread.path}/thread")
    assert answer.status_code == 200
    value: dict[str, Any] = answer.json()
    return value


async def test_a_reply_and_its_thread_note_are_taken_together(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    sealed, note = thread.reply(), thread.note(1)
    posting = thread.posting(1, sealed)
    answer = await portal_on.office("POST", f"{thread.path}/replies", reply_body(posting, sealed, 1, note, 0))
    assert (answer.status_code, answer.json()) == (201, {"posting": posting})
    shown = await thread.read()
    assert (shown.messages[0].posting, shown.messages[0].sealed, shown.thread) == (posting, sealed, note)
    assert await thread_of(portal_on, thread) == {"number": 1, "last": 1, "postings": [posting]}


async def test_a_thread_that_nobody_wrote_to_has_no_numbers(portal: RunningPortal) -> None:
    assert await thread_of(portal, await start_thread(portal)) == {"number": 0, "last": 0, "postings": []}


async def test_a_repeat_gets_the_posting_that_is_there(portal_on: RunningPortal) -> None:
    """The answer was lost; meanwhile a new charter came, so that the posting was signed anew."""
    thread = await start_thread(portal_on)
    sealed = thread.reply()
    first = await thread.post(1, sealed)
    again = await thread.post(1, sealed, thread=2, posted=TODAY + timedelta(days=1))
    assert (again.status_code, again.json()) == (200, first.json())
    await thread.post(2, thread.reply("second"))
    late = await thread.post(3, sealed)
    assert (late.status_code, late.json()) == (200, first.json())
    assert len((await thread.read()).messages) == 2


async def test_the_last_posting_outlives_its_reply(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    (sealed,) = await thread.post_next()
    await thread.command(delete=1)
    kept = await thread_of(portal, thread)
    assert (kept["last"], len(kept["postings"])) == (1, 1)
    again = await thread.post(1, sealed)
    assert (again.status_code, again.json()) == (200, {"posting": kept["postings"][0]})
    assert (await thread.read()).messages == ()


async def test_a_number_that_was_taken_is_refused(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    await thread.post_next()
    assert error_code(await thread.post(1, thread.reply("another"), 2)) == (409, "reply-number")
    assert len((await thread.read()).messages) == 1
    assert (await thread_of(portal, thread))["number"] == 1


async def test_a_number_that_never_arrived_holds_up_no_later_one(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    await thread.post_next()
    assert error_code(await thread.post(3, thread.reply("third"), 2, last=2)) == (409, "reply-number")
    assert (await thread.post(3, thread.reply("third"), 2, last=1)).status_code == 201
    assert error_code(await thread.post(2, thread.reply("second"), 3)) == (409, "reply-number")
    assert (await thread_of(portal, thread))["last"] == 3


async def test_a_thread_note_that_is_not_newer_keeps_the_reply_out_too(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    await thread.post_next()
    before = await thread.read()
    assert error_code(await thread.post(2, thread.reply("another"), 1)) == (409, "thread-number")
    assert await thread.read() == before
    assert (await thread.post(2, thread.reply("another"), 7)).status_code == 201


async def test_of_two_offices_that_give_one_number_at_once_one_is_refused(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    replies = [thread.reply("from one office"), thread.reply("from the other")]
    answers = await asyncio.gather(*(thread.post(1, sealed) for sealed in replies))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (message,) = (await thread.read()).messages
    (taken,) = [sealed for sealed, answer in zip(replies, answers, strict=True) if answer.status_code == 201]
    assert message.sealed == taken
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert error_code(refused) == (409, "reply-number")


async def test_a_mailbox_holds_so_many_replies_until_the_reporter_deletes_some(
    portal_on: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many an office would post: what is deleted by one command keeps all others waiting meanwhile."""
    monkeypatch.setattr(threads, "REPLIES_MAX", 3)
    thread, other = await start_thread(portal_on), await start_thread(portal_on)
    await thread.post_next(3)
    fourth = thread.reply("one more")
    assert error_code(await thread.post(4, fourth)) == (429, "mailbox-full")
    assert (await other.post(1, other.reply())).status_code == 201
    repeated = await thread.post(3, (await thread.read()).messages[2].sealed)
    assert repeated.status_code == 200
    await thread.command(delete=1)
    assert (await thread.post(4, fourth)).status_code == 201


async def test_a_posting_for_something_else_or_by_somebody_else_is_refused(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    sealed = thread.reply()
    stranger = SigningKey.generate(f"{portal.world.slug}/office")
    wrong: list[dict[str, Any]] = [
        {"realm": "ab" * 16},
        {"manifest": "ab" * 32},
        {"message": MessageId("ab" * 16)},
        {"charter": CharterHash("ab" * 32)},
        {"charter_number": 2},
        {"key": stranger},
        {"key": portal.world["amina"].signing_key},
    ]
    for changes in wrong:
        body = reply_body(thread.posting(1, sealed, **changes), sealed, 1, thread.note(1), 0)
        assert error_code(await portal.office("POST", f"{thread.path}/replies", body)) == MALFORMED
    assert (await thread.read()).messages == ()


async def test_a_posting_under_an_older_charter_is_refused(portal: RunningPortal) -> None:
    """Whoever left took a signed reply along, and the office's key of then."""
    thread = await start_thread(portal)
    new_key = SigningKey.generate(f"{portal.world.slug}/office-2")
    keys = (portal.world.office_key.verifier, new_key.verifier)
    note = successor(portal.world, portal.world.charter, office=keys)
    assert (await post_charter(portal, note)).status_code == 201
    sealed = thread.reply()
    assert error_code(await thread.post(1, sealed)) == MALFORMED
    newest = portal.assembly.charters.newest(portal.world.slug)
    taken = await thread.post(1, sealed, charter=newest.hash, charter_number=newest.number)
    assert taken.status_code == 201


async def test_a_reply_or_note_that_is_not_sealed_is_refused(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    sealed, note = thread.reply(), thread.note(1)
    short = seal(bytes(4096), [thread.secrets.recipient])
    for reply, thread_note in (
        (b"Dear reporter", note),
        (sealed, b"Dear reporter"),
        (sealed, short),
        (sealed, note + b"x"),
    ):
        body = reply_body(thread.posting(1, reply), reply, 1, thread_note, 0)
        assert error_code(await portal.office("POST", f"{thread.path}/replies", body)) == (400, "not-sealed")
    assert (await thread.read()).messages == ()


async def test_a_reply_that_would_not_fit_into_an_answer_is_refused(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    large = seal(bytes(700 * 1024), [PqIdentity.generate().recipient()])
    too_large = (413, "too-large")
    assert error_code(await thread.post(1, large)) == too_large
    assert error_code(await portal.office("POST", f"{thread.path}/replies", bytes(1_200_000))) == too_large


async def test_the_largest_reply_fits_into_an_answer(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    large = seal(bytes(700 * 1024 - 5000), [PqIdentity.generate().recipient()])
    assert (await thread.post(1, large)).status_code == 201
    assert [message.sealed for message in (await thread.read()).messages] == [large]


@pytest.mark.parametrize("path", ["replies", "threads"])
async def test_a_request_of_another_form_is_refused(portal: RunningPortal, path: str) -> None:
    thread = await start_thread(portal)
    whole = f"{thread.path}/replies" if path == "replies" else "/threads"
    note = {"submission": thread.sealed.manifest.submission, "number": 1, "sealed": encode_base64(thread.note(1))}
    bodies = [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 9000,
        thread.reply(),
        encode_json({"threads": []}),
        encode_json({"threads": [note] * 33}),
        encode_json({"threads": [{**note, "number": 0}]}),
        encode_json({"threads": [{**note, "submission": "x"}]}),
        encode_json({"threads": [note], "more": 1}),
    ]
    for body in bodies:
        assert error_code(await portal.office("POST", whole, body)) == MALFORMED


async def test_a_closed_mailbox_takes_neither_reply_nor_note(portal_on: RunningPortal) -> None:
    thread, other = await start_thread(portal_on), await start_thread(portal_on)
    (sealed,) = await thread.post_next()
    await thread.command(close=True)
    assert error_code(await thread.post(2, thread.reply("late"))) == (404, "mailbox-closed")
    assert (await thread.post(1, sealed)).status_code == 200
    refused = await post_notes(portal_on, (thread, 2, thread.note(2)), (other, 1, other.note(1)))
    assert refused == [thread.sealed.manifest.submission]
    assert (await other.read()).thread is not None


async def test_thread_notes_come_for_many_mailboxes_at_once_and_some_are_refused(portal_on: RunningPortal) -> None:
    one, two = await start_thread(portal_on), await start_thread(portal_on)
    notes = [one.note(5), two.note(1), one.note(4), one.note(6)]
    assert await post_notes(portal_on, (one, 5, notes[0]), (two, 1, notes[1])) == []
    unknown = fresh_id()
    body = {"submission": unknown, "number": 9, "sealed": encode_base64(notes[0])}
    lower = {"submission": one.sealed.manifest.submission, "number": 4, "sealed": encode_base64(notes[2])}
    answer = await portal_on.office("POST", "/threads", encode_json({"threads": [body, lower]}))
    assert answer.json() == {"refused": [unknown, one.sealed.manifest.submission]}
    assert (await one.read()).thread == notes[0]
    # The answer was lost: what is there already is taken. Another note under its number is not.
    assert await post_notes(portal_on, (one, 5, notes[0])) == []
    assert await post_notes(portal_on, (one, 5, notes[2])) == [one.sealed.manifest.submission]
    assert await post_notes(portal_on, (one, 6, notes[3])) == []
    assert ((await one.read()).thread, (await two.read()).thread) == (notes[3], notes[1])


async def test_another_commission_reaches_neither_thread_nor_notes(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    thread = await start_thread(portal)
    sealed = thread.reply()
    charter = {"charter": other.charter.hash, "charter_number": other.charter.number}
    forbidden = (403, "not-your-commission")
    assert error_code(await thread.post(1, sealed, key=other.office_key, **charter)) == forbidden
    shown = await portal.office("GET", f"{thread.path}/thread", key=other.office_key)
    assert error_code(shown) == forbidden
    note = {"submission": thread.sealed.manifest.submission, "number": 1, "sealed": encode_base64(thread.note(1))}
    posted = await portal.office("POST", "/threads", encode_json({"threads": [note]}), other.office_key)
    assert posted.json() == {"refused": [thread.sealed.manifest.submission]}
    assert (await thread.read()).thread is None


async def test_a_reply_expires_after_the_charters_days(portal_on: RunningPortal) -> None:
    thread = await start_thread(portal_on)
    await thread.post(1, thread.reply("old"))
    portal_on.clock.pass_days(1)
    await thread.post(2, thread.reply("a day younger"))
    portal_on.clock.pass_days(REPLY_DAYS - 2)
    await portal_on.sweep()
    assert len((await thread.read()).messages) == 2
    portal_on.clock.pass_days(1)
    await portal_on.sweep()
    assert len((await thread.read()).messages) == 1
    portal_on.clock.pass_days(1)
    await portal_on.sweep()
    assert (await thread.read()).messages == ()
    assert (await thread_of(portal_on, thread))["last"] == 2
    assert error_code(await thread.post(1, thread.reply("again"), 3)) == (409, "reply-number")
    assert (await thread.post(3, thread.reply("third"))).status_code == 201
    with portal_on.database.use():
        assert await ReplyRecord.all().count() == 1


async def test_an_unknown_submission_has_no_thread(portal: RunningPortal) -> None:
    thread = await start_thread(portal)
    sealed = thread.reply()
    body = reply_body(thread.posting(1, sealed), sealed, 1, thread.note(1), 0)
    for unknown in (SubmissionId(fresh_id()), SubmissionId("x")):
        tries: list[httpx.Response] = [
            await portal.office("POST", f"/submissions/{unknown}/replies", body),
            await portal.office("GET", f"/submissions/{unknown}/thread"),
        ]
        assert [error_code(answer) for answer in tries] == [(404, "not-found")] * 2
